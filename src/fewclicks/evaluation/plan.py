"""Plan: what a run is to do, in words that fit on a command line and into another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fewclicks import __version__
from fewclicks.backbones.registry import EMBEDDED_BACKBONE, choose_depth, device_settings
from fewclicks.datasets.base import Dataset
from fewclicks.datasets.registry import open_dataset
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.evaluation.clicker import Rule, SimulatedUser
from fewclicks.evaluation.protocols.combination import REFERENCE_MASKS, ReferenceMasks
from fewclicks.evaluation.protocols.guiding import read_guidance
from fewclicks.evaluation.protocols.kinds import EXEMPLAR_SOURCES, ExemplarSource
from fewclicks.evaluation.protocols.target import PROTOCOLS, ProtocolName
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
    protocol
        What is asked for: each object (``"noc"``), combinations of parts (``"combination"``), or
        all objects of a category (``"collective"``, ``"additional"``).
    reference
        Which masks of a reference are given; of ``"combination"``.
    exemplar
        Where one object of a category comes from; of the last two.
    guidance
        How both are made; see `fewclicks.evaluation.protocols.guiding.GuidanceConfig`.
    initial_masks
        Folder with a mask for each target, which clicks correct.
    subset
        As for `fewclicks.evaluation.tasks.Subset`.
    limit
        The first targets only.
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
    protocol: ProtocolName = "noc"
    reference: ReferenceMasks = "none"
    exemplar: ExemplarSource = "none"
    guidance: Mapping[str, str] = field(default_factory=dict)
    initial_masks: str | None = None
    subset: str | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.max_clicks < 1:
            raise InputError(f"max_clicks is {self.max_clicks}; needs 1 or more.")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"limit is {self.limit}; needs 1 object or more.")
        self.create_user()  # refuses what no user can be
        _check_protocol(self)

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
        _check_method(self)
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
                **self._guided_by(),
            },
            "dataset": self.dataset,
            "data_sha256": data_sha256,
            "rule": self.rule,
            "protocol": self.protocol,
        }

    def _guided_by(self) -> dict[str, Any]:
        """Say what is known besides clicks; nothing where it is not, as in results before."""
        said = {
            "reference": self.reference,
            "exemplar": self.exemplar,
            "initial_masks": self.initial_masks,
        }
        said = {key: each for key, each in said.items() if each not in ("none", None)}
        if self.reference == self.exemplar == "none":
            return said
        return {**said, "guidance": asdict(read_guidance(self.guidance))}

    def _backbone_in_use(self) -> str | None:
        needed = "backbone" in find_method(self.method).needs
        return self.backbone or EMBEDDED_BACKBONE if needed else None


def _settings_of(method: AnyMethod, part: str) -> dict[str, Any] | None:
    """Give the settings of its backbone or source of depth, if it has one."""
    config = getattr(getattr(method, part, None), "config", None)
    return None if config is None else asdict(config)


def _check_protocol(plan: Plan) -> None:
    """Refuse names that do not exist, and guidance that a protocol or a method has no use for.

    Raises
    ------
    InputError
        Saying which protocol would have a use for it, or which methods take it.
    """
    for what, name, known in (
        ("protocol", plan.protocol, PROTOCOLS),
        ("choice of reference masks", plan.reference, REFERENCE_MASKS),
        ("source of exemplars", plan.exemplar, EXEMPLAR_SOURCES),
    ):
        if name not in known:
            raise UnknownEntryError(what, name, known)
    if plan.reference != "none" and plan.protocol != "combination":
        raise InputError(
            f"Protocol '{plan.protocol}' has no references; needs protocol combination, or "
            "reference none."
        )
    if plan.exemplar != "none" and plan.protocol not in ("collective", "additional"):
        raise InputError(
            f"Protocol '{plan.protocol}' has no exemplars; needs protocol collective or "
            "additional, or exemplar none."
        )
    if plan.protocol == "collective" and plan.exemplar == "golden":
        raise InputError(
            "Protocol 'collective' counts an exemplar's clicks, and a golden one has none that "
            "were needed; choose exemplar automatic, or protocol additional."
        )
    if plan.exemplar != "none" and plan.initial_masks is not None:
        raise InputError("Clicks begin with an exemplar or with initial masks; leave one out.")
    if plan.guidance and plan.reference == plan.exemplar == "none":
        raise InputError(
            f"Guidance is set ({', '.join(plan.guidance)}), but none is given; choose a reference "
            "or an exemplar."
        )
    if read_guidance(plan.guidance).real and plan.exemplar != "golden":
        raise InputError("Real exemplars stand in the place of golden ones; choose golden.")


def _check_method(plan: Plan) -> None:
    """Refuse references for a method that has no use for them.

    Raises
    ------
    InputError
        If it has none. An exemplar is of use to every method: as a mask to go on from.
    """
    if plan.reference != "none" and "references" not in find_method(plan.method).takes:
        raise InputError(
            f"Method '{plan.method}' takes no references; choose reference none, or a method "
            "that takes them: refcut or fewclicks."
        )
