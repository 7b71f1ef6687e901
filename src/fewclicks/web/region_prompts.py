"""Region prompts: what an annotator drew in Label Studio, as clicks and a box.

Its places are percents of the picture's width and height. What a smart tool draws is told by
``is_positive`` beside its value; a point without it is positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.web.uploads import Prompts

MOST_REGIONS: Final = 500
_POINTS: Final = ("keypointlabels", "keypoint")
_BOXES: Final = ("rectanglelabels", "rectangle")

_Percent = Annotated[float, Field(allow_inf_nan=False, ge=-1000, le=1000)]
_Side = Annotated[int, Field(gt=0, le=100_000)]


class _Place(BaseModel):
    x: _Percent
    y: _Percent
    width: _Percent = 0.0
    height: _Percent = 0.0
    rotation: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    keypointlabels: list[str] = []
    rectanglelabels: list[str] = []
    labels: list[str] = []

    @property
    def label(self) -> str | None:
        named = [*self.keypointlabels, *self.rectanglelabels, *self.labels]
        return named[0] if named else None


class _Region(BaseModel):
    type: str
    value: _Place
    original_width: _Side
    original_height: _Side
    image_rotation: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    is_positive: bool = True


class RegionPrompts(BaseModel):
    """Points and rectangles on one picture.

    Parameters
    ----------
    regions
        In the order they were drawn; the last rectangle counts.
    """

    regions: Annotated[list[_Region], Field(min_length=1)]

    @classmethod
    def of(cls, result: Sequence[Any]) -> RegionPrompts | None:
        """Take what is drawn, of which points and rectangles are prompts; None if there is none."""
        prompts = [one for one in result if _kind(one) in (*_POINTS, *_BOXES)]
        return cls.model_validate({"regions": prompts}) if prompts else None

    @property
    def label(self) -> str | None:
        """What the newest prompt is called."""
        return self.regions[-1].value.label

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture, as the annotator's page has it."""
        return self.regions[0].original_height, self.regions[0].original_width

    @property
    def prompts(self) -> Prompts:
        """In pixels.

        Raises
        ------
        InputError
            If the picture or a rectangle is turned.
        """
        height, width = self.size
        clicks: list[Click] = []
        box: Box | None = None
        for region in self.regions:
            if region.image_rotation or region.value.rotation:
                raise InputError("The picture or a rectangle is turned; turn it back first.")
            if region.type in _POINTS:
                x, y = _pixel(region.value.x, width), _pixel(region.value.y, height)
                clicks.append(Click(x=x, y=y, is_positive=region.is_positive))
            else:
                box = _box(region.value, height=height, width=width)
        return Prompts(clicks=tuple(clicks), box=box)


def _kind(region: Any) -> str:
    return str(region.get("type", "")) if isinstance(region, dict) else ""


def _pixel(percent: float, side: int) -> int:
    """Give the pixel that a place is on; the picture's right and lower rims belong to the last."""
    return min(max(math.floor(percent * side / 100), 0), side - 1)


def _box(value: _Place, *, height: int, width: int) -> Box:
    """Give the pixels that a rectangle touches, one at least."""
    x0, x1 = sorted((value.x, value.x + value.width))
    y0, y1 = sorted((value.y, value.y + value.height))
    left, top = _pixel(x0, width), _pixel(y0, height)
    right = min(max(_ceil(x1 * width / 100), left + 1), width)
    bottom = min(max(_ceil(y1 * height / 100), top + 1), height)
    return Box(left, top, right, bottom)


def _ceil(place: float) -> int:
    return math.ceil(place - 1e-6)  # percents of whole pixels come back a hair above them
