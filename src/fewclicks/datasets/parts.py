"""Parts: one object of one picture, and the parts it is made of, by name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Protocol, runtime_checkable

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Dataset, Masks, Sample
from fewclicks.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class PartMasks:
    """What a data set knows about the parts of one object.

    Parameters
    ----------
    parts
        By name, (H, W) each; parts of equal name (two wheels) are one. They may overlap.
    void_mask : (H, W), optional
        True on pixels that the data set leaves unjudged.
    """

    parts: Mapping[str, BoolMask]
    void_mask: BoolMask | None = None


@dataclass(frozen=True, kw_only=True)
class PartedObject:
    """One object with named parts; pixels are read when first asked for, and kept.

    Parameters
    ----------
    id
        Names the object within its data set.
    picture
        Names the picture; objects of one picture share it.
    category
        Its class; objects of one class can stand for each other as references.
    parts
        Names of the parts that it shows, sorted; known before any pixel is read.
    load_image, load_masks
        Read the pixels; ``load_masks`` is told the picture's (height, width).
    """

    id: str
    picture: str
    category: str
    parts: tuple[str, ...]
    load_image: Callable[[], RgbImage]
    load_masks: Callable[[tuple[int, int]], PartMasks]

    @cached_property
    def image(self) -> RgbImage:
        """(H, W, 3) The picture."""
        return self.load_image()

    @cached_property
    def masks(self) -> Mapping[str, BoolMask]:
        """By part, (H, W) each; every part of `parts` has a pixel."""
        masks = self._loaded.parts
        empty = [name for name in self.parts if name not in masks or not masks[name].any()]
        if empty:
            raise InputError(
                f"Object '{self.id}' has no pixel of its part '{empty[0]}'; needs masks for all "
                "parts that it is said to have."
            )
        return masks

    @property
    def void_mask(self) -> BoolMask | None:
        """(H, W) True on pixels that are neither clicked nor judged."""
        return self._loaded.void_mask

    def mask(self, parts: Collection[str]) -> BoolMask:
        """(H, W) True on any of these parts; a new array."""
        shape = self.image.shape[:2]
        chosen = [self.masks[name] for name in parts]
        return np.asarray(np.logical_or.reduce([np.zeros(shape, dtype=bool), *chosen]))

    def rest(self, parts: Collection[str]) -> BoolMask:
        """(H, W) True on the other parts where they are not these; a new array."""
        others = [name for name in self.parts if name not in parts]
        return self.mask(others) & ~self.mask(parts)

    @cached_property
    def _loaded(self) -> PartMasks:
        height, width = self.image.shape[:2]
        return self.load_masks((height, width))


def part_sample(of: PartedObject, parts: Collection[str], *, name: str) -> Sample:
    """Give some parts of an object as one target."""
    return Sample(
        id=name,
        picture=of.picture,
        load_image=partial(_image, of),
        load_masks=partial(_masks, of, tuple(parts)),
    )


def _image(of: PartedObject) -> RgbImage:
    return of.image


def _masks(of: PartedObject, parts: tuple[str, ...], _shape: tuple[int, int]) -> Masks:
    mask, void = of.mask(parts), of.void_mask
    return Masks(object_mask=mask, void_mask=None if void is None else void & ~mask)


@runtime_checkable
class PartedDataset(Dataset, Protocol):
    """A data set whose objects have parts."""

    def parted(self, picture: str) -> list[PartedObject]:
        """Objects of one picture with a part or more, in a fixed order, made anew on each call."""
        ...


class Partners:
    """Which objects of a data set can stand as references for which.

    Objects are given anew, so that no pixels are kept.

    Parameters
    ----------
    dataset
        Is looked through once, without its pictures.
    """

    def __init__(self, dataset: PartedDataset) -> None:
        self._of: dict[str, list[PartedObject]] = {}
        for picture in dataset.pictures:
            for each in dataset.parted(picture):
                self._of.setdefault(each.category, []).append(each)

    def having(self, category: str, parts: Collection[str]) -> list[PartedObject]:
        """Objects of a class that have all these parts, in the order of their files."""
        return [replace(each) for each in self._of.get(category, []) if _has(each, parts)]

    def after(self, target: PartedObject, parts: Collection[str]) -> PartedObject | None:
        """Give the reference of a target: the next file's object of its class with these parts.

        Files are in lexicographic order, after the last comes the first again; in a file with
        several such objects it is the first. None where no other file has one.

        References
        ----------
        .. [1] RefCut, section 3.3 (arXiv:2503.17820); going round is ours.
        """
        candidates = self._of.get(target.category, [])
        begin = bisect_right(candidates, target.picture, key=lambda each: each.picture)
        for each in chain(candidates[begin:], candidates[:begin]):
            if each.picture != target.picture and _has(each, parts):
                return replace(each)
        return None


def _has(candidate: PartedObject, parts: Collection[str]) -> bool:
    return all(part in candidate.parts for part in parts)
