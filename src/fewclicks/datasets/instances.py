"""Labelled instances: pictures, label masks, and one file that says what each label is.

The folder holds ``images/<stem>.jpg|png``, ``masks/<stem>.png`` (each value from 1 on is one
region) and ``instances.json``::

    {"dog1": {"split": "train", "objects": [
        {"label": 1, "category": "dog", "part": "head"},
        {"label": 2, "category": "dog", "part": "body"},
        {"label": 3, "category": "dog", "part": "head", "object": 2}]}}

``category`` is needed. With a ``part``, the label is a part of an object of that category:
number ``object`` (1 if left out) in its picture. Without, it is a whole object. Other keys are
not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from fewclicks.arrays import BoolMask, LabelMap
from fewclicks.datasets.base import Masks, Sample, check_min_area
from fewclicks.datasets.folder import FolderConfig, FolderDataset
from fewclicks.datasets.kinds import LEAST_OBJECTS, Kind, KindMasks
from fewclicks.datasets.parts import PartedObject, PartMasks
from fewclicks.errors import InputError, StorageError
from fewclicks.images.reading import read_image, read_label_map

INSTANCES: Final = "instances.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstancesConfig:
    """Which pictures are taken, and how labels are read.

    Parameters
    ----------
    split
        Pictures of this split only; empty for all.
    stems
        Pictures whose stems fit this pattern: ``train_*``.
    void
        Label of unjudged pixels; -1 for none.
    min_area
        In pixels: smaller regions do not count. Of a kind they are void, else background.
    parts_of
        What the pictures show one object of, so that categories are names of its parts; empty
        where the file says what is a part.
    """

    split: str = ""
    stems: str = "*"
    void: int = -1
    min_area: int = 1
    parts_of: str = ""

    def __post_init__(self) -> None:
        check_min_area(self.min_area, least=1)


class _Region(BaseModel):
    model_config = ConfigDict(frozen=True)

    label: int
    category: str
    part: str | None = None
    object: int = 1


class _Picture(BaseModel):
    model_config = ConfigDict(frozen=True)

    split: str = ""
    objects: list[_Region]


_FILE: Final = TypeAdapter(dict[str, _Picture])


class InstancesDataset:
    """Pictures whose labels have categories: whole objects, kinds of them, and parts.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``images``, ``masks`` and ``instances.json``; see the module's first lines.
    config
        Which pictures are taken, and how labels are read.

    Raises
    ------
    StorageError
        If a folder or the file is missing.
    InputError
        If the file is no such list, does not name a picture, or no picture is left.
    """

    config_type = InstancesConfig

    def __init__(self, name: str, folder: Path, config: InstancesConfig | None = None) -> None:
        self.name = name
        self.config = config or InstancesConfig()
        self._folder = FolderDataset(name, folder, FolderConfig(masks="labels"))
        self._file = folder / INSTANCES
        self._pictures = _read(self._file)
        self._regions_of: dict[str, dict[int, int]] = {}

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems that are taken, sorted."""
        unknown = [stem for stem in self._folder.pictures if stem not in self._pictures]
        if unknown:
            raise InputError(f"{self._file} does not say what picture '{unknown[0]}' shows.")
        taken = [
            stem
            for stem in self._folder.pictures
            if fnmatchcase(stem, self.config.stems)
            and self.config.split in ("", self._pictures[stem].split)
        ]
        if not taken:
            raise InputError(
                f"No picture of {self._file.parent} is of split '{self.config.split}' and fits "
                f"'{self.config.stems}'."
            )
        return tuple(taken)

    def files(self, picture: str) -> list[Path]:
        """Name the picture, its mask, and the file of all instances."""
        return [*self._folder.files(picture), self._file]

    def samples(self, picture: str) -> list[Sample]:
        """Each region by itself, called ``picture:label``, in the order of the labels."""
        image, mask = self._folder.files(picture)
        return [
            Sample(
                id=f"{picture}:{region.label}",
                picture=picture,
                load_image=partial(read_image, image),
                load_masks=partial(_sample_masks, mask, region.label, self.config.void),
            )
            for region in self._counted(picture)
        ]

    def parted(self, picture: str) -> list[PartedObject]:
        """Objects with parts, called ``picture`` or, from the second on, ``picture:number``."""
        image, mask = self._folder.files(picture)
        labels: dict[tuple[str, int], dict[str, list[int]]] = {}
        for region in self._counted(picture):
            owner, part = (region.category, region.object), region.part
            if self.config.parts_of:
                owner, part = (self.config.parts_of, region.object), region.part or region.category
            if part is not None:
                labels.setdefault(owner, {}).setdefault(part, []).append(region.label)
        return [
            PartedObject(
                id=picture if number == 0 else f"{picture}:{number + 1}",
                picture=picture,
                category=category,
                parts=tuple(sorted(parts)),
                load_image=partial(read_image, image),
                load_masks=partial(_part_masks, mask, parts, self.config.void),
            )
            for number, ((category, _), parts) in enumerate(sorted(labels.items()))
        ]

    def kinds(self, picture: str) -> list[Kind]:
        """Categories with two whole objects or more, by name."""
        image, mask = self._folder.files(picture)
        large: dict[str, list[int]] = {}
        for region in self._counted(picture):
            if region.part is None:
                large.setdefault(region.category, []).append(region.label)
        kinds = []
        for category, labels in sorted(large.items()):
            small = [
                region.label
                for region in self._pictures[picture].objects
                if region.category == category and region.label not in labels
            ]
            if len(labels) >= LEAST_OBJECTS:
                kinds.append(
                    Kind(
                        id=f"{picture}:{category}",
                        picture=picture,
                        category=category,
                        names=tuple(f"{picture}:{label}" for label in labels),
                        load_image=partial(read_image, image),
                        load_masks=partial(_kind_masks, mask, labels, small, self.config.void),
                    )
                )
        return kinds

    def _counted(self, picture: str) -> list[_Region]:
        """Regions that are large enough, by label."""
        areas = self._areas(picture)
        regions = {region.label: region for region in self._pictures[picture].objects}
        unknown = [label for label in areas if label not in regions]
        if unknown:
            raise InputError(
                f"{self._folder.files(picture)[1]} holds the label {unknown[0]}, of which "
                f"{self._file} knows nothing; add it there, or read it as void={unknown[0]}."
            )
        return [regions[label] for label, area in areas.items() if area >= self.config.min_area]

    def _areas(self, picture: str) -> dict[int, int]:
        if picture not in self._regions_of:
            labels, areas = np.unique(
                read_label_map(self._folder.files(picture)[1]), return_counts=True
            )
            self._regions_of[picture] = {
                int(label): int(area)
                for label, area in zip(labels, areas, strict=True)
                if label not in (0, self.config.void)
            }
        return self._regions_of[picture]


def _read(path: Path) -> dict[str, _Picture]:
    try:
        return _FILE.validate_json(path.read_bytes())
    except OSError as error:
        raise StorageError(
            f"Data set folder {path.parent} has no file '{path.name}' that can be read; needs one "
            "that says what each label is."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"]) or "the file"
        raise InputError(
            f"{path} does not say what labels are ({place}: {first['msg']}); needs "
            '{"stem": {"objects": [{"label": 1, "category": "dog"}]}}.'
        ) from None


def _void(labels: LabelMap, value: int) -> BoolMask | None:
    void = labels == value
    return void if void.any() else None


def _sample_masks(path: Path, label: int, void: int, shape: tuple[int, int]) -> Masks:
    labels = read_label_map(path, shape=shape)
    return Masks(object_mask=labels == label, void_mask=_void(labels, void))


def _part_masks(
    path: Path, parts: dict[str, list[int]], void: int, shape: tuple[int, int]
) -> PartMasks:
    labels = read_label_map(path, shape=shape)
    masks = {name: np.isin(labels, numbers) for name, numbers in parts.items()}
    return PartMasks(parts=masks, void_mask=_void(labels, void))


def _kind_masks(
    path: Path, large: list[int], small: list[int], void: int, shape: tuple[int, int]
) -> KindMasks:
    labels = read_label_map(path, shape=shape)
    return KindMasks(
        objects=tuple(labels == label for label in large),
        void_mask=_void(labels, void),
        small_mask=np.isin(labels, small) if small else None,
    )
