"""Look through a data set before a long run depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fewclicks.datasets.base import Dataset, sharing_pixels
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
    """

    picture: str
    objects: int
    problems: tuple[str, ...]


def check(dataset: Dataset) -> Iterator[PictureCheck]:
    """Read every picture and mask, and say what would stop a run."""
    for picture in dataset.pictures:
        objects = 0
        problems: list[str] = []
        try:
            for sample in sharing_pixels(dataset.samples(picture)):
                objects += bool(sample.object_mask.any())
        except FewclicksError as error:
            problems.append(str(error))
        yield PictureCheck(picture=picture, objects=objects, problems=tuple(problems))
