"""The normal form of a data set: `images/<stem>.jpg|png` beside `masks/<stem>.png`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.datasets.base import Masks, Sample
from fewclicks.errors import InputError, ShapeError, StorageError
from fewclicks.images.folders import IMAGE_SUFFIXES
from fewclicks.images.reading import read_image, read_label_map, read_mask

MASK_SUFFIXES: Final = (".png", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderConfig:
    """How mask values are read.

    Parameters
    ----------
    masks
        ``"values"``: one object, where the value is above ``threshold``. ``"labels"``: each value
        from 1 on is an object of its own.
    threshold
        Values above it are the object; of ``"values"``.
    void
        Value of unjudged pixels; -1 for none.
    min_area
        Objects with fewer pixels are left out; of ``"labels"``.
    unlabelled
        ``"refuse"``: a picture without a mask is an error. ``"skip"``: it is left out.
    """

    masks: str = "values"
    threshold: int = 0
    void: int = -1
    min_area: int = 1
    unlabelled: str = "refuse"

    def __post_init__(self) -> None:
        if self.masks not in ("values", "labels"):
            raise InputError(f"masks is '{self.masks}'; needs 'values' or 'labels'.")
        if self.unlabelled not in ("refuse", "skip"):
            raise InputError(f"unlabelled is '{self.unlabelled}'; needs 'refuse' or 'skip'.")
        if self.threshold < 0:
            raise InputError(f"threshold is {self.threshold}; needs a mask value, 0 or more.")
        if self.min_area < 1:
            raise InputError(f"min_area is {self.min_area}; needs a number of pixels, 1 or more.")


class FolderDataset:
    """Pictures and masks that stand in two folders and share their stems.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``images`` and ``masks``. A mask without a picture is not looked at.
    config
        How mask values are read.

    Raises
    ------
    StorageError
        If one of the folders is missing.
    InputError
        If there is no picture, a picture has no mask, or two pictures share a stem.
    """

    config_type = FolderConfig

    def __init__(self, name: str, folder: Path, config: FolderConfig | None = None) -> None:
        self.name = name
        self.config = config or FolderConfig()
        for part in ("images", "masks"):
            if not (folder / part).is_dir():
                raise StorageError(
                    f"Data set folder {folder} has no folder '{part}'; needs images/<stem>.jpg "
                    "beside masks/<stem>.png."
                )
        self._images = _by_stem(folder / "images", IMAGE_SUFFIXES)
        self._masks = _by_stem(folder / "masks", MASK_SUFFIXES)
        if not self._images:
            raise InputError(f"{folder / 'images'} has no picture; needs .jpg or .png files.")
        missing = [stem for stem in self._images if stem not in self._masks]
        if missing and self.config.unlabelled == "skip":
            self._images = {
                stem: path for stem, path in self._images.items() if stem in self._masks
            }
        elif missing:
            raise InputError(
                f"{len(missing)} of {len(self._images)} pictures in {folder} have no mask, the "
                f"first is '{missing[0]}'; needs masks/{missing[0]}.png."
            )

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems, sorted."""
        return tuple(self._images)

    def files(self, picture: str) -> list[Path]:
        """Name the picture and its mask."""
        return [self._images[picture], self._masks[picture]]

    def samples(self, picture: str) -> list[Sample]:
        """One object for value masks, with the stem as id; for labels ``stem:label``, ascending.

        Labels are found by reading the mask.
        """
        image, mask = self.files(picture)
        load_image = partial(read_image, image)
        if self.config.masks == "values":
            load_masks = partial(_value_masks, mask, self.config)
            return [
                Sample(id=picture, picture=picture, load_image=load_image, load_masks=load_masks)
            ]
        return [
            Sample(
                id=f"{picture}:{label}",
                picture=picture,
                load_image=load_image,
                load_masks=partial(_label_masks, mask, self.config, label),
            )
            for label in self._labels(mask)
        ]

    def _labels(self, mask: Path) -> list[int]:
        labels, areas = np.unique(read_label_map(mask), return_counts=True)
        return [
            int(label)
            for label, area in zip(labels, areas, strict=True)
            if label > 0 and label != self.config.void and area >= self.config.min_area
        ]


def _by_stem(folder: Path, suffixes: Iterable[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: (path.stem, path.suffix)):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if path.stem in found:
            raise InputError(
                f"{folder} has both {found[path.stem].name} and {path.name}; needs one file for "
                "each stem."
            )
        found[path.stem] = path
    return found


def _value_masks(path: Path, config: FolderConfig, shape: tuple[int, int]) -> Masks:
    on_object = read_mask(path, shape=shape, threshold=config.threshold)
    if config.void < 0:
        return Masks(object_mask=on_object)
    return _without_void(on_object, read_label_map(path) == config.void)


def _label_masks(path: Path, config: FolderConfig, label: int, shape: tuple[int, int]) -> Masks:
    labels = read_label_map(path)
    if labels.shape != shape:
        raise ShapeError(
            f"{path} is {labels.shape[0]} high and {labels.shape[1]} wide; needs the size of its "
            f"picture, {shape[0]} high and {shape[1]} wide."
        )
    return _without_void(labels == label, labels == config.void)


def _without_void(on_object: BoolMask, void: BoolMask) -> Masks:
    return Masks(object_mask=on_object & ~void, void_mask=void if void.any() else None)
