"""A file of annotations in COCO's form: pictures, categories, and objects as polygons or runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as runs

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError, StorageError
from fewclicks.images.masks import decode_rle, runs_to_mask


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
        names = {each["id"]: str(each["file_name"]) for each in content["images"]}
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


def draw(annotations: Sequence[Mapping[str, Any]], shape: tuple[int, int]) -> BoolMask:
    """Draw what annotations outline together.

    Parameters
    ----------
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
        mask = _draw_one(annotation["segmentation"], shape)
        if mask.shape != shape:
            raise InputError(
                f"Object {annotation.get('id')} is outlined on {mask.shape[0]} by "
                f"{mask.shape[1]} pixels; its picture is {shape[0]} by {shape[1]}."
            )
        drawn |= mask
    return drawn


def _draw_one(outline: Any, shape: tuple[int, int]) -> BoolMask:
    if isinstance(outline, list):
        if not outline:
            return np.zeros(shape, dtype=bool)
        packed = runs.merge(runs.frPyObjects(outline, *shape))
        return decode_rle({"size": list(shape), "counts": packed["counts"].decode("ascii")})
    if isinstance(outline["counts"], list):
        height, width = outline["size"]
        return runs_to_mask(outline["counts"], height=height, width=width)
    return decode_rle(outline)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"Cannot read annotations {path}: {reason}.") from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}.") from None
    parts = ("images", "annotations", "categories")
    missing = [part for part in parts if not isinstance(content, dict) or part not in content]
    if missing:
        raise InputError(f"{path} has no list '{missing[0]}'; needs annotations in COCO's form.")
    return dict(content)
