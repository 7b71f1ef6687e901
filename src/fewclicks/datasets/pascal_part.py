"""PASCAL-Part: objects of PASCAL VOC 2010 and their parts, in MATLAB files.

The release holds ``Annotations_Part/<stem>.mat``; VOC 2010 is put beside it, so that there are
``JPEGImages/<stem>.jpg`` and lists of stems below ``ImageSets``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.datasets.base import Sample
from fewclicks.datasets.layout import check_folder, read_names
from fewclicks.datasets.matlab import matlab_file
from fewclicks.datasets.parts import PartedObject, PartMasks, part_sample
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.reading import read_image

ANNOTATIONS: Final = "Annotations_Part"
_NUMBER: Final = re.compile(r"_\d+$")
_OR_ANOTHER: Final = ", or name another (taken, left_out; empty for none)"


@dataclass(frozen=True, kw_only=True, slots=True)
class PascalPartConfig:
    """Which pictures are taken.

    Parameters
    ----------
    taken
        List of stems, from the data set's folder; empty for all with annotations.
    left_out
        List of stems that are not, as SBD's training pictures; empty for none.
    """

    taken: str = "ImageSets/Main/val.txt"
    left_out: str = "sbd_train.txt"


class PascalPartDataset:
    """Objects of 20 classes, some with dozens of parts.

    Parts that differ in a number alone (``wheel_1``, ``wheel_2``) are one.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``Annotations_Part`` and ``JPEGImages``.
    config
        Which pictures are taken.

    Raises
    ------
    StorageError
        If a folder or a list is missing.
    InputError
        If a list leaves no picture.

    References
    ----------
    .. [1] Chen et al., "Detect What You Can", CVPR 2014; RefCut evaluates on VOC's validation
       pictures that SBD does not train on (arXiv:2503.17820, section 4.1).
    """

    config_type = PascalPartConfig

    def __init__(self, name: str, folder: Path, config: PascalPartConfig | None = None) -> None:
        self.name = name
        self.config = config or PascalPartConfig()
        self._folder = folder
        for part in (ANNOTATIONS, "JPEGImages"):
            check_folder(
                folder / part, f"{ANNOTATIONS}/<stem>.mat beside JPEGImages/<stem>.jpg of VOC 2010"
            )

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems of the pictures that are taken and have a part, sorted."""
        stems = {path.stem for path in (self._folder / ANNOTATIONS).glob("*.mat")}
        if self.config.taken:
            stems &= set(read_names(self._folder / self.config.taken, hint=_OR_ANOTHER))
        if self.config.left_out:
            stems -= set(read_names(self._folder / self.config.left_out, hint=_OR_ANOTHER))
        found = tuple(sorted(stem for stem in stems if self._objects(stem)))
        if not found:
            raise InputError(f"No picture of {self._folder} is left with parts; look at its lists.")
        return found

    def files(self, picture: str) -> list[Path]:
        """Name the picture and its annotations."""
        return [self._image(picture), self._annotation(picture)]

    def samples(self, picture: str) -> list[Sample]:
        """Give each object with parts as a whole: all its parts."""
        return [part_sample(each, each.parts, name=each.id) for each in self.parted(picture)]

    def parted(self, picture: str) -> list[PartedObject]:
        """Give objects with parts, called ``picture:number`` as in the file, from 1."""
        return [
            PartedObject(
                id=f"{picture}:{number}",
                picture=picture,
                category=category,
                parts=parts,
                load_image=partial(read_image, self._image(picture)),
                load_masks=partial(_masks, self._annotation(picture), number),
            )
            for number, category, parts in self._objects(picture)
        ]

    def _objects(self, picture: str) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
        if picture not in self._known:
            objects = _read(self._annotation(picture))
            self._known[picture] = tuple(
                (number, each["class"], tuple(sorted(_parts(each))))
                for number, each in enumerate(objects, start=1)
                if _parts(each)
            )
        return self._known[picture]

    @cached_property
    def _known(self) -> dict[str, tuple[tuple[int, str, tuple[str, ...]], ...]]:
        return {}

    def _image(self, picture: str) -> Path:
        return self._folder / "JPEGImages" / f"{picture}.jpg"

    def _annotation(self, picture: str) -> Path:
        return self._folder / ANNOTATIONS / f"{picture}.mat"


def _read(path: Path) -> list[Mapping[str, Any]]:
    """Read the objects of one picture: ``class`` and ``parts``, each with a name and a mask."""
    with matlab_file(path, "annotation of PASCAL-Part") as content:
        objects = _listed(content["anno"]["objects"])
        return [{"class": str(each["class"]), "parts": _listed(each["parts"])} for each in objects]


def _listed(value: Any) -> list[Mapping[str, Any]]:
    """Give what MATLAB has one of, none of or several of, as a list."""
    if isinstance(value, Mapping):
        return [value]
    return [each for each in np.atleast_1d(value) if isinstance(each, Mapping)]


def _parts(of: Mapping[str, Any]) -> dict[str, BoolMask]:
    """Unite parts of one name; those without a pixel are left out."""
    parts: dict[str, BoolMask] = {}
    for part in _with_pixels(of["parts"]):
        name, mask = _NUMBER.sub("", str(part["part_name"])), part["mask"].astype(bool)
        parts[name] = parts[name] | mask if name in parts else mask
    return parts


def _with_pixels(parts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [part for part in parts if part["mask"].any()]


def _masks(path: Path, number: int, shape: tuple[int, int]) -> PartMasks:
    parts = _parts(_read(path)[number - 1])
    for name, mask in parts.items():
        if mask.shape != shape:
            raise ShapeError.differs(
                f"Part '{name}' of {path}", mask.shape, needed=shape, of="its picture"
            )
    return PartMasks(parts=parts)
