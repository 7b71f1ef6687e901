"""Slices of volumes: one picture of each scan, as the published sets of 2-D clicks take one.

M2N2V2 counts one slice and one mask for each volume of OAI-ZIB (150) and BraTS (369), and says no
more. Which slice, and that all labels are one object, is our reading: the slice with most of the
object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Masks, Sample
from fewclicks.datasets.layout import found_in, listed_names
from fewclicks.errors import InputError, ShapeError, StorageError
from fewclicks.images.reading import grey_to_image
from fewclicks.images.volumes import SUFFIXES, axis_across, read_volume, take_slice

CASE: Final = "{case}"
_CHOICES: Final = ("largest", "middle")


@dataclass(frozen=True, kw_only=True, slots=True)
class SlicesConfig:
    """Where scans and their labels lie, and what is cut out of them.

    Parameters
    ----------
    images, masks
        Paths of volumes from the data set's folder, without their endings; ``{case}`` stands for
        the name of a scan.
    plane
        ``"sagittal"``, ``"coronal"`` or ``"axial"``.
    choice
        ``"largest"``: the slice with most pixels of the object, the first of equals. ``"middle"``:
        the middle one of those that have it.
    labels
        Numbers of the object, with commas between; empty for all from 1 on.
    objects
        ``"union"``: all of them as one. ``"each"``: each label by itself, in the same slice.
    listed
        List of the scans that are taken, from the data set's folder; empty for all.
    """

    images: str = f"images/{CASE}"
    masks: str = f"masks/{CASE}"
    plane: str = "axial"
    choice: str = "largest"
    labels: str = ""
    objects: str = "union"
    listed: str = ""

    def __post_init__(self) -> None:
        axis_across(self.plane)
        if self.choice not in _CHOICES:
            raise InputError(f"choice is '{self.choice}'; needs {' or '.join(_CHOICES)}.")
        if self.objects not in ("union", "each"):
            raise InputError(f"objects is '{self.objects}'; needs 'union' or 'each'.")
        if not re.fullmatch(r"(\d+(,\d+)*)?", self.labels):
            raise InputError(f"labels is '{self.labels}'; needs numbers with commas between: 2,4.")
        for part in (self.images, self.masks):
            if CASE not in Path(part).name:
                raise InputError(f"'{part}' does not say where a scan's name stands; needs {CASE}.")

    @property
    def wanted(self) -> tuple[int, ...]:
        """Numbers of the object; none for all."""
        return tuple(int(label) for label in self.labels.split(",") if label)


class SlicesDataset:
    """One slice of each scan.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds the volumes.
    config
        Where they lie, and what is cut out of them.

    Raises
    ------
    StorageError
        If there are no labels, or a scan or the list is missing.

    References
    ----------
    .. [1] M2N2V2, section 6 (arXiv:2503.16254), for the numbers of volumes and masks.
    """

    config_type = SlicesConfig

    def __init__(self, name: str, folder: Path, config: SlicesConfig | None = None) -> None:
        self.name = name
        self.config = config or SlicesConfig()
        self._folder = folder
        self._axis = axis_across(self.config.plane)
        self._masks = self._find(self.config.masks)
        if self.config.listed:
            taken = listed_names(folder / self.config.listed, known=self._masks)
            self._masks = {case: self._masks[case] for case in taken}
        if not self._masks:
            raise StorageError(
                f"Data set folder {folder} has no labels; needs {self.config.masks}"
                f"{'|'.join(SUFFIXES)} beside {self.config.images}; found {found_in(folder)}."
            )
        self._images = self._find(self.config.images)
        missing = [case for case in self._masks if case not in self._images]
        if missing:
            raise StorageError(
                f"{len(missing)} of {len(self._masks)} scans of {folder} are missing, the first is "
                f"{self.config.images.replace(CASE, missing[0])}; needs a file of this name that "
                f"ends in {', '.join(SUFFIXES)}."
            )
        self._chosen: dict[str, tuple[int, tuple[int, ...]]] = {}

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Names of the scans, sorted."""
        return tuple(sorted(self._masks))

    def files(self, picture: str) -> list[Path]:
        """Name the scan and its labels."""
        return [self._images[picture], self._masks[picture]]

    def samples(self, picture: str) -> list[Sample]:
        """Give the object, called as the scan; or each label, called ``scan:label``."""
        index, labels = self._choose(picture)
        load_image = partial(self._load_image, picture, index)
        if self.config.objects == "union":
            taken = {picture: labels}
        else:
            taken = {f"{picture}:{label}": (label,) for label in labels}
        return [
            Sample(
                id=name,
                picture=picture,
                load_image=load_image,
                load_masks=partial(self._load_masks, picture, index, of_object),
            )
            for name, of_object in taken.items()
        ]

    def _find(self, template: str) -> dict[str, Path]:
        lead, _, tail = Path(template).name.partition(CASE)
        found: dict[str, Path] = {}
        for path in sorted(self._folder.glob(template.replace(CASE, "*") + ".*")):
            for suffix in SUFFIXES:
                if path.name.lower().endswith(f"{tail}{suffix}".lower()):
                    case = path.name[len(lead) : len(path.name) - len(f"{tail}{suffix}")]
                    if path.parent == (self._folder / template.replace(CASE, case)).parent:
                        found.setdefault(case, path)
                    break
        return found

    def _choose(self, picture: str) -> tuple[int, tuple[int, ...]]:
        if picture not in self._chosen:
            volume = read_volume(self._masks[picture])
            wanted = self.config.wanted
            on_object = np.isin(volume, wanted) if wanted else volume > 0
            others = tuple(axis for axis in range(3) if axis != self._axis)
            areas = on_object.sum(axis=others)
            if not areas.any():
                raise InputError(
                    f"{self._masks[picture]} labels no voxel with {self.config.labels or 'any'}."
                )
            inside = np.flatnonzero(areas)
            largest = self.config.choice == "largest"
            index = int(areas.argmax() if largest else inside[len(inside) // 2])
            flat = take_slice(volume * on_object, self._axis, index)
            labels = tuple(int(label) for label in np.unique(flat) if label > 0)
            self._chosen[picture] = index, labels
        return self._chosen[picture]

    def _load_image(self, picture: str, index: int) -> RgbImage:
        volume, path = read_volume(self._images[picture]), self._images[picture]
        if index >= volume.shape[self._axis]:
            raise ShapeError(
                f"{path} has {volume.shape[self._axis]} slices; needs those of its labels."
            )
        flat = take_slice(volume, self._axis, index)
        return grey_to_image(flat.astype(np.float32))

    def _load_masks(
        self, picture: str, index: int, labels: tuple[int, ...], shape: tuple[int, int]
    ) -> Masks:
        volume = read_volume(self._masks[picture])
        flat = take_slice(volume, self._axis, index)
        if flat.shape != shape:
            raise ShapeError.differs(
                f"{self._masks[picture]}", flat.shape, needed=shape, of="its scan"
            )
        mask: BoolMask = np.isin(flat, labels)
        return Masks(object_mask=mask)
