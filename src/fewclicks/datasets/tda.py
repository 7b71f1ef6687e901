"""TDA: things that come apart (PD), and things that are held together (OD), five pictures of each.

Read from ``TDA-PD/<category>/`` and ``TDA-OD/<category>/``, with ``<stem>.jpg`` (or another
ending of a picture) beside ``<stem>.png``, a label map in which 0 is background and a number means
the same part in all pictures of a category. The paper says that parts are tagged alike, and how
many pictures there are; names, folders and numbers are ours. Data that lies otherwise is best
brought into this form, or that of `fewclicks.datasets.instances`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import numpy as np

from fewclicks.datasets.base import Sample
from fewclicks.datasets.layout import check_folder, found_in
from fewclicks.datasets.parts import PartedObject, PartMasks, part_sample
from fewclicks.errors import InputError
from fewclicks.images.reading import read_image, read_label_map

SUBSETS: Final = {"pd": ("TDA-PD",), "od": ("TDA-OD",), "both": ("TDA-PD", "TDA-OD")}
_PICTURES: Final = (".jpg", ".jpeg", ".webp", ".bmp")  # .png is a label map


@dataclass(frozen=True, kw_only=True, slots=True)
class TdaConfig:
    """Which of its two sets, and how labels are read.

    Parameters
    ----------
    subset
        ``"pd"`` (50 things of parts), ``"od"`` (30 combinations of things) or ``"both"``.
    void
        Label of unjudged pixels; -1 for none.
    """

    subset: str = "both"
    void: int = -1

    def __post_init__(self) -> None:
        if self.subset not in SUBSETS:
            raise InputError(f"subset is '{self.subset}'; needs {', '.join(map(repr, SUBSETS))}.")


class TdaDataset:
    """One object, or one combination of objects, on each picture.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``TDA-PD`` and ``TDA-OD``.
    config
        Which of its two sets, and how labels are read.

    Raises
    ------
    StorageError
        If a set's folder is missing.
    InputError
        If a set has no picture, or a picture has no label map.

    References
    ----------
    .. [1] RefCut, section 3.4 (arXiv:2503.17820).
    """

    config_type = TdaConfig

    def __init__(self, name: str, folder: Path, config: TdaConfig | None = None) -> None:
        self.name = name
        self.config = config or TdaConfig()
        self._images: dict[str, Path] = {}
        for subset in SUBSETS[self.config.subset]:
            check_folder(folder / subset, _needed(folder, subset))
            self._images |= _find_pictures(folder, subset)
        missing = [path for path in self._images.values() if not path.with_suffix(".png").is_file()]
        if missing:
            raise InputError(
                f"{len(missing)} pictures have no label map, the first is {missing[0]}; needs "
                f"{missing[0].with_suffix('.png').name} beside it."
            )

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """``set/category/stem``, sorted."""
        return tuple(sorted(self._images))

    def files(self, picture: str) -> list[Path]:
        """Name the picture and its label map."""
        return [self._images[picture], self._images[picture].with_suffix(".png")]

    def samples(self, picture: str) -> list[Sample]:
        """Give the whole: all its parts."""
        return [part_sample(each, each.parts, name=each.id) for each in self.parted(picture)]

    def parted(self, picture: str) -> list[PartedObject]:
        """Give the one object, called as its picture; parts are called by their labels."""
        image, labels = self.files(picture)
        found = self._labels(picture, labels)
        return [
            PartedObject(
                id=picture,
                picture=picture,
                category=picture.rpartition("/")[0],
                parts=tuple(sorted(map(str, found))),
                load_image=partial(read_image, image),
                load_masks=partial(_masks, labels, found, self.config.void),
            )
        ]

    def _labels(self, picture: str, path: Path) -> list[int]:
        if picture not in self._known:
            labels = np.unique(read_label_map(path)).tolist()
            self._known[picture] = [each for each in labels if each not in (0, self.config.void)]
            if not self._known[picture]:
                raise InputError(f"{path} labels no pixel; needs a part or more.")
        return self._known[picture]

    @cached_property
    def _known(self) -> dict[str, list[int]]:
        return {}


def _needed(folder: Path, subset: str) -> str:
    """Say how a set lies, and what to ask for where only the other is there."""
    for name, sets in SUBSETS.items():
        if subset not in sets and (folder / sets[0]).is_dir():
            return f"{_layout(subset)}, or subset={name} for {sets[0]} alone"
    return _layout(subset)


def _layout(subset: str) -> str:
    return f"{subset}/<category>/<stem>.jpg beside <stem>.png"


def _find_pictures(folder: Path, subset: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted((folder / subset).glob("*/*")):
        if path.suffix.lower() not in _PICTURES or path.name.startswith("."):
            continue
        name = f"{subset}/{path.parent.name}/{path.stem}"
        if name in found:
            raise InputError(
                f"{path.parent} has both {found[name].name} and {path.name}; needs one picture for "
                "each stem."
            )
        found[name] = path
    if not found:
        raise InputError(
            f"{folder / subset} has no picture in a folder of its category; needs "
            f"{_layout(subset)}; found {found_in(folder / subset)}."
        )
    return found


def _masks(path: Path, found: list[int], void: int, shape: tuple[int, int]) -> PartMasks:
    labels = read_label_map(path, shape=shape)
    unjudged = labels == void
    return PartMasks(
        parts={str(label): np.asarray(labels == label) for label in found},
        void_mask=unjudged if unjudged.any() else None,
    )
