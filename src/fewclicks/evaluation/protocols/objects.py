"""Objects of a data set, one by one: the protocol of most tables."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Final

from fewclicks.datasets.base import Dataset
from fewclicks.errors import StorageError
from fewclicks.evaluation.protocols.target import (
    Beginning,
    Combination,
    Opening,
    Target,
    TargetSource,
)
from fewclicks.images.reading import read_mask

MIDDLE: Final = 127
"""A mask's file is brighter on the object."""


class ObjectTargets:
    """Each object of a data set by itself."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the pictures, sorted."""
        return self._dataset.pictures

    def targets(self, picture: str) -> list[Target]:
        """Objects in the data set's order."""
        return [Target(sample=sample) for sample in self._dataset.samples(picture)]

    def skipped(self, _picture: str) -> list[Combination]:
        """Nothing is."""
        return []

    def files(self, picture: str) -> list[Path]:
        """Name the picture's own files."""
        return self._dataset.files(picture)


class WithInitialMasks:
    """Targets of another protocol, each with a mask to correct: "initial mask, then clicks".

    Parameters
    ----------
    source
        Of the targets.
    folder
        Holds ``<target>.png`` for each, brighter than 127 on the object. In its name what is no
        letter, digit, ``_``, ``-``, ``+`` or ``.`` becomes ``_``: ``car1_wheel.png`` for target
        ``car1:wheel``.

    Raises
    ------
    StorageError
        If there is no such folder.
    """

    def __init__(self, source: TargetSource, folder: Path) -> None:
        if not folder.is_dir():
            raise StorageError(f"There is no folder {folder}; needs a mask for each target.")
        self._source = source
        self._folder = folder

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the pictures, sorted."""
        return self._source.pictures

    def targets(self, picture: str) -> list[Target]:
        """Targets that begin with their masks."""
        return [
            Target(
                sample=target.sample,
                begin=partial(_begin_with, self.path_of(target)),
                combination=target.combination,
                part_of=target.part_of,
                objects=target.objects,
            )
            for target in self._source.targets(picture)
        ]

    def skipped(self, picture: str) -> list[Combination]:
        """Give what is skipped without masks, too."""
        return self._source.skipped(picture)

    def files(self, picture: str) -> list[Path]:
        """Name the masks as well."""
        masks = [self.path_of(target) for target in self._source.targets(picture)]
        return [*self._source.files(picture), *masks]

    def path_of(self, target: Target) -> Path:
        """Name the file of a target's mask."""
        return self._folder / f"{file_name(target.sample.id)}.png"


def file_name(target: str) -> str:
    """Write a target's id so that it can name a file."""
    return re.sub(r"[^\w.+-]", "_", target)


def _begin_with(path: Path, opening: Opening) -> Beginning:
    mask = read_mask(path, shape=opening.prepared.shape, threshold=MIDDLE)
    return Beginning(session=opening.session(initial_mask=mask))
