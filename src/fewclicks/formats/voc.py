"""Pascal VOC: palette PNGs of classes and of objects, and an XML file for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewclicks.arrays import LabelMap
from fewclicks.errors import InputError
from fewclicks.files import read_text, write_bytes, write_text, written_beside
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations, files_of
from fewclicks.images.boxes import Box
from fewclicks.images.folders import list_pictures
from fewclicks.images.reading import read_label_map

CLASSES, OBJECTS, BOXES = "SegmentationClass", "SegmentationObject", "Annotations"
LABELS: Final = "labels.txt"
_SETS: Final = "ImageSets/Segmentation/trainval.txt"
_VOID: Final = 255
_MOST: Final = _VOID - 1


def write_voc(annotations: Annotations, out: Path) -> list[Path]:
    """Write the folders of a VOC devkit.

    Parameters
    ----------
    out
        Folder; the pictures belong into ``JPEGImages``, and are not copied.

    Returns
    -------
    list of Path
        For each picture ``SegmentationClass/NAME.png`` (the label's number from 1),
        ``SegmentationObject/NAME.png`` (the object's from 1) and ``Annotations/NAME.xml`` (boxes;
        the objects in their order), then ``ImageSets/Segmentation/trainval.txt`` and
        ``labels.txt``.

    Raises
    ------
    InputError
        If there are more than 254 labels, or objects in one picture: 255 is void.
    """
    _check_count(len(annotations.labels), "labels")
    written: list[Path] = []
    for picture in annotations.pictures:
        _check_count(len(picture.objects), f"objects in {picture.name}")
        stem = annotations.stem(picture)
        classes = np.zeros((picture.height, picture.width), dtype=np.uint8)
        objects = np.zeros_like(classes)
        for number, one in enumerate(picture.objects, 1):
            mask = one.mask
            classes[mask] = annotations.number(one.label) + 1
            objects[mask] = number
        for folder, values in ((CLASSES, classes), (OBJECTS, objects)):
            written.append(_write_palette(out / folder / f"{stem}.png", values))
        xml = out / BOXES / f"{stem}.xml"
        write_bytes(xml, _describe(picture))
        written.append(xml)
    stems = [annotations.stem(picture) for picture in annotations.pictures]
    for name, lines in ((_SETS, stems), (LABELS, annotations.labels)):
        write_text(out / name, "".join(f"{line}\n" for line in lines))
        written.append(out / name)
    return written


def read_voc(source: Path, images: Path) -> Annotations:
    """Read objects and their classes; what is void belongs to none.

    Parameters
    ----------
    source
        Folder with ``SegmentationObject`` and ``Annotations``.
    images
        Folder of the pictures; those without a map have no objects.

    Raises
    ------
    InputError
        If a map or XML file is none, or they do not fit each other.
    """
    names = source / LABELS
    lines = read_text(names).split("\n") if names.is_file() else []
    labels = [line for line in lines if line]
    pictures = []
    for name, path in files_of(list_pictures(images), source / OBJECTS, ".png"):
        values = read_label_map(path)
        xml = (source / BOXES / path.relative_to(source / OBJECTS)).with_suffix(".xml")
        objects = _read_objects(values, _read_labels(xml), path)
        height, width = values.shape
        pictures.append(
            AnnotatedPicture(
                name=name, height=height, width=width, objects=objects, path=images / name
            )
        )
    if not pictures:
        raise InputError(
            f"{source} has no {OBJECTS}/NAME.png for a picture of {images}; needs both."
        )
    return Annotations(pictures=pictures, labels=tuple(labels))


def _check_count(count: int, of: str) -> None:
    if count > _MOST:
        raise InputError(f"There are {count} {of}; Pascal VOC holds {_MOST}. Export as coco.")


def _write_palette(path: Path, values: NDArray[np.uint8]) -> Path:
    image = Image.fromarray(values)
    image.putpalette(_palette())
    with written_beside(path) as beside:
        image.save(beside, "PNG")
    return path


def _palette() -> list[int]:
    """Give VOC's colours: the bits of a number, by threes, from the top of red, green and blue."""
    colours = []
    for number in range(256):
        for channel in range(3):
            bits = [(number >> (3 * place + channel) & 1) << (7 - place) for place in range(3)]
            colours.append(sum(bits))
    return colours


def _describe(picture: AnnotatedPicture) -> bytes:
    root = ElementTree.Element("annotation")
    path = PurePosixPath(picture.name)
    _add(root, folder=path.parent.as_posix(), filename=path.name)
    _add(_add(root, size=None), width=picture.width, height=picture.height, depth=3)
    _add(root, segmented=1)
    for one in picture.objects:
        described = _add(root, object=None)
        _add(described, name=one.label, pose="Unspecified", truncated=0, difficult=0)
        mask = one.mask
        if mask.any():
            box = Box.around(mask)
            # VOC counts pixels from 1, and the last one belongs to the box.
            corners = {"xmin": box.x0 + 1, "ymin": box.y0 + 1, "xmax": box.x1, "ymax": box.y1}
            _add(_add(described, bndbox=None), **corners)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add(parent: ElementTree.Element, **children: str | int | None) -> ElementTree.Element:
    """Add children and give the last one."""
    for name, text in children.items():
        child = ElementTree.SubElement(parent, name)
        child.text = None if text is None else str(text)
    return child


def _read_labels(path: Path) -> list[str]:
    text = read_text(path)
    if "<!ENTITY" in text:  # of no use here, and a way to fill the memory
        raise InputError(f"{path} defines entities of its own; needs plain XML.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is no XML: {error}.") from None
    return [one.findtext("name", default="object") for one in root.iter("object")]


def _read_objects(
    values: LabelMap, labels: Sequence[str], path: Path
) -> tuple[AnnotatedObject, ...]:
    numbers = [int(number) for number in np.unique(values) if 0 < number < _VOID]
    if numbers and numbers[-1] > len(labels):
        raise InputError(
            f"{path} has an object {numbers[-1]}, but its XML file describes {len(labels)}."
        )
    return tuple(AnnotatedObject.of(labels[number - 1], values == number) for number in numbers)
