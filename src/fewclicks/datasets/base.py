"""Sample: one object of one picture. Dataset: pictures in a fixed order, each with its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Masks:
    """What a data set knows about one object.

    Parameters
    ----------
    object_mask : (H, W)
        True on the object.
    void_mask : (H, W), optional
        True on pixels that the data set leaves unjudged.
    """

    object_mask: BoolMask
    void_mask: BoolMask | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One object of one picture; pixels are read when first asked for, and kept.

    Parameters
    ----------
    id
        Names the object within its data set.
    picture
        Names the picture; objects of one picture share it.
    load_image, load_masks
        Read the pixels; ``load_masks`` is told the picture's (height, width).
    """

    id: str
    picture: str
    load_image: Callable[[], RgbImage]
    load_masks: Callable[[tuple[int, int]], Masks]

    @cached_property
    def image(self) -> RgbImage:
        """(H, W, 3) The picture."""
        return self.load_image()

    @cached_property
    def _masks(self) -> Masks:
        height, width = self.image.shape[:2]
        masks = self.load_masks((height, width))
        if not masks.object_mask.any():
            raise InputError(
                f"Sample '{self.id}' has no object: no pixel of its mask belongs to one. "
                "Leave the picture out, or say which mask values are the object."
            )
        return masks

    @property
    def object_mask(self) -> BoolMask:
        """(H, W) True on the object."""
        return self._masks.object_mask

    @property
    def void_mask(self) -> BoolMask | None:
        """(H, W) True on pixels that are neither clicked nor judged."""
        return self._masks.void_mask


class Dataset(Protocol):
    """Pictures by name, in an order that never changes, and the objects of each.

    Samples are made anew on each call, so a data set keeps no pixels.
    """

    name: str

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the pictures, sorted."""
        ...

    def samples(self, picture: str) -> list[Sample]:
        """Objects of one picture, in a fixed order."""
        ...

    def files(self, picture: str) -> list[Path]:
        """Files that one picture's samples are read from."""
        ...


def check_min_area(min_area: float, *, least: int) -> None:
    """Refuse a smallest area of objects that no object has.

    Raises
    ------
    InputError
        If it is below ``least``, in pixels.
    """
    if not min_area >= least:
        raise InputError(f"min_area is {min_area}; needs a number of pixels, {least} or more.")


def all_samples(dataset: Dataset) -> Iterator[Sample]:
    """Every object of a data set, picture by picture; objects of one picture share its pixels."""
    for picture in dataset.pictures:
        yield from sharing_pixels(dataset.samples(picture))


def sharing_pixels(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Give the objects of one picture its pixels, which are read once.

    The samples that are given out are new, so that no more than one object's masks are held.
    """
    image = None
    for sample in samples:
        shared = replace(sample)
        image = shared.image if image is None else image
        shared.__dict__["image"] = image
        yield shared
