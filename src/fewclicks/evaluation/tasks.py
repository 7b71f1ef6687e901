"""Tasks: which targets a plan chooses, picture by picture, and the checksum of what they read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, get_args

from fewclicks.datasets.base import Dataset
from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.protocols.opening import open_targets
from fewclicks.evaluation.protocols.target import Combination, Target, TargetSource
from fewclicks.files import sha256_of
from fewclicks.images.depth_files import DepthFiles

_COMBINATIONS: Final[tuple[Combination, ...]] = get_args(Combination)


@dataclass(frozen=True, slots=True)
class PictureTask:
    """Targets of one picture that are to be clicked, by their ids."""

    picture: str
    objects: tuple[str, ...]

    def without(self, done: frozenset[str]) -> PictureTask:
        """Leave out what is done."""
        return PictureTask(self.picture, tuple(id_ for id_ in self.objects if id_ not in done))


@dataclass(frozen=True, kw_only=True, slots=True)
class Tasks:
    """What is to be clicked.

    Parameters
    ----------
    pictures
        In the data set's order.
    skipped
        Targets of these pictures that cannot be asked for, for want of a reference.
    files
        That they are read from.
    """

    pictures: tuple[PictureTask, ...]
    skipped: int
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subset:
    """A choice among pictures and targets.

    Parameters
    ----------
    text
        Words, with commas between: ``even`` or ``odd`` (index, from 0, of the sorted pictures
        that the other words leave), ``single``, ``pair`` or ``whole`` (combinations of parts), a
        pattern of stems (``train_*``), or a file with one picture's name on each line.

    Attributes
    ----------
    combinations
        Those that the text names; none chooses all.
    """

    text: str
    combinations: frozenset[Combination] = field(init=False)

    def __post_init__(self) -> None:
        found = frozenset(each for each in _COMBINATIONS if each in self._words)
        object.__setattr__(self, "combinations", found)

    @property
    def _words(self) -> list[str]:
        return [word.strip() for word in self.text.split(",")]

    def pictures(self, pictures: Sequence[str]) -> Sequence[str]:
        """Choose among pictures.

        Raises
        ------
        InputError
            If a word names pictures that do not exist.
        StorageError
            If a file cannot be read.
        """
        parity = [word for word in self._words if word in ("even", "odd")]
        for word in self._words:
            if word not in parity and word not in _COMBINATIONS:
                pictures = _named(word, pictures)
        for word in parity:
            pictures = pictures[word == "odd" :: 2]
        return pictures

    def takes(self, combination: Combination | None) -> bool:
        """Whether targets of a combination are chosen."""
        return not self.combinations or combination in self.combinations


def list_tasks(plan: Plan, dataset: Dataset) -> list[PictureTask]:
    """Choose pictures and targets as the plan asks, in the data set's order.

    Raises
    ------
    InputError
        If no target is left, or the subset names pictures that do not exist.
    StorageError
        If the subset's file cannot be read.
    """
    return list(choose_tasks(plan, open_targets(plan, dataset)).pictures)


def choose_tasks(plan: Plan, source: TargetSource) -> Tasks:
    """Choose as `list_tasks` does, and say what was skipped and which files are read."""
    tasks: list[PictureTask] = []
    files: list[Path] = []
    left, skipped = plan.limit, 0
    subset = Subset(text=plan.subset or "*")
    for picture in subset.pictures(source.pictures):
        if left == 0:
            break
        targets = [each for each in source.targets(picture) if subset.takes(each.combination)]
        targets = _first(targets, left)
        skipped += sum(subset.takes(each) for each in source.skipped(picture))
        if targets:
            tasks.append(PictureTask(picture, tuple(target.sample.id for target in targets)))
            files += source.files(picture)
            own = sum(target.part_of is None for target in targets)
            left = None if left is None else left - own
    if not tasks:
        raise InputError(f"Data set '{plan.dataset}' has no object to click under this choice.")
    return Tasks(pictures=tuple(tasks), skipped=skipped, files=tuple(dict.fromkeys(files)))


def checksum(paths: Iterable[Path]) -> str:
    """Sum up the files that are read, so that two results can be told to share their data.

    Returns
    -------
    str
        SHA-256, in hexadecimal, over each file's folder, name and content.

    Raises
    ------
    StorageError
        If one cannot be read.
    """
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.parent.name}/{path.name}\0".encode())
        total.update(bytes.fromhex(sha256_of(path)))
    return total.hexdigest()


def depth_checksum(files: DepthFiles, pictures: Sequence[str]) -> str:
    """Sum up the depth of pictures as `checksum` does.

    Raises
    ------
    StorageError
        If a picture has none.
    """
    return checksum([files.find(picture) for picture in pictures])


def _first(targets: list[Target], count: int | None) -> list[Target]:
    """Keep so many targets, with those that belong to them."""
    if count is None:
        return targets
    kept = [target.sample.id for target in targets if target.part_of is None][:count]
    return [target for target in targets if (target.part_of or target.sample.id) in kept]


def _named(word: str, pictures: Sequence[str]) -> Sequence[str]:
    if any(sign in word for sign in "*?["):
        chosen = [picture for picture in pictures if fnmatchcase(picture, word)]
        if not chosen and pictures:
            raise InputError(f"Subset '{word}' fits no picture of the data set.")
        return chosen
    try:
        lines = Path(word).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"Cannot read subset '{word}': needs 'even', 'odd', single, pair or whole, a pattern "
            "such as 'train_*', or a text file with one picture's name on each line."
        ) from error
    wanted = {line.strip() for line in lines} - {""}
    unknown = sorted(wanted - set(pictures))
    if unknown:
        raise InputError(
            f"Subset {word} names {len(unknown)} pictures that the data set does not have, the "
            f"first is '{unknown[0]}'; needs file names without their endings."
        )
    return [picture for picture in pictures if picture in wanted]
