"""A file of annotations in COCO's form: pictures, categories, and objects as polygons or runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from pycocotools import mask as runs

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.errors import InputError, StorageError
from fewclicks.images.masks import decode_rle, runs_to_mask
from fewclicks.images.reading import read_image

_ID: Final = (int, str)
_LEAST: Final = 6  # numbers of a polygon with an inside
_FARTHEST: Final = 1_000_000  # pixels


class CocoFile:
    """Annotations by picture; pictures without any are left out.

    Parameters
    ----------
    path
        Holds ``images``, ``annotations`` and ``categories``.

    Raises
    ------
    StorageError
        If there is no such file, or it may not be read.
    InputError
        If it is not of COCO's form, or two pictures share a stem.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = _read(path)
        self._categories = {each["id"]: each for each in content["categories"]}
        names = {each["id"]: each["file_name"] for each in content["images"]}
        self._sizes = {
            each["file_name"]: (each["height"], each["width"])
            for each in content["images"]
            if all(isinstance(each.get(side), int) for side in ("height", "width"))
        }
        self._files: dict[str, str] = {}
        self._of: dict[str, list[Mapping[str, Any]]] = {}
        for annotation in content["annotations"]:
            name = names.get(annotation["image_id"])
            if name is None:
                raise InputError(
                    f"{path} has an object of picture {annotation['image_id']}, which it does "
                    "not list."
                )
            stem = Path(name).stem
            if self._files.setdefault(stem, name) != name:
                raise InputError(f"{path} lists two pictures called '{stem}'; needs one.")
            self._of.setdefault(stem, []).append(annotation)

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Names of the pictures without their endings, sorted."""
        return tuple(sorted(self._of))

    def file_name(self, stem: str) -> str:
        """Name a picture's file, as the annotations do."""
        return self._files[stem]

    def loader(self, stem: str, path: Path) -> Callable[[], RgbImage]:
        """Give what reads a picture, and refuses one that is not as large as the file lists it."""
        return partial(_read_listed, path, self._sizes.get(self._files[stem]), self.path)

    def annotations(self, stem: str) -> Sequence[Mapping[str, Any]]:
        """Give the objects of a picture, in the order of the file."""
        return self._of[stem]

    def category(self, annotation: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give an object's category: its name, and what it belongs to.

        Raises
        ------
        InputError
            If the file does not list it.
        """
        try:
            category: Mapping[str, Any] = self._categories[annotation["category_id"]]
        except KeyError:
            raise InputError(
                f"{self.path} does not list category {annotation.get('category_id')}."
            ) from None
        return category


def is_object(annotation: Mapping[str, Any], *, min_area: float) -> bool:
    """Whether an annotation outlines one object, and one large enough, as the file says."""
    return (
        not annotation.get("iscrowd")
        and bool(annotation["segmentation"])
        and float(annotation.get("area", 1.0)) >= min_area
    )


def draw(file: Path, annotations: Sequence[Mapping[str, Any]], shape: tuple[int, int]) -> BoolMask:
    """Draw what annotations outline together.

    Parameters
    ----------
    file
        They come from, as a message names it.
    annotations
        Each with a ``segmentation``: polygons, or run lengths, packed or not.
    shape
        Height and width of the picture.

    Raises
    ------
    InputError
        If one is of another size.
    """
    drawn = np.zeros(shape, dtype=bool)
    for annotation in annotations:
        try:
            drawn |= _draw_one(annotation["segmentation"], shape)
        except InputError as error:
            raise InputError(f"{file}: object {annotation.get('id')}: {error}") from None
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
            raise InputError(
                f"{file}: object {annotation.get('id')} has no outline; needs polygons or run "
                "lengths."
            ) from None
    return drawn


def _read_listed(picture: Path, listed: tuple[int, int] | None, file: Path) -> RgbImage:
    image = read_image(picture)
    if listed not in (None, image.shape[:2]):
        raise InputError(
            f"{picture} is of (height, width) {image.shape[:2]}, but {file} lists it as {listed}; "
            "needs the picture as it was annotated."
        )
    return image


def _draw_one(outline: Any, shape: tuple[int, int]) -> BoolMask:
    if isinstance(outline, list):
        polygons = [polygon for polygon in outline if len(polygon) >= _LEAST]
        if not polygons:
            return np.zeros(shape, dtype=bool)
        # The C code walks along every edge, however far it leads.
        corners = np.concatenate([np.asarray(polygon, np.float64) for polygon in polygons])
        far = float(np.abs(corners).max())
        if not far <= _FARTHEST:
            raise InputError(f"a corner lies {far:g} pixels away; the limit is {_FARTHEST}.")
        packed = runs.merge(runs.frPyObjects(polygons, *shape))
        return decode_rle({"size": list(shape), "counts": packed["counts"].decode("ascii")})
    if list(outline["size"]) != list(shape):
        raise InputError(f"it is outlined on {outline['size']} pixels; its picture is {shape}.")
    if isinstance(outline["counts"], list):
        return runs_to_mask(outline["counts"], height=shape[0], width=shape[1])
    return decode_rle(outline)


def _read(path: Path) -> Mapping[str, Any]:
    parts: dict[str, dict[str, tuple[type, ...]]] = {
        "images": {"id": _ID, "file_name": (str,)},
        "annotations": {
            "id": _ID,
            "image_id": _ID,
            "category_id": _ID,
            "segmentation": (list, dict),
        },
        "categories": {"id": _ID, "name": (str,)},
    }
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"Cannot read annotations {path}: {reason}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}.") from None
    for part, keys in parts.items():
        listed = content.get(part) if isinstance(content, dict) else None
        if not isinstance(listed, list):
            raise InputError(f"{path} has no list '{part}'; needs annotations in COCO's form.")
        for number, each in enumerate(listed, start=1):
            lacks = [key for key in keys if not _is(each, key, keys[key])]
            lacks += [] if lacks or isinstance(each.get("area", 1), (int, float)) else ["area"]
            if lacks:
                raise InputError(
                    f"{path}: number {number} of '{part}' has no '{lacks[0]}' that can be used; "
                    "needs annotations in COCO's form."
                )
    return dict(content)


def _is(entry: Any, key: str, kinds: tuple[type, ...]) -> bool:
    return isinstance(entry, dict) and key in entry and isinstance(entry[key], kinds)
