"""PartImageNet: pictures of ImageNet, one object each, with its parts in COCO's form.

The release holds ``images/<split>/nXXXXXXXX_N.JPEG``, ``annotations/<split>/<split>.json`` and
beside it label maps, ``nXXXXXXXX_N.png``, in which the number of a part is its category's id and
40 is background. Categories are called "Quadruped Head"; the class of the object is the synset
that its file's name begins with (158 of them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.datasets.base import Sample
from fewclicks.datasets.coco_file import CocoFile, draw
from fewclicks.datasets.layout import check_folder
from fewclicks.datasets.parts import PartedObject, PartMasks, part_sample
from fewclicks.errors import InputError
from fewclicks.images.reading import read_label_map


@dataclass(frozen=True, kw_only=True, slots=True)
class PartImageNetConfig:
    """Which part of it, and which of its two forms.

    Parameters
    ----------
    split
        ``"train"``, ``"val"`` or ``"test"``.
    masks
        ``"json"`` draws the polygons, ``"png"`` reads the label maps.
    """

    split: str = "test"
    masks: str = "json"

    def __post_init__(self) -> None:
        if self.masks not in ("json", "png"):
            raise InputError(f"masks is '{self.masks}'; needs 'json' or 'png'.")


class PartImageNetDataset:
    """Objects with 2 to 5 kinds of parts.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``images`` and ``annotations``.
    config
        Which part of it, and which of its two forms.

    Raises
    ------
    StorageError
        If the annotations, or the pictures of the split, are not there.
    InputError
        If the annotations are none.

    References
    ----------
    .. [1] He et al., "PartImageNet", ECCV 2022 (arXiv:2112.00933).
    """

    config_type = PartImageNetConfig

    def __init__(self, name: str, folder: Path, config: PartImageNetConfig | None = None) -> None:
        self.name = name
        self.config = config or PartImageNetConfig()
        split = self.config.split
        self._images = folder / "images" / split
        self._annotations = folder / "annotations" / split
        check_folder(self._images, f"images/{split}/*.JPEG beside annotations/{split}/{split}.json")
        self._file = CocoFile(self._annotations / f"{split}.json")

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems of the pictures that have a part, sorted."""
        return tuple(sorted(self._file.stems))

    def files(self, picture: str) -> list[Path]:
        """Name the picture and the annotations, or its label map."""
        if self.config.masks == "png":
            return [self._path(picture), self._annotations / f"{picture}.png"]
        return [self._path(picture), self._file.path]

    def samples(self, picture: str) -> list[Sample]:
        """Give the object as a whole: all its parts."""
        return [part_sample(each, each.parts, name=each.id) for each in self.parted(picture)]

    def parted(self, picture: str) -> list[PartedObject]:
        """Give the one object, called as its picture."""
        parts: dict[str, list[Mapping[str, Any]]] = {}
        for annotation in self._file.annotations(picture):
            parts.setdefault(self._part(annotation), []).append(annotation)
        load_masks = partial(_drawn, self._file.path, parts)
        if self.config.masks == "png":
            numbers = {name: annotations[0]["category_id"] for name, annotations in parts.items()}
            load_masks = partial(_read, self._annotations / f"{picture}.png", numbers)
        return [
            PartedObject(
                id=picture,
                picture=picture,
                category=picture.partition("_")[0],
                parts=tuple(sorted(parts)),
                load_image=self._file.loader(picture, self._path(picture)),
                load_masks=load_masks,
            )
        ]

    def _part(self, annotation: Mapping[str, Any]) -> str:
        category = self._file.category(annotation)
        return str(category["name"]).removeprefix(str(category.get("supercategory", ""))).strip()

    def _path(self, picture: str) -> Path:
        return self._images / self._file.file_name(picture)


def _drawn(
    file: Path, parts: Mapping[str, list[Mapping[str, Any]]], shape: tuple[int, int]
) -> PartMasks:
    return PartMasks(parts={name: draw(file, each, shape) for name, each in parts.items()})


def _read(path: Path, numbers: Mapping[str, int], shape: tuple[int, int]) -> PartMasks:
    labels = read_label_map(path, shape=shape)
    masks: dict[str, BoolMask] = {
        name: np.asarray(labels == number) for name, number in numbers.items()
    }
    return PartMasks(parts=masks)
