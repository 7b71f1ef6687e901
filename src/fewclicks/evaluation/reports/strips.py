"""Strips: a case as small pictures, what was meant first, then the answer click by click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.evaluation.reports.cases import Case
from fewclicks.images.boxes import Box
from fewclicks.images.overlay import FINISHED_COLOURS, Colour, draw_overlay
from fewclicks.images.resizing import resize_image, resize_mask

_SIDE: Final = 240
_SMALL: Final = 0.4  # of the picture's area: what is smaller is shown larger
_TRUTH: Final[Colour] = FINISHED_COLOURS[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A small picture and what stands below it."""

    picture: RgbImage
    caption: str


def draw_strip(case: Case) -> list[Tile]:
    """Draw what was meant, then each shot with the clicks so far.

    A small object is shown with its surroundings alone, the same for all tiles.
    """
    box = _frame(case)
    picture = _shrunk(box.crop(case.image))
    truth = draw_overlay(picture, _small(case.truth, box, picture), colour=_TRUTH)
    tiles = [Tile(picture=truth, caption="what was meant")]
    for shot in case.shots:
        clicks = [_moved(click, box, picture) for click in case.clicks[: shot.clicks]]
        drawn = draw_overlay(picture, _small(shot.mask, box, picture), clicks)
        plural = "s" * (shot.clicks != 1)
        tiles.append(
            Tile(picture=drawn, caption=f"{shot.clicks} click{plural}, IoU {shot.iou:.2f}")
        )
    return tiles


def _frame(case: Case) -> Box:
    """Give the part to show: everything, or what lies around a small object and its clicks."""
    height, width = case.truth.shape
    meant = np.array(case.truth)
    for click in case.clicks:
        meant[click.y, click.x] = True
    tight = Box.around(meant)
    margin = max(tight.width, tight.height) // 3
    box = Box.around(meant, margin=margin)
    if box.width * box.height < _SMALL * width * height:
        return box
    return Box(0, 0, width, height)


def _shrunk(part: RgbImage) -> RgbImage:
    """Scale to the tile's longest side, up as well as down."""
    scale = _SIDE / max(part.shape[:2])
    height, width = (max(1, round(extent * scale)) for extent in part.shape[:2])
    return resize_image(np.ascontiguousarray(part), height=height, width=width)


def _small(mask: BoolMask, box: Box, picture: RgbImage) -> BoolMask:
    height, width = picture.shape[:2]
    return resize_mask(np.ascontiguousarray(box.crop(mask)), height=height, width=width)


def _moved(click: Click, box: Box, picture: RgbImage) -> Click:
    height, width = picture.shape[:2]
    x = int((click.x - box.x0 + 0.5) * width / box.width)
    y = int((click.y - box.y0 + 0.5) * height / box.height)
    return Click(min(x, width - 1), min(y, height - 1), click.is_positive)
