"""PNG: maps of objects or of classes, a mask for every object, and cut-outs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from fewclicks.arrays import LabelMap
from fewclicks.errors import InputError
from fewclicks.files import write_text
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations, files_of
from fewclicks.images.folders import list_pictures
from fewclicks.images.reading import read_image, read_label_map
from fewclicks.images.writing import write_cutout, write_label_map, write_mask

OBJECTS: Final = "objects.json"
LABELS: Final = "labels.json"
_NOT_IN_NAMES: Final = re.compile(r"[^\w-]+")
_LONGEST_LABEL: Final = 60


def write_instances(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``NAME.png``: 0 on no object, 1 on the first, 2 on the next; and ``objects.json``.

    Where objects share a pixel, the later one has it. ``objects.json`` lists the labels of each
    picture's objects in that order.
    """
    written = []
    for picture, path in _maps(annotations, out):
        write_label_map(path, _painted(picture, range(1, len(picture.objects) + 1)))
        written.append(path)
    labels = {
        f"{annotations.stem(picture)}.png": [one.label for one in picture.objects]
        for picture in annotations.pictures
    }
    write_text(out / OBJECTS, json.dumps(labels, ensure_ascii=False, indent=1))
    return [*written, out / OBJECTS]


def write_classes(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``NAME.png`` with each label's number from 1, and ``labels.json`` with their names."""
    written = []
    for picture, path in _maps(annotations, out):
        numbers = [annotations.number(one.label) + 1 for one in picture.objects]
        write_label_map(path, _painted(picture, numbers))
        written.append(path)
    names = {str(number): label for number, label in enumerate(annotations.labels, 1)}
    write_text(out / LABELS, json.dumps(names, ensure_ascii=False, indent=1))
    return [*written, out / LABELS]


def write_objects(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``NAME/01_LABEL.png`` for every object, 255 on it and 0 off it."""
    written = []
    for _, one, path in _named(annotations, out):
        write_mask(path, one.mask)
        written.append(path)
    return written


def write_cutouts(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``NAME/01_LABEL.png`` for every object: itself alone, cropped, on nothing.

    Raises
    ------
    StorageError, ImageError
        If a picture cannot be read.
    """
    written = []
    for picture, one, path in _named(annotations, out):
        if picture.path is None:
            raise InputError(f"{picture.name} has no path; cut-outs need the picture's pixels.")
        mask = one.mask
        if mask.any():
            write_cutout(path, read_image(picture.path), mask, crop=True)
            written.append(path)
    return written


def read_masks(source: Path, images: Path) -> Annotations:
    """Read maps of objects, one for each picture that has one, found by its stem.

    Parameters
    ----------
    source
        Folder of PNGs as `write_instances` writes them; without ``objects.json`` every object is
        called "object", and a map of 0 and 255 holds one.
    images
        Folder of the pictures.

    Raises
    ------
    InputError
        If a map is not of its picture's size, or no picture has one.
    """
    from fewclicks.files import read_text
    from fewclicks.images.reading import read_size
    from fewclicks.json_text import parse_json

    names = source / OBJECTS
    labels = parse_json(read_text(names), source=str(names)) if names.is_file() else {}
    if not isinstance(labels, dict):
        raise InputError(f"{names} is no object with a list of labels for each file.")
    pictures = []
    found = list_pictures(images)
    maps = dict(files_of(found, source, ".png"))
    if not maps:
        raise InputError(f"{source} has no NAME.png for a picture of {images}; needs one at least.")
    for name in found:
        height, width = read_size(images / name)
        objects: tuple[AnnotatedObject, ...] = ()
        path = maps.get(name)
        if path is not None:
            listed = labels.get(path.relative_to(source).as_posix())
            objects = _read_objects(path, listed, (height, width))
        pictures.append(
            AnnotatedPicture(
                name=name, height=height, width=width, objects=objects, path=images / name
            )
        )
    return Annotations(pictures=pictures)


def _read_objects(
    path: Path, listed: object, shape: tuple[int, int]
) -> tuple[AnnotatedObject, ...]:
    values = read_label_map(path)
    if values.shape != shape:
        raise InputError(
            f"{path} is {values.shape[1]} x {values.shape[0]}; needs the size of its picture, "
            f"{shape[1]} x {shape[0]}."
        )
    numbers = [int(number) for number in np.unique(values) if number]
    names = listed if isinstance(listed, list) else []
    return tuple(
        AnnotatedObject.of(
            str(names[number - 1]) if number <= len(names) else "object", values == number
        )
        for number in numbers
    )


def _maps(annotations: Annotations, out: Path) -> list[tuple[AnnotatedPicture, Path]]:
    """Name each picture's map; the pictures themselves are never written over."""
    maps = [(one, out / f"{annotations.stem(one)}.png") for one in annotations.pictures]
    for picture, path in maps:
        if picture.path is not None and path.resolve() == picture.path.resolve():
            raise InputError(
                f"{path} would be written over the picture itself; choose another folder."
            )
    return maps


def _painted(picture: AnnotatedPicture, numbers: range | list[int]) -> LabelMap:
    labels = np.zeros((picture.height, picture.width), dtype=np.int32)
    for one, number in zip(picture.objects, numbers, strict=True):
        labels[one.mask] = number
    return labels


def _named(
    annotations: Annotations, out: Path
) -> Iterator[tuple[AnnotatedPicture, AnnotatedObject, Path]]:
    for picture in annotations.pictures:
        folder = out / annotations.stem(picture)
        for number, one in enumerate(picture.objects, 1):
            label = _NOT_IN_NAMES.sub("_", one.label)[:_LONGEST_LABEL]
            yield picture, one, folder / f"{number:02}_{label}.png"
