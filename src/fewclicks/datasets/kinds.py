"""Kinds: several objects of one category in one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, Protocol, runtime_checkable

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Dataset, Masks, Sample
from fewclicks.errors import InputError

LEAST_OBJECTS: Final = 2
"""That make a kind: one to show, and one to find."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KindMasks:
    """What a data set knows about the objects of one kind.

    Parameters
    ----------
    objects
        (H, W) each. They may overlap.
    void_mask : (H, W), optional
        True on pixels that the data set leaves unjudged.
    small_mask : (H, W), optional
        True on objects of the kind that are too small to count: neither asked for nor wrong.
    """

    objects: tuple[BoolMask, ...]
    void_mask: BoolMask | None = None
    small_mask: BoolMask | None = None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """All objects of one category in one picture; pixels are read when first asked for, and kept.

    Parameters
    ----------
    id
        Names the kind within its data set: ``picture:category``.
    picture, category
        Where, and what.
    names
        Of the objects, in a fixed order; at least two.
    load_image, load_masks
        Read the pixels; ``load_masks`` is told the picture's (height, width).
    exemplar_is_asked
        Whether an exemplar that is given still belongs to what is asked for, or only the others.
    """

    id: str
    picture: str
    category: str
    names: tuple[str, ...]
    load_image: Callable[[], RgbImage]
    load_masks: Callable[[tuple[int, int]], KindMasks]
    exemplar_is_asked: bool = True

    @cached_property
    def image(self) -> RgbImage:
        """(H, W, 3) The picture."""
        return self.load_image()

    @property
    def masks(self) -> tuple[BoolMask, ...]:
        """(H, W) for each object, in the order of their names."""
        return self._loaded.objects

    @property
    def union(self) -> BoolMask:
        """(H, W) True on any of the objects; a new array."""
        return np.asarray(np.logical_or.reduce(self.masks))

    @property
    def void_mask(self) -> BoolMask | None:
        """(H, W) What is not judged where one object is asked for."""
        return self._loaded.void_mask

    @property
    def union_void_mask(self) -> BoolMask | None:
        """(H, W) What is not judged where all are asked for: small ones of the kind, too."""
        parts = (self._loaded.void_mask, self._loaded.small_mask)
        known = [part for part in parts if part is not None]
        return np.asarray(np.logical_or.reduce(known) & ~self.union) if known else None

    @cached_property
    def _loaded(self) -> KindMasks:
        height, width = self.image.shape[:2]
        masks = self.load_masks((height, width))
        empty = [
            name
            for name, mask in zip(self.names, masks.objects, strict=True)
            if not mask.any()
        ]  # fmt: skip
        if empty:
            raise InputError(f"Object '{empty[0]}' of '{self.id}' has no pixel in its mask.")
        return masks


def object_samples(kind: Kind) -> list[Sample]:
    """Give each object of a kind by itself, under its name."""
    return [
        Sample(
            id=name,
            picture=kind.picture,
            load_image=partial(_image, kind),
            load_masks=partial(_object_masks, kind, number),
        )
        for number, name in enumerate(kind.names)
    ]


def union_sample(kind: Kind, *, without: int | None = None) -> Sample:
    """Give all objects of a kind as one, or all but one, which then is not judged."""
    return Sample(
        id=kind.id,
        picture=kind.picture,
        load_image=partial(_image, kind),
        load_masks=partial(_union_masks, kind, without),
    )


def _image(kind: Kind) -> RgbImage:
    return kind.image


def _object_masks(kind: Kind, number: int, _shape: tuple[int, int]) -> Masks:
    mask, void = kind.masks[number], kind.void_mask
    return Masks(object_mask=mask, void_mask=None if void is None else void & ~mask)


def _union_masks(kind: Kind, without: int | None, _shape: tuple[int, int]) -> Masks:
    if without is None:
        return Masks(object_mask=kind.union, void_mask=kind.union_void_mask)
    masks, void = list(kind.masks), kind.union_void_mask
    given = masks.pop(without)
    asked = np.asarray(np.logical_or.reduce(masks) & ~given)
    return Masks(object_mask=asked, void_mask=given if void is None else given | (void & ~asked))


@runtime_checkable
class KindsDataset(Dataset, Protocol):
    """A data set whose pictures show several objects of one category."""

    def kinds(self, picture: str) -> list[Kind]:
        """Kinds of one picture, in a fixed order, made anew on each call; often none."""
        ...
