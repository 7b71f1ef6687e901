"""Look through a data set before a long run depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fewclicks.datasets.base import Dataset, Sample, sharing_pixels
from fewclicks.datasets.facts import Facts
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


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetCheck:
    """What a whole data set is good for.

    Parameters
    ----------
    pictures, objects, parted, kinds
        How many of each were found.
    problems
        One line for each.
    files
        That its pictures with an object are read from, in order.
    """

    pictures: int
    objects: int
    parted: int
    kinds: int
    problems: tuple[str, ...]
    files: tuple[Path, ...]

    def missing(self, facts: Facts) -> list[str]:
        """Name the numbers that are not those of the published data set, one line each."""
        expected = {"pictures": facts.pictures, "objects": facts.objects, "kinds": facts.kinds}
        found = {name: getattr(self, name) for name in expected}
        return [
            f"Expected {count} {name}, found {found[name]}."
            for name, count in expected.items()
            if count is not None and found[name] != count
        ]


def check_all(
    dataset: Dataset, watch: Callable[[PictureCheck], None] = lambda _: None
) -> DatasetCheck:
    """Read every picture and mask, and sum up; `watch` is told of each picture."""
    found: list[PictureCheck] = []
    files: list[Path] = []
    for each in check(dataset):
        watch(each)
        found.append(each)
        files += dataset.files(each.picture) if each.objects else []
    return DatasetCheck(
        pictures=len(found),
        objects=sum(each.objects for each in found),
        parted=sum(each.parted for each in found),
        kinds=sum(each.kinds for each in found),
        problems=tuple(problem for each in found for problem in each.problems),
        files=tuple(dict.fromkeys(files)),
    )


def check(dataset: Dataset) -> Iterator[PictureCheck]:
    """Read every picture and mask, and say what would stop a run."""
    for picture in dataset.pictures:
        problems: list[str] = []
        samples = _samples(dataset, picture, problems)
        yield PictureCheck(
            picture=picture,
            objects=sum(_tried(partial(_has_object, sample), problems) for sample in samples),
            parted=0 if problems else _tried(partial(_parted, dataset, picture), problems),
            kinds=0 if problems else _tried(partial(_kinds, dataset, picture), problems),
            problems=tuple(dict.fromkeys(problems)),
        )


def _has_object(sample: Sample) -> int:
    return int(sample.object_mask.any())


def _parted(dataset: Dataset, picture: str) -> int:
    if not isinstance(dataset, PartedDataset):
        return 0
    return sum(bool(each.masks) for each in dataset.parted(picture))


def _kinds(dataset: Dataset, picture: str) -> int:
    if not isinstance(dataset, KindsDataset):
        return 0
    return sum(bool(each.masks) for each in dataset.kinds(picture))


def _samples(dataset: Dataset, picture: str, problems: list[str]) -> Iterator[Sample]:
    try:
        yield from sharing_pixels(dataset.samples(picture))
    except FewclicksError as error:
        problems.append(str(error))


def _tried(count: Callable[[], int], problems: list[str]) -> int:
    try:
        return count()
    except FewclicksError as error:
        problems.append(str(error))
        return 0
