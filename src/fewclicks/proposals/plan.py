"""Plan: what to look through and how to find regions; and pictures done that way."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from fewclicks.backbones.base import Backbone
from fewclicks.backbones.registry import create_backbone, device_settings
from fewclicks.backbones.vit_folder import read_vit_folder
from fewclicks.backbones.weights import locate
from fewclicks.errors import InputError, StorageError, WeightsError
from fewclicks.files import sha256_of
from fewclicks.images.reading import read_image
from fewclicks.images.resizing import shrink_to_longest_side
from fewclicks.proposals.generators import Generator, create_generator
from fewclicks.proposals.recipe import MOST_PIXELS, Recipe
from fewclicks.proposals.shards import Label, Row

_OF_BACKBONE: Final = "backbone."
_CHANGES_NOTHING: Final = ("device",)

_LAST_KEYS: Final[Mapping[str, Any]] = {"kind": "keys", "block": -1, "centred": False}
_OF_VIT: Final[Mapping[str, Mapping[str, Any]]] = {
    "tree": {"kind": "outputs", "block": -1, "longest_side": None},
    "tokencut": _LAST_KEYS,
    "dsm": _LAST_KEYS,
    "freemask": _LAST_KEYS,
}
"""What each kind takes from a vision transformer, as its paper has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposalPlan:
    """How proposals are made.

    Parameters
    ----------
    backbone
        As `create_backbone` takes it.
    kind
        As `create_generator` takes it.
    settings
        Of the generator, by name; those of the backbone begin with ``backbone.``. Where they say
        nothing, a vision transformer gives what the paper of that kind takes from it, with
        patches that do not overlap.
    device
        Where the network runs; None leaves it to the backbone.
    longest_side
        In pixels; larger pictures are shrunk first, since tokens cost their square.
    """

    backbone: str
    kind: str = "tree"
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None
    longest_side: int = MOST_PIXELS

    def __post_init__(self) -> None:
        if self.longest_side < 1:
            raise InputError(f"longest_side is {self.longest_side}; needs at least 1 pixel.")

    def create_backbone(self) -> Backbone:
        """Build the backbone.

        Raises
        ------
        UnknownEntryError
            With the nearest known name, for it or one of its settings.
        WeightsError
            If its weights are not on this machine.
        """
        own = {
            name.removeprefix(_OF_BACKBONE): value
            for name, value in (
                *self.settings.items(),
                *device_settings(self.device, backbone=self.backbone).items(),
            )
            if name.startswith(_OF_BACKBONE)
        }
        backbone = create_backbone(self.backbone, **own)
        config = backbone.config
        if not _is_of_vit(config):
            return backbone
        patch = read_vit_folder(locate(config.weights)).patch
        published = {**_OF_VIT[self.kind], "stride": patch}
        unsaid = {name: value for name, value in published.items() if name not in own}
        built: Backbone = type(backbone)(replace(config, **unsaid))  # type: ignore[call-arg]
        return built

    def create_generator(self) -> Generator:
        """Build the generator.

        Raises
        ------
        UnknownEntryError
            With the nearest known name, for it or one of its settings.
        """
        own = {
            name: value
            for name, value in self.settings.items()
            if not name.startswith(_OF_BACKBONE)
        }
        return create_generator(self.kind, **own)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A picture that could not be read or described, and why, in one line."""

    image: str
    reason: str


class Proposer:
    """A plan at work; threads may share it.

    One picture at a time is in the backbone, while others are read and cut into regions.

    Parameters
    ----------
    plan
        How proposals are made.
    """

    def __init__(self, plan: ProposalPlan) -> None:
        self._generator = plan.create_generator()
        self._backbone = plan.create_backbone()
        self._looking = threading.Lock()
        self.seconds_looking = 0.0
        """How long the backbone was at work."""

        looked_through = asdict(self._backbone.config)
        self.recipe = Recipe(
            kind=plan.kind,
            backbone=plan.backbone,
            backbone_settings={
                name: value
                for name, value in looked_through.items()
                if name not in _CHANGES_NOTHING
            },
            settings=asdict(self._generator.config),
            longest_side=plan.longest_side,
        )

    def propose(self, folder: Path, image: str) -> Row:
        """Find the regions of one picture.

        Parameters
        ----------
        folder, image
            The picture is at ``folder / image``.

        Raises
        ------
        StorageError, ImageError
            If it cannot be read.
        """
        path = folder / image
        checksum, pixels = sha256_of(path), read_image(path)
        shown = shrink_to_longest_side(pixels, self.recipe.longest_side)
        with self._looking:
            start = time.perf_counter()
            features = self._backbone.features(shown)
            self.seconds_looking += time.perf_counter() - start
        found = self._generator.propose(features)
        height, width = pixels.shape[:2]
        label = Label(
            image=image, checksum=checksum, height=height, width=width, grid=features.grid
        )
        return Row(label=label, children=found.children, masks=found.masks)

    def attempt(self, folder: Path, image: str) -> Row | Failure:
        """Find the regions of one picture, or say why not.

        Raises
        ------
        FewclicksError
            If it is no fault of the picture: weights or an optional part are missing.
        """
        try:
            return self.propose(folder, image)
        except WeightsError:
            raise
        except (InputError, StorageError) as error:
            return Failure(image=image, reason=" ".join(str(error).split()))

    def attempts(
        self, folder: Path, images: Iterable[str], *, workers: int
    ) -> Iterator[Row | Failure]:
        """Attempt pictures in threads, a few ahead of who takes them; in their order."""
        attempt, coming = partial(self.attempt, folder), iter(images)
        waiting: deque[Future[Row | Failure]] = deque()
        with ThreadPoolExecutor(workers) as pool:
            try:
                waiting.extend(pool.submit(attempt, image) for image in islice(coming, 2 * workers))
                while waiting:
                    yield waiting.popleft().result()
                    waiting.extend(pool.submit(attempt, image) for image in islice(coming, 1))
            finally:
                for future in waiting:
                    future.cancel()


def _is_of_vit(config: Any) -> bool:
    """Tell a vision transformer by what may be chosen of it; its module would bring in torch."""
    return {"kind", "block", "centred"} <= {each.name for each in fields(config)}
