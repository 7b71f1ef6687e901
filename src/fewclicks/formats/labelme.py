"""LabelMe: a JSON file of polygons beside each picture."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from fewclicks.errors import InputError
from fewclicks.files import read_text, write_text
from fewclicks.formats.annotated import (
    AnnotatedObject,
    AnnotatedPicture,
    Annotations,
    check_size,
)
from fewclicks.formats.rings import bridge
from fewclicks.images.polygons import Polygon, mask_to_polygons, polygons_to_mask
from fewclicks.json_text import complaint, parse_json

_VERSION: Final = "5.5.0"


def write_labelme(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``NAME.json`` for each picture.

    Parameters
    ----------
    out
        Folder; ``imagePath`` names the picture from here on, as if it lay beside its file.

    Notes
    -----
    Parts of one object share a ``group_id``. LabelMe's polygons have no holes: a hole is joined to
    its rim by a cut without width; `read_labelme` draws every pixel again.
    """
    written = []
    for picture in annotations.pictures:
        shapes = [
            {
                "label": one.label,
                "points": bridge(polygon).tolist(),
                "group_id": number,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
            }
            for number, one in enumerate(picture.objects, 1)
            for polygon in mask_to_polygons(one.mask)
        ]
        content: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": Path(picture.name).name,
            "imageData": None,
            "imageHeight": picture.height,
            "imageWidth": picture.width,
        }
        path = out / f"{annotations.stem(picture)}.json"
        write_text(path, json.dumps(content, ensure_ascii=False))
        written.append(path)
    return written


def read_labelme(source: Path, images: Path) -> Annotations:
    """Read the JSON files of a folder, and of those in it.

    Parameters
    ----------
    images
        Folder of the pictures, laid out as the JSON files are.

    Raises
    ------
    InputError
        If a file is none of LabelMe's, or has a shape that is no polygon.
    """
    pictures = [_read(path, source, images) for path in sorted(source.rglob("*.json"))]
    if not pictures:
        raise InputError(f"{source} has no .json file; needs LabelMe's, one for each picture.")
    return Annotations(pictures=pictures)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore")
    label: str
    points: list[tuple[float, float]]
    group_id: int | None = None
    shape_type: Literal["polygon"] = "polygon"


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")
    shapes: list[_Shape]
    imagePath: str  # noqa: N815
    imageHeight: int  # noqa: N815
    imageWidth: int  # noqa: N815


def _read(path: Path, source: Path, images: Path) -> AnnotatedPicture:
    try:
        data = _File.model_validate(parse_json(read_text(path), source=str(path)))
        polygons = [(shape, Polygon(shape.points)) for shape in data.shapes]  # type: ignore[arg-type]
    except ValidationError as error:
        raise InputError(f"{path} is no LabelMe file of polygons: {complaint(error)}.") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    size = {"height": data.imageHeight, "width": data.imageWidth}
    check_size(**size, where=str(path))
    objects = [
        AnnotatedObject.of(label, polygons_to_mask([polygon for _, polygon in members], **size))
        for (label, _), members in _groups(polygons)
    ]
    called = PurePosixPath(data.imagePath.replace("\\", "/")).name
    if called in ("", ".."):
        raise InputError(f"{path}: imagePath is '{data.imagePath}'; needs the picture's name.")
    name = path.relative_to(source).with_name(called)
    return AnnotatedPicture(
        name=name.as_posix(), objects=tuple(objects), path=images / name, **size
    )


def _groups(
    polygons: list[tuple[_Shape, Polygon]],
) -> list[tuple[tuple[str, int], list[tuple[_Shape, Polygon]]]]:
    """Bring parts together that share label and group; what has no group is an object itself."""
    keys: dict[tuple[str, int], list[tuple[_Shape, Polygon]]] = {}
    for number, (shape, polygon) in enumerate(polygons):
        group = shape.group_id if shape.group_id is not None else -1 - number
        keys.setdefault((shape.label, group), []).append((shape, polygon))
    return list(keys.items())
