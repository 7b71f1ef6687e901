"""Pictures beside masks that share their stems, in folders of whatever name.

The normal form is ``images/<stem>.jpg|png`` beside ``masks/<stem>.png``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from fewclicks.arrays import BoolMask, LabelMap, RgbImage
from fewclicks.datasets.base import Masks, Sample, check_min_area
from fewclicks.datasets.layout import find_pairs, fixed, listed_names, read_places
from fewclicks.errors import InputError
from fewclicks.images.reading import read_image, read_label_map, read_mask
from fewclicks.images.resizing import resize_mask, shrink_to_shortest_side


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderConfig:
    """Where pictures and masks lie, and how mask values are read.

    Parameters
    ----------
    masks
        ``"values"``: one object, where the value is above ``threshold``. ``"labels"``: each value
        from 1 on is an object of its own.
    threshold
        Values above it are the object; of ``"values"``.
    void, void_too
        Values of unjudged pixels; -1 for none.
    min_area
        Objects with fewer pixels are left out; of ``"labels"``.
    unlabelled
        ``"refuse"``: a picture without a mask is an error. ``"skip"``: it is left out.
    places
        Folders of pictures and of masks: see `fewclicks.datasets.layout.read_places`.
    listed
        List of the pictures that are taken, from the data set's folder; empty for all.
    shortest
        Larger pictures are shrunk until their shorter side has so many pixels, with their masks;
        0 for none.
    """

    masks: str = "values"
    threshold: int = 0
    void: int = -1
    void_too: int = -1
    min_area: int = 1
    unlabelled: str = "refuse"
    places: str = "images:masks"
    listed: str = ""
    shortest: int = 0

    def __post_init__(self) -> None:
        if self.masks not in ("values", "labels"):
            raise InputError(f"masks is '{self.masks}'; needs 'values' or 'labels'.")
        if self.unlabelled not in ("refuse", "skip"):
            raise InputError(f"unlabelled is '{self.unlabelled}'; needs 'refuse' or 'skip'.")
        if self.threshold < 0:
            raise InputError(f"threshold is {self.threshold}; needs a mask value, 0 or more.")
        check_min_area(self.min_area, least=1)
        if self.shortest < 0:
            raise InputError(f"shortest is {self.shortest}; needs a number of pixels, 0 or more.")
        read_places(self.places)

    @property
    def voids(self) -> list[int]:
        """Values of unjudged pixels."""
        return [value for value in (self.void, self.void_too) if value >= 0]


class FolderDataset:
    """Pictures and masks that stand in two folders, or pairs of them, and share their stems.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds the folders. A mask without a picture is not looked at.
    config
        Where pictures and masks lie, and how mask values are read.

    Raises
    ------
    StorageError
        If one of the folders, or the list, is missing.
    InputError
        If there is no picture, a picture has no mask, or two pictures share a stem.
    """

    config_type = FolderConfig

    def __init__(self, name: str, folder: Path, config: FolderConfig | None = None) -> None:
        self.name = name
        self.config = config or FolderConfig()
        layouts = read_places(self.config.places)
        pairs = find_pairs(folder, layouts)
        if self.config.listed:
            taken = listed_names(folder / self.config.listed, known=pairs)
            pairs = {name: pairs[name] for name in taken}
        files = {name: (pair.image, pair.mask) for name, pair in pairs.items()}
        self._files = {name: (image, mask) for name, (image, mask) in files.items() if mask}
        missing = [name for name, (_, mask) in files.items() if mask is None]
        if missing and self.config.unlabelled == "refuse":
            raise InputError(
                f"{len(missing)} of {len(files)} pictures in {folder} have no mask, the "
                f"first is '{missing[0]}'; needs {fixed(layouts[0][0].masks)}/{missing[0]}.png."
            )

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Names, sorted: stems, led by what differs in their folders."""
        return tuple(self._files)

    def files(self, picture: str) -> list[Path]:
        """Name the picture and its mask."""
        return list(self._files[picture])

    def samples(self, picture: str) -> list[Sample]:
        """One object for value masks, with the name as id; for labels ``name:label``, ascending.

        Labels are found by reading the mask.
        """
        image, mask = self._files[picture]
        load_image = partial(_image, image, self.config.shortest)
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
            for label in objects_of(
                read_label_map(mask), voids=self.config.voids, min_area=self.config.min_area
            )
        ]


def objects_of(labels: LabelMap, *, voids: list[int], min_area: int = 1) -> list[int]:
    """Name the labels of objects: those from 1 on that are not void and large enough, ascending."""
    values, areas = np.unique(labels, return_counts=True)
    return [
        int(label)
        for label, area in zip(values, areas, strict=True)
        if label > 0 and label not in voids and area >= min_area
    ]


def split_label(labels: LabelMap, label: int, *, voids: list[int]) -> Masks:
    """Take one object out of a map, and what is not judged."""
    return _without_void(labels == label, np.isin(labels, voids))


def _image(path: Path, shortest: int) -> RgbImage:
    image = read_image(path)
    return shrink_to_shortest_side(image, shortest) if shortest else image


def _value_masks(path: Path, config: FolderConfig, shape: tuple[int, int]) -> Masks:
    size = None if config.shortest else shape
    on_object = read_mask(path, shape=size, threshold=config.threshold)
    void = np.isin(read_label_map(path), config.voids) if config.voids else on_object & False
    return _fitted(_without_void(on_object, void), path, config, shape)


def _label_masks(path: Path, config: FolderConfig, label: int, shape: tuple[int, int]) -> Masks:
    labels = read_label_map(path, shape=None if config.shortest else shape)
    return _fitted(split_label(labels, label, voids=config.voids), path, config, shape)


def _fitted(masks: Masks, path: Path, config: FolderConfig, shape: tuple[int, int]) -> Masks:
    """Shrink masks as their picture was."""
    if masks.object_mask.shape == shape:
        return masks
    height, width = shape
    tall, wide = masks.object_mask.shape
    # The picture was shrunk by one scale, so its sides and the mask's are of one ratio.
    if min(shape) != config.shortest or abs(height * wide - width * tall) > max(tall, wide):
        raise InputError(f"{path} is not of its picture's size; it is {tall} high, {wide} wide.")
    void = masks.void_mask
    return Masks(
        object_mask=resize_mask(masks.object_mask, height=height, width=width),
        void_mask=None if void is None else resize_mask(void, height=height, width=width),
    )


def _without_void(on_object: BoolMask, void: BoolMask) -> Masks:
    return Masks(object_mask=on_object & ~void, void_mask=void if void.any() else None)
