"""YOLO segmentation: a text file for each picture, a line for each object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from fewclicks.errors import FewclicksError, InputError
from fewclicks.files import read_text, write_text
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations, files_of
from fewclicks.formats.rings import one_ring
from fewclicks.images.folders import list_pictures
from fewclicks.images.polygons import Polygon, mask_to_polygons, polygons_to_mask
from fewclicks.images.reading import read_size

DATA: Final = "data.yaml"
LABELS: Final = "labels"
_FARTHEST: Final = 1000.0  # pictures away: a rounding may leave the picture, but not by more


def write_yolo(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``labels/NAME.txt`` for each picture, and ``data.yaml`` with the labels' names.

    Parameters
    ----------
    out
        Folder; the pictures belong into ``images`` beside ``labels``, and are not copied.

    Notes
    -----
    A line is the label's number and one ring, as shares of width and height. Parts and holes are
    joined by cuts without width, which by the even-odd rule enclose nothing; `read_yolo` draws
    every pixel again.
    """
    written = []
    for picture in annotations.pictures:
        size = np.array([picture.width, picture.height], dtype=np.float64)
        lines = []
        for one in picture.objects:
            polygons = mask_to_polygons(one.mask)
            if polygons:
                shares = (one_ring(polygons) / size).ravel()
                numbers = " ".join(f"{share:.9g}" for share in shares.tolist())
                lines.append(f"{annotations.number(one.label)} {numbers}\n")
        path = out / LABELS / f"{annotations.stem(picture)}.txt"
        write_text(path, "".join(lines))
        written.append(path)
    names = "".join(
        f"  {number}: {_quoted(label)}\n" for number, label in enumerate(annotations.labels)
    )
    data = out / DATA
    write_text(data, f"path: .\ntrain: images\nval: images\nnames:\n{names or '  {}'}")
    return [*written, data]


def read_yolo(source: Path, images: Path) -> Annotations:
    """Read the folder that holds ``labels`` and ``data.yaml``.

    Parameters
    ----------
    images
        Folder of the pictures; those without a text file have no objects.

    Raises
    ------
    InputError
        If a line is not a label's number and a ring, or no picture has a text file.
    """
    labels = _read_names(source / DATA)
    pictures = []
    names = list_pictures(images)
    texts = dict(files_of(names, source / LABELS, ".txt"))
    if not texts:
        raise InputError(f"{source / LABELS} has no NAME.txt for a picture of {images}.")
    for name in names:
        height, width = read_size(images / name)
        text = texts.get(name)
        lines = [] if text is None else read_text(text).splitlines()
        objects = [
            _read_line(line, labels, height, width, where=f"{text}, line {number}")
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
        pictures.append(
            AnnotatedPicture(
                name=name,
                height=height,
                width=width,
                objects=tuple(objects),
                path=images / name,
            )
        )
    return Annotations(pictures=pictures, labels=tuple(labels.values()))


def _quoted(label: str) -> str:
    """Write JSON's text, which is YAML's too but for signs that JSON writes as two halves."""
    signs = (
        json.dumps(sign)[1:-1] if ord(sign) < 1 << 16 else f"\\U{ord(sign):08x}" for sign in label
    )
    return f'"{"".join(signs)}"'


def _read_names(path: Path) -> dict[float, str]:
    import yaml

    try:
        data: Any = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, FewclicksError):
            raise
        raise InputError(f"{path} is no YAML: {str(error).splitlines()[0]}.") from None
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    # Numbers as they stand: some count from 1, or leave some out.
    if not (
        isinstance(names, dict)
        and all(type(number) is int for number in names)
        and all(isinstance(name, str) for name in names.values())
    ):
        raise InputError(f"{path} has no list of names; needs names: with one text for a label.")
    return {number: names[number] for number in sorted(names)}


def _read_line(
    line: str, labels: dict[float, str], height: int, width: int, *, where: str
) -> AnnotatedObject:
    try:
        numbers = [float(part) for part in line.split()]
        label = labels.get(numbers[0])
    except (ValueError, IndexError):
        numbers, label = [], None
    if not (label is not None and _are_corners(numbers[1:])):
        raise InputError(
            f"{where} is no object; needs the number of one of {len(labels)} labels and x, y of 3 "
            "corners or more, as shares of the picture."
        )
    ring = np.array(numbers[1:]).reshape(-1, 2) * [width, height]
    try:
        polygon = Polygon(_snapped(ring))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return AnnotatedObject.of(label, polygons_to_mask([polygon], height=height, width=width))


def _are_corners(shares: list[float]) -> bool:
    return (
        len(shares) >= 6
        and len(shares) % 2 == 0
        and all(abs(share) <= _FARTHEST for share in shares)  # so none is not a number
    )


def _snapped(ring: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Whole pixels where the text's nine digits mean them."""
    whole = np.rint(ring)
    return np.where(np.abs(ring - whole) < 1e-3, whole, ring)
