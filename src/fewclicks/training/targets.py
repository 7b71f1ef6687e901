"""Targets: where the objects come from that a network of clicks learns to cut out.

Regions of merge trees and masks of other proposals need no labels, masks of a data set are labels,
and rectangles and superpixels are what regions are measured against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeAlias, get_args

import cv2
import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Sample, sharing_pixels
from fewclicks.errors import InputError, ShapeError, StorageError
from fewclicks.images.folders import list_pictures
from fewclicks.images.reading import read_image
from fewclicks.images.resizing import resize_mask
from fewclicks.proposals.sampling import LEAST_AREA, SCHEMES
from fewclicks.proposals.store import ProposalStore
from fewclicks.training.guided_targets import KindTargets, PartTargets
from fewclicks.training.target import Target, TargetSource, check_shares, open_below


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposalTargets:
    """Regions that a store of proposals holds: MIS, and the generators it is compared with.

    Parameters
    ----------
    store
        Folder that ``fewclicks propose`` wrote.
    images
        Folder of the pictures, or the name of a data set's folder.
    alpha, scheme
        How a merge tree is sampled; see `fewclicks.proposals.sampling`.
    least_area
        Share of the picture under which a region is drawn again.
    share
        Of all targets, beside those of other sources.

    References
    ----------
    .. [1] MIS, section 3.1 (arXiv:2303.13399).
    """

    kind: ClassVar[str] = "proposals"
    store: str
    images: str
    alpha: float = 0.9
    scheme: Literal["top-down", "uniform"] = "top-down"
    least_area: float = LEAST_AREA
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise InputError(f"alpha is {self.alpha}; needs a number in [0, 1].")
        if self.scheme not in SCHEMES:
            raise InputError(f"scheme is '{self.scheme}'; needs one of {', '.join(SCHEMES)}.")
        check_shares(self.share, self.least_area)

    def open(self, data: str | None) -> TargetSource:
        """Find the store and its pictures."""
        return _Proposals(self, ProposalStore(self.store), find_images(self.images, data))


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskTargets:
    """Objects that people outlined.

    Parameters
    ----------
    dataset, dataset_settings
        As for `fewclicks.datasets.registry.open_dataset`.
    folder
        Of the data set ``folder``: a path, or a name below the folder of data sets.
    fraction
        Of the pictures, the first names of the list, rounded, at least one; in (0, 1].
    merge_probability
        That two objects of a picture count as one.
    share
        Of all targets, beside those of other sources.

    References
    ----------
    .. [1] MIS, Table 3, for the fractions; arXiv:2102.06583 for objects that are merged.
    """

    kind: ClassVar[str] = "masks"
    dataset: str
    dataset_settings: Mapping[str, Any] = field(default_factory=dict)
    folder: str | None = None
    fraction: float = 1.0
    merge_probability: float = 0.15
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise InputError(f"fraction is {self.fraction}; needs a number above 0, at most 1.")
        if not 0 <= self.merge_probability <= 1:
            raise InputError(f"merge_probability is {self.merge_probability}; needs 0 to 1.")
        check_shares(self.share)

    def open(self, data: str | None) -> TargetSource:
        """Find the data set."""
        return _Masks(self, data)


@dataclass(frozen=True, kw_only=True, slots=True)
class RectangleTargets:
    """Random rectangles, which know nothing of the picture.

    Parameters
    ----------
    images
        Folder of pictures, or the name of a data set's folder.
    least_area
        Share of the picture under which a rectangle is drawn again.
    share
        Of all targets, beside those of other sources.
    """

    kind: ClassVar[str] = "rectangles"
    images: str
    least_area: float = LEAST_AREA
    share: float = 1.0

    def __post_init__(self) -> None:
        check_shares(self.share, self.least_area)

    def open(self, data: str | None) -> TargetSource:
        """Find the pictures."""
        return _Drawn(find_images(self.images, data), self._draw)

    def _draw(self, image: RgbImage, chance: np.random.Generator) -> BoolMask:
        height, width = image.shape[:2]
        while True:
            top, bottom = np.sort(chance.integers(0, height + 1, 2))
            left, right = np.sort(chance.integers(0, width + 1, 2))
            area = (bottom - top) * (right - left)
            if self.least_area <= area / (height * width) < 1 and area:
                mask = np.zeros((height, width), dtype=bool)
                mask[top:bottom, left:right] = True
                return mask


@dataclass(frozen=True, kw_only=True, slots=True)
class SuperpixelTargets:
    """Patches of nearly one colour, which know the picture but no object.

    Parameters
    ----------
    images
        Folder of pictures, or the name of a data set's folder.
    count
        Of superpixels in a picture, at least 2.
    least_area
        Share of the picture under which a superpixel is not taken, where there is a larger one.
    share
        Of all targets, beside those of other sources.
    """

    kind: ClassVar[str] = "superpixels"
    images: str
    count: int = 10
    least_area: float = LEAST_AREA
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.count < 2:
            raise InputError(f"count is {self.count}; needs 2 superpixels or more.")
        check_shares(self.share, self.least_area)

    def open(self, data: str | None) -> TargetSource:
        """Find the pictures."""
        return _Drawn(find_images(self.images, data), self._draw)

    def _draw(self, image: RgbImage, chance: np.random.Generator) -> BoolMask:
        from fewclicks.methods.energy.superpixels import find_superpixels

        lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        found = find_superpixels(np.asarray(lab, dtype=np.float32), count=self.count)
        enough = np.flatnonzero(found.areas >= self.least_area * found.labels.size)
        labels = enough if enough.size else np.array([found.areas.argmax()])
        return np.asarray(found.labels == labels[chance.integers(labels.size)])


TargetSettings: TypeAlias = (
    ProposalTargets | MaskTargets | RectangleTargets | SuperpixelTargets | PartTargets | KindTargets
)
TARGET_KINDS: Final[Mapping[str, type[TargetSettings]]] = {
    each.kind: each for each in get_args(TargetSettings)
}


def find_images(images: str, data: str | None) -> Path:
    """Find a folder of pictures: the one that is named, or the data set's below `data`.

    Raises
    ------
    StorageError
        If there is none.
    """
    named = Path(images).expanduser()
    below = [] if data is None else [Path(data) / images / "images", Path(data) / images]
    for folder in (*below, named):
        if folder.is_dir():
            inner = folder / "images"
            return inner if inner.is_dir() else folder
    raise StorageError(
        f"There is no folder of pictures '{images}'; needs a path, or a name below --data "
        f"({data or 'not given'})."
    )


class _Proposals:
    def __init__(self, settings: ProposalTargets, store: ProposalStore, folder: Path) -> None:
        self._settings, self._store, self._folder = settings, store, folder

    @cached_property
    def pictures(self) -> Sequence[str]:
        return self._store.images

    def draw(self, picture: str, chance: np.random.Generator) -> Target | None:
        settings = self._settings
        region = self._store.sample_region(
            picture,
            chance,
            alpha=settings.alpha,
            scheme=settings.scheme,
            least_area=settings.least_area,
        )
        if not region.any():
            return None
        image = read_image(self._folder / picture)
        height, width = image.shape[:2]
        label = self._store.label(picture)
        if (height, width) != (label.height, label.width):
            raise ShapeError(
                f"{self._folder / picture} has {height} x {width} pixels; {self._store.path} was "
                f"made of one with {label.height} x {label.width}; choose the folder it came from."
            )
        return Target(image=image, parts=(resize_mask(region, height=height, width=width),))


class _Masks:
    def __init__(self, settings: MaskTargets, data: str | None) -> None:
        self._settings = settings
        self._dataset = open_below(
            data, settings.dataset, settings.folder, settings.dataset_settings
        )

    @cached_property
    def pictures(self) -> Sequence[str]:
        pictures = self._dataset.pictures
        return pictures[: max(1, round(self._settings.fraction * len(pictures)))]

    def draw(self, picture: str, chance: np.random.Generator) -> Target | None:
        samples = list(sharing_pixels(self._dataset.samples(picture)))
        if not samples:
            return None
        order = chance.permutation(len(samples))
        count = 1 + int(len(samples) > 1 and chance.random() < self._settings.merge_probability)
        chosen = [samples[int(k)] for k in order[:count]]
        rest = [samples[int(k)].object_mask for k in order[count:]]
        return Target(
            image=chosen[0].image,
            parts=tuple(each.object_mask for each in chosen),
            others=np.logical_or.reduce(rest) if rest else None,
            void=_void(chosen),
        )


def _void(samples: Sequence[Sample]) -> BoolMask | None:
    void = [each.void_mask for each in samples if each.void_mask is not None]
    return np.logical_and.reduce(void) if len(void) == len(samples) else None


_Draw: TypeAlias = Callable[[RgbImage, np.random.Generator], BoolMask]


class _Drawn:
    """Targets that are drawn on any picture."""

    def __init__(self, folder: Path, draw: _Draw) -> None:
        self._folder, self._draw = folder, draw

    @cached_property
    def pictures(self) -> Sequence[str]:
        return list_pictures(self._folder)

    def draw(self, picture: str, chance: np.random.Generator) -> Target | None:
        image = read_image(self._folder / picture)
        return Target(image=image, parts=(self._draw(image, chance),))
