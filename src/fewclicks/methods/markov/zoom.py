"""Zoom: which part of the picture to look at, so that a small object gets as many regions as a big.

A box is kept as long as it still fits the object, so that the clicks of an object share their work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click, positives
from fewclicks.images.boxes import Box

_LEAST_ROOM: Final = 0.3  # of the margin, that must be left for a box to be kept
_MOST_ROOM: Final = 2.0  # margins around the object that a kept box may have
_WORTH_IT: Final = 0.5  # share of the picture; a larger part is no closer look


def choose_part(mask: BoolMask, clicks: Sequence[Click], *, margin: float, kept: Box | None) -> Box:
    """Choose where to look for the object.

    Parameters
    ----------
    mask : (H, W)
        The answer so far.
    clicks
        On the object or off it.
    margin
        Around the object, as a share of its size; 0 always looks at the whole picture.
    kept
        Where the answer so far was looked for.

    Returns
    -------
    Box
        Of the picture; the whole of it where the object is large or nowhere.
    """
    height, width = mask.shape
    whole = Box(0, 0, width, height)
    if margin == 0 or not mask.any():
        return whole
    tight = _around(mask, clicks)
    if kept is not None and kept != whole and _fits(kept, tight, margin, whole):
        return kept
    box = _widened(tight, margin, whole)
    return whole if _area(box) > _WORTH_IT * _area(whole) else box


def _around(mask: BoolMask, clicks: Sequence[Click]) -> Box:
    held = Box.around(mask)
    xs = np.array([click.x for click in positives(clicks)] + [held.x0, held.x1 - 1])
    ys = np.array([click.y for click in positives(clicks)] + [held.y0, held.y1 - 1])
    return Box(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)


def _fits(kept: Box, tight: Box, margin: float, whole: Box) -> bool:
    least = _widened(tight, margin * _LEAST_ROOM, whole)
    holds = (
        kept.x0 <= least.x0 and kept.y0 <= least.y0 and kept.x1 >= least.x1 and kept.y1 >= least.y1
    )
    return holds and _area(kept) <= _area(_widened(tight, margin * _MOST_ROOM, whole))


def _widened(box: Box, margin: float, whole: Box) -> Box:
    """Add a margin that is a share of the mean of a side and the longer side."""
    longest = max(box.height, box.width)
    right = round(margin * (box.width + longest) / 2)
    down = round(margin * (box.height + longest) / 2)
    wider = Box(box.x0 - right, box.y0 - down, box.x1 + right, box.y1 + down)
    return wider.clamped(height=whole.height, width=whole.width)


def _area(box: Box) -> int:
    return box.height * box.width
