"""COCO: all pictures and objects in one JSON file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError
from fewclicks.files import read_text, write_text
from fewclicks.formats.annotated import (
    AnnotatedObject,
    AnnotatedPicture,
    Annotations,
    check_size,
)
from fewclicks.formats.rings import bridge
from fewclicks.images.boxes import Box
from fewclicks.images.masks import RunLengths, decode_rle, encode_rle, runs_to_mask
from fewclicks.images.polygons import Polygon, mask_to_polygons, polygons_to_mask
from fewclicks.json_text import complaint, parse_json

FILE: Final = "annotations.json"


def write_coco(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``annotations.json`` with run lengths: every pixel is kept.

    Parameters
    ----------
    out
        Folder.
    """
    return _write(annotations, out, lambda one, _: one.rle)


def write_coco_polygons(annotations: Annotations, out: Path) -> list[Path]:
    """Write ``annotations.json`` with polygons along the pixels' edges.

    A hole is joined to its rim by a cut without width, since COCO's polygons have no holes;
    `read_coco` draws every pixel again, while pycocotools rounds corners its own way and may
    differ along the rim.
    """
    return _write(annotations, out, lambda _, mask: _flat(mask_to_polygons(mask)))


def read_coco(source: Path, images: Path) -> Annotations:
    """Read instances; objects that are crowds are left out.

    Parameters
    ----------
    source
        The JSON file, or a folder with one called ``annotations.json``.
    images
        Folder that ``file_name`` is looked up in.

    Raises
    ------
    InputError
        If the file is no such JSON, or an annotation does not fit its picture.
    """
    path = source / FILE if source.is_dir() else source
    try:
        data = _File.model_validate(parse_json(read_text(path), source=str(path)))
    except ValidationError as error:
        raise InputError(f"{path} is no COCO file of instances: {complaint(error)}.") from None
    labels = {one.id: one.name for one in _each_once(data.categories, path, "category")}
    sizes = {one.id: one for one in _each_once(data.images, path, "image")}
    objects: dict[int, list[AnnotatedObject]] = defaultdict(list)
    for one in data.annotations:
        if one.image_id not in sizes or one.category_id not in labels:
            what = "image" if one.image_id not in sizes else "category"
            raise InputError(
                f"{path}: annotation {one.id} names an {what} that the file does not list."
            )
        if one.iscrowd:
            continue
        image = sizes[one.image_id]
        check_size(image.height, image.width, where=str(path))
        rle = _read_segmentation(one, image.height, image.width, path)
        objects[one.image_id].append(AnnotatedObject(label=labels[one.category_id], rle=rle))
    pictures = [
        AnnotatedPicture(
            name=image.file_name,
            height=image.height,
            width=image.width,
            objects=tuple(objects[image.id]),
            path=images / image.file_name,
        )
        for image in sizes.values()
    ]
    return Annotations(pictures=pictures, labels=tuple(labels.values()))


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


_Side = Annotated[int, Field(gt=0, le=1_000_000)]


class _Image(_Lenient):
    id: int
    file_name: str
    height: _Side
    width: _Side


class _Category(_Lenient):
    id: int
    name: str


_ListedT = TypeVar("_ListedT", _Image, _Category)


class _RunLengths(_Lenient):
    size: tuple[_Side, _Side]
    counts: str | list[Annotated[int, Field(ge=0)]]


class _Annotation(_Lenient):
    id: int
    image_id: int
    category_id: int
    segmentation: _RunLengths | list[list[float]]
    iscrowd: int = 0


class _File(_Lenient):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def _each_once(listed: Sequence[_ListedT], path: Path, what: str) -> Iterable[_ListedT]:
    """Leave out what is listed again, as merged files do, and refuse two things of one number."""
    known: dict[int, _ListedT] = {}
    for one in listed:
        if known.setdefault(one.id, one) != one:
            raise InputError(f"{path} lists two of {what} {one.id}; needs a number for each.")
    return known.values()


def _write(
    annotations: Annotations,
    out: Path,
    segmentation: Callable[[AnnotatedObject, BoolMask], RunLengths | list[list[float]]],
) -> list[Path]:
    images: list[dict[str, Any]] = []
    written: list[dict[str, Any]] = []
    for number, picture in enumerate(annotations.pictures, 1):
        size = {"width": picture.width, "height": picture.height}
        images.append({"id": number, "file_name": picture.name, **size})
        for one in picture.objects:
            mask = one.mask
            if mask.any():
                written.append(
                    {
                        "id": len(written) + 1,
                        "image_id": number,
                        "category_id": annotations.number(one.label) + 1,
                        "segmentation": segmentation(one, mask),
                        "area": int(mask.sum()),
                        "bbox": _bbox(mask),
                        "iscrowd": 0,
                    }
                )
    categories = [
        {"id": number, "name": label, "supercategory": ""}
        for number, label in enumerate(annotations.labels, 1)
    ]
    path = out / FILE
    content = {"info": {}, "images": images, "annotations": written, "categories": categories}
    write_text(path, json.dumps(content, ensure_ascii=False))
    return [path]


def _bbox(mask: BoolMask) -> list[int]:
    box = Box.around(mask)
    return [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]


def _flat(polygons: Iterable[Polygon]) -> list[list[float]]:
    return [bridge(polygon).ravel().tolist() for polygon in polygons]


def _read_segmentation(one: _Annotation, height: int, width: int, path: Path) -> RunLengths:
    try:
        return _run_lengths(one.segmentation, height, width)
    except InputError as error:
        raise InputError(f"{path}: annotation {one.id}: {error}") from None


def _run_lengths(
    segmentation: _RunLengths | list[list[float]], height: int, width: int
) -> RunLengths:
    if isinstance(segmentation, list):
        return encode_rle(_draw(segmentation, height, width))
    if segmentation.size != (height, width):
        raise InputError(
            f"has run lengths of {segmentation.size}; needs those of its picture, "
            f"({height}, {width})."
        )
    if isinstance(segmentation.counts, list):
        return encode_rle(runs_to_mask(segmentation.counts, height=height, width=width))
    rle = RunLengths(size=[height, width], counts=segmentation.counts)
    decode_rle(rle)  # complains of damage here, not when somebody looks
    return rle


def _draw(flat: list[list[float]], height: int, width: int) -> BoolMask:
    for ring in flat:
        if len(ring) < 6 or len(ring) % 2:
            raise InputError(f"has a polygon of {len(ring)} numbers; needs x, y of 3 corners.")
    polygons = [Polygon(list(zip(ring[::2], ring[1::2], strict=True))) for ring in flat]  # type: ignore[arg-type]
    return polygons_to_mask(polygons, height=height, width=width)
