"""Objects of a kind: which of them a click means, and what it may change.

Who has shown one object as an exemplar speaks of several, and corrects one of them with each click.
So the answer is looked at around that object, and the others stay as they are.
"""

from __future__ import annotations

import cv2
import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box


def object_meant(mask: BoolMask, click: Click, *, reach: float) -> BoolMask | None:
    """Find the object that a click corrects.

    Parameters
    ----------
    mask : (H, W)
        The answer before the click; what hangs together in it, by sides or corners, is an object.
    reach
        In pixels; the click corrects the nearest object that it lies on or nearer to than this.

    Returns
    -------
    (H, W) or None
        None where the click begins a new object.
    """
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(mask)
    if rows.size == 0:
        return None
    squares = (rows - click.y) ** 2 + (columns - click.x) ** 2
    nearest = int(squares.argmin())
    if squares[nearest] > 0 and squares[nearest] >= reach**2:
        return None
    return np.asarray(labels == labels[rows[nearest], columns[nearest]])


def changed_at(click: Click, before: BoolMask, after: BoolMask) -> BoolMask:
    """Let a click change only what hangs together with it, by sides or corners.

    Parameters
    ----------
    before, after : (H, W)
        Answers without and with the click. Where they agree at the click's own pixel, nothing
        changes.
    """
    changed = before ^ after
    _, labels = cv2.connectedComponents(changed.astype(np.uint8), connectivity=8)
    at_click = labels[click.y, click.x]
    return np.asarray(before ^ (changed & (labels == at_click))) if at_click else before


def rounded(box: Box, *, height: int, width: int, steps: int) -> Box:
    """Widen a box to a coarse grid, so that an object that changes a little keeps its box.

    Parameters
    ----------
    height, width
        Of the picture, which the box stays inside.
    steps
        Of the grid, along the longer side of the picture.
    """
    step = max(1, round(max(height, width) / steps))
    return Box(
        box.x0 // step * step,
        box.y0 // step * step,
        -(-box.x1 // step) * step,
        -(-box.y1 // step) * step,
    ).clamped(height=height, width=width)
