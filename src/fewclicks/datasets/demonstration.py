"""Photographs that come with scikit-image and scikit-learn, with masks drawn by hand.

``demonstration.json`` holds the outlines: polygons whose corners were chosen by eye on enlarged
pictures, never taken from a segmentation. A corner (x, y) counts from the upper left corner of the
picture, so that pixel centres lie at halves. Objects of a picture are listed from front to back;
where two outlines overlap, the one in front has the pixel.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Masks, Sample
from fewclicks.errors import ShapeError, StorageError
from fewclicks.images.polygons import Polygon, polygons_to_mask
from fewclicks.images.reading import read_image

OUTLINES: Final = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemonstrationConfig:
    """There is nothing to choose."""


class DemonstrationDataset:
    """A dozen objects on real photographs; no file is downloaded.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Not used: the pictures lie in the installed packages.
    config
        Has no fields.

    Examples
    --------
    >>> [sample.id for sample in DemonstrationDataset().samples("coffee")]
    ['coffee:cup', 'coffee:spoon', 'coffee:saucer']
    """

    config_type = DemonstrationConfig

    def __init__(
        self,
        name: str = "demonstration",
        folder: Path | None = None,  # noqa: ARG002, as every loader is built
        config: DemonstrationConfig | None = None,
    ) -> None:
        self.name = name
        self.config = config or DemonstrationConfig()

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names, sorted."""
        return tuple(_outlines())

    def samples(self, picture: str) -> list[Sample]:
        """Objects from front to back, called ``picture:object``."""
        entry = _outlines()[picture]
        return [
            Sample(
                id=f"{picture}:{item['name']}",
                picture=picture,
                load_image=partial(_load_image, entry),
                load_masks=partial(_load_masks, entry, index),
            )
            for index, item in enumerate(entry["objects"])
        ]

    def files(self, picture: str) -> list[Path]:
        """Name the picture and the outlines."""
        return [_picture_path(_outlines()[picture]), OUTLINES]

    def credit(self, picture: str) -> str:
        """Who made the picture, and under which licence it may be used."""
        return str(_outlines()[picture]["credit"])


@cache
def _outlines() -> dict[str, dict[str, Any]]:
    entries = json.loads(OUTLINES.read_text(encoding="utf-8"))["pictures"]
    return {entry["name"]: entry for entry in sorted(entries, key=lambda entry: entry["name"])}


def _picture_path(entry: dict[str, Any]) -> Path:
    """Find the file in its package without importing the package."""
    specification = importlib.util.find_spec(entry["package"])
    for root in (specification and specification.submodule_search_locations) or ():
        path = Path(root, entry["file"])
        if path.is_file():
            return path
    raise StorageError(
        f"Picture '{entry['name']}' is not where {entry['package']} keeps it "
        f"({entry['file']}); install that package anew."
    )


def _load_image(entry: dict[str, Any]) -> RgbImage:
    return read_image(_picture_path(entry))


def _load_masks(entry: dict[str, Any], index: int, shape: tuple[int, int]) -> Masks:
    if shape != (entry["height"], entry["width"]):
        raise ShapeError.differs(
            f"Picture '{entry['name']}' of the installed {entry['package']}",
            shape,
            needed=(entry["height"], entry["width"]),
            of="the one that was outlined",
        )
    mask = _outlined(entry["objects"][index], shape)
    for in_front in entry["objects"][:index]:
        mask &= ~_outlined(in_front, shape)
    return Masks(object_mask=mask)


def _outlined(item: dict[str, Any], shape: tuple[int, int]) -> BoolMask:
    """Fill the parts of an object and take its holes out."""
    parts, holes = (
        polygons_to_mask(
            [Polygon(corners) for corners in item.get(key, [])], height=shape[0], width=shape[1]
        )
        for key in ("parts", "holes")
    )
    return parts & ~holes
