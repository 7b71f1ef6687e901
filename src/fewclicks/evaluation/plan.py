"""Plan: what a run is to do, in words that fit on a command line and into another process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fewclicks import __version__
from fewclicks.backbones.registry import EMBEDDED_BACKBONE, choose_depth, device_settings
from fewclicks.datasets.base import Dataset
from fewclicks.datasets.registry import open_dataset
from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.clicker import Rule, SimulatedUser
from fewclicks.evaluation.scores import USUAL_CLICKS
from fewclicks.images.depth_files import DepthFiles, DepthKind
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.registry import create_method, find_method


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A method, a data set and a user who clicks.

    Parameters
    ----------
    method, backbone, settings
        As for `fewclicks.create_method`.
    depth
        As for it too; or a folder with measured depth, a file for each picture.
    depth_kind
        What the numbers of such files mean; see `fewclicks.images.depth_files.DepthKind`.
    device
        Where networks run; None leaves it to their settings.
    dataset, data, dataset_settings
        As for `fewclicks.datasets.registry.open_dataset`.
    rule, jitter, seed
        As for `fewclicks.evaluation.clicker.SimulatedUser`.
    max_clicks
        At most, for each object.
    curve
        Go on when the highest target is reached, so that mIoU@k is of k clicks everywhere.
    subset
        ``"even"`` or ``"odd"`` (index, from 0, of the sorted pictures), or a file with one
        picture's name on each line.
    limit
        The first objects only.
    """

    method: str = "default"
    backbone: str | None = None
    depth: str | None = None
    depth_kind: DepthKind = "inverse"
    device: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    dataset: str
    data: str | None = None
    dataset_settings: Mapping[str, str] = field(default_factory=dict)
    rule: Rule = "ritm"
    jitter: float = 0.0
    seed: int = 0
    max_clicks: int = USUAL_CLICKS
    curve: bool = False
    subset: str | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.max_clicks < 1:
            raise InputError(f"max_clicks is {self.max_clicks}; needs 1 or more.")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"limit is {self.limit}; needs 1 object or more.")
        self.create_user()  # refuses what no user can be

    def create_method(self) -> AnyMethod:
        """Build the method that is to be measured.

        Raises
        ------
        InputError
            For names and settings that do not exist or do not go together.
        """
        source, files = choose_depth(self.depth, self.depth_kind)
        if files is not None and "depth" not in find_method(self.method).takes:
            raise InputError(
                f"Method '{self.method}' takes no depth, but got '{self.depth}'; leave it out."
            )
        of_device = device_settings(
            self.device,
            backbone=self.backbone,
            depth=source,
            method_is_network="torch" in find_method(self.method).needs,
        )
        return create_method(
            self.method, backbone=self.backbone, depth=source, **{**of_device, **self.settings}
        )

    def depth_files(self) -> DepthFiles | None:
        """Where measured depth lies; None where there is none."""
        return choose_depth(self.depth, self.depth_kind)[1]

    def open_dataset(self) -> Dataset:
        """Open the data set as the plan's rule reads it."""
        return open_dataset(self.dataset, self.data, rule=self.rule, **self.dataset_settings)

    def create_user(self) -> SimulatedUser:
        """Hire the simulated user."""
        return SimulatedUser(rule=self.rule, jitter=self.jitter, seed=self.seed)

    def describe(
        self, method: AnyMethod, data_sha256: str, depth_sha256: str | None = None
    ) -> dict[str, Any]:
        """Say what is run, in the words of a result; two runs that agree here agree in all.

        Parameters
        ----------
        data_sha256, depth_sha256
            Of the files that are read; None where no depth is.
        """
        return {
            "fewclicks": __version__,
            "method": self.method,
            "config": {
                "backbone": self._backbone_in_use(),
                "depth": self.depth,
                "depth_kind": None if depth_sha256 is None else self.depth_kind,
                "depth_sha256": depth_sha256,
                "settings": asdict(method.config),
                "backbone_settings": _settings_of(method, "backbone"),
                "depth_settings": _settings_of(method, "depth"),
                "dataset_settings": dict(self.dataset_settings),
                "jitter": self.jitter,
                "seed": self.seed,
                "max_clicks": self.max_clicks,
                "curve": self.curve,
                "subset": self.subset,
                "limit": self.limit,
            },
            "dataset": self.dataset,
            "data_sha256": data_sha256,
            "rule": self.rule,
            "protocol": "noc",
        }

    def _backbone_in_use(self) -> str | None:
        needed = "backbone" in find_method(self.method).needs
        return self.backbone or EMBEDDED_BACKBONE if needed else None


@dataclass(frozen=True, slots=True)
class PictureTask:
    """Objects of one picture that are to be clicked, by their ids."""

    picture: str
    objects: tuple[str, ...]

    def without(self, done: frozenset[str]) -> PictureTask:
        """Leave out what is done."""
        return PictureTask(self.picture, tuple(id_ for id_ in self.objects if id_ not in done))


def list_tasks(plan: Plan, dataset: Dataset) -> list[PictureTask]:
    """Choose pictures and objects as the plan asks, in the data set's order.

    Raises
    ------
    InputError
        If no object is left, or the subset names pictures that do not exist.
    StorageError
        If the subset's file cannot be read.
    """
    tasks: list[PictureTask] = []
    left = plan.limit
    for picture in _subset(plan.subset, dataset.pictures):
        if left == 0:
            break
        ids = tuple(sample.id for sample in dataset.samples(picture)[:left])
        if ids:
            tasks.append(PictureTask(picture, ids))
            left = None if left is None else left - len(ids)
    if not tasks:
        raise InputError(f"Data set '{plan.dataset}' has no object to click under this choice.")
    return tasks


def checksum(dataset: Dataset, pictures: Sequence[str]) -> str:
    """Sum up the files that are read, so that two results can be told to share their data.

    Returns
    -------
    str
        SHA-256, in hexadecimal, over each file's folder, name and content.
    """
    return _sum_up(path for picture in pictures for path in dataset.files(picture))


def depth_checksum(files: DepthFiles, pictures: Sequence[str]) -> str:
    """Sum up the depth of pictures as `checksum` does.

    Raises
    ------
    StorageError
        If a picture has none.
    """
    return _sum_up([files.find(picture) for picture in pictures])


def _sum_up(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.parent.name}/{path.name}\0".encode())
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"Cannot read {path}: {reason}.") from error
    return total.hexdigest()


def _settings_of(method: AnyMethod, part: str) -> dict[str, Any] | None:
    """Give the settings of its backbone or source of depth, if it has one."""
    config = getattr(getattr(method, part, None), "config", None)
    return None if config is None else asdict(config)


def _subset(subset: str | None, pictures: Sequence[str]) -> Sequence[str]:
    if subset is None:
        return pictures
    if subset in ("even", "odd"):
        return pictures[subset == "odd" :: 2]
    try:
        lines = Path(subset).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"Cannot read subset '{subset}': needs 'even', 'odd', or a text file with one "
            "picture's name on each line."
        ) from error
    wanted = {line.strip() for line in lines} - {""}
    unknown = sorted(wanted - set(pictures))
    if unknown:
        raise InputError(
            f"Subset {subset} names {len(unknown)} pictures that the data set does not have, the "
            f"first is '{unknown[0]}'; needs file names without their endings."
        )
    return [picture for picture in pictures if picture in wanted]
