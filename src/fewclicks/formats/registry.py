"""Names of formats, and who writes and reads each. Reading the table imports nothing heavy."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fewclicks.errors import InputError, StorageError, UnknownEntryError

if TYPE_CHECKING:
    from fewclicks.formats.annotated import Annotations


@dataclass(frozen=True, kw_only=True, slots=True)
class FormatEntry:
    """One format.

    Parameters
    ----------
    name
        What a user types.
    writer, optional
        ``"module:function"``, called with annotations and a folder; gives the files written.
    reader, optional
        Likewise, called with a file or folder and the folder of the pictures.
    summary
        One line for people.
    """

    name: str
    summary: str
    writer: str | None = None
    reader: str | None = None


_HERE: Final = "fewclicks.formats"

FORMATS: Final = (
    FormatEntry(
        name="coco",
        writer=f"{_HERE}.coco:write_coco",
        reader=f"{_HERE}.coco:read_coco",
        summary="one JSON file with run lengths, which keep every pixel",
    ),
    FormatEntry(
        name="coco-polygons",
        writer=f"{_HERE}.coco:write_coco_polygons",
        reader=f"{_HERE}.coco:read_coco",
        summary="the same with polygons, holes joined to their rims",
    ),
    FormatEntry(
        name="yolo",
        writer=f"{_HERE}.yolo:write_yolo",
        reader=f"{_HERE}.yolo:read_yolo",
        summary="YOLO segmentation: a text file a picture, one ring an object, and data.yaml",
    ),
    FormatEntry(
        name="voc",
        writer=f"{_HERE}.voc:write_voc",
        reader=f"{_HERE}.voc:read_voc",
        summary="Pascal VOC: palette PNGs of classes and objects, and an XML file a picture",
    ),
    FormatEntry(
        name="labelme",
        writer=f"{_HERE}.labelme:write_labelme",
        reader=f"{_HERE}.labelme:read_labelme",
        summary="LabelMe: a JSON file of polygons a picture",
    ),
    FormatEntry(
        name="png",
        writer=f"{_HERE}.png:write_instances",
        reader=f"{_HERE}.png:read_masks",
        summary="a PNG a picture: 1 on its first object, 2 on the next, and what each is in JSON",
    ),
    FormatEntry(
        name="png-class",
        writer=f"{_HERE}.png:write_classes",
        summary="a PNG a picture: the label's number, from 1",
    ),
    FormatEntry(
        name="png-objects",
        writer=f"{_HERE}.png:write_objects",
        summary="a black and white PNG for every object",
    ),
    FormatEntry(
        name="cutouts",
        writer=f"{_HERE}.png:write_cutouts",
        summary="every object alone on a transparent ground",
    ),
)

_BY_NAME: Final = {entry.name: entry for entry in FORMATS}


def export(annotations: Annotations, format_name: str, out: Path) -> list[Path]:
    """Write annotations in a format, into a folder.

    Parameters
    ----------
    format_name
        As listed in `FORMATS`.
    out
        Is made; files of the same names in it are replaced, each whole or not at all.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    UnknownEntryError
        If no format has this name.
    StorageError
        If something cannot be written.
    """
    writer = _find(format_name).writer
    if writer is None:
        raise InputError(f"Format '{format_name}' can be read, not written; choose another.")
    if out.exists() and not out.is_dir():
        raise StorageError(f"Cannot write into {out}: it is a file; needs a folder.")
    write: Callable[[Annotations, Path], list[Path]] = _load(writer)
    return write(annotations, out)


def read_annotations(format_name: str, source: Path, *, images: Path) -> Annotations:
    """Read annotations that some tool wrote.

    Parameters
    ----------
    source
        The file (COCO) or folder that holds them.
    images
        Folder of the pictures, which names are looked up in.

    Raises
    ------
    UnknownEntryError
        If no format has this name.
    InputError
        If the format cannot be read, or the files are not what it needs.
    StorageError
        If a file is not there.
    """
    reader = _find(format_name).reader
    if reader is None:
        readable = ", ".join(entry.name for entry in FORMATS if entry.reader)
        raise InputError(
            f"Format '{format_name}' can be written, not read; those that can: {readable}."
        )
    read: Callable[[Path, Path], Annotations] = _load(reader)
    return read(source, images)


def _find(name: str) -> FormatEntry:
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownEntryError("format", name, _BY_NAME) from None


def _load(target: str) -> Any:
    module, _, function = target.partition(":")
    return getattr(importlib.import_module(module), function)
