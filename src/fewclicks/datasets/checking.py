"""Look through a data set before a long run depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fewclicks.datasets.base import Dataset, sharing_pixels
from fewclicks.datasets.kinds import KindsDataset
from fewclicks.datasets.parts import PartedDataset
from fewclicks.errors import FewclicksError


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureCheck:
    """What one picture is good for.

    Parameters
    ----------
    picture
        Its name.
    objects
        How many can be clicked.
    problems
        One line for each; none where all is well.
    parted
        Objects whose parts can be asked for.
    kinds
        Categories of which several objects can be.
    """

    picture: str
    objects: int
    problems: tuple[str, ...]
    parted: int = 0
    kinds: int = 0


def check(dataset: Dataset) -> Iterator[PictureCheck]:
    """Read every picture and mask, and say what would stop a run."""
    for picture in dataset.pictures:
        objects = parted = kinds = 0
        problems: list[str] = []
        try:
            for sample in sharing_pixels(dataset.samples(picture)):
                objects += bool(sample.object_mask.any())
            if isinstance(dataset, PartedDataset):
                parted = sum(bool(each.masks) for each in dataset.parted(picture))
            if isinstance(dataset, KindsDataset):
                kinds = sum(bool(each.masks) for each in dataset.kinds(picture))
        except FewclicksError as error:
            problems.append(str(error))
        yield PictureCheck(
            picture=picture,
            objects=objects,
            problems=tuple(problems),
            parted=parted,
            kinds=kinds,
        )
