"""Masks as polygons and back, without losing a pixel.

A polygon runs along the cracks between pixels, so its corners are whole numbers: the pixel in
column x and row y is the square from (x, y) to (x + 1, y + 1). A mask drawn again from its
polygons takes every pixel whose centre lies inside, and so is the same mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError, ShapeError

Ring: TypeAlias = NDArray[np.float64]
"""(k, 2) corners x, y; the last is joined to the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """One part of a mask.

    Parameters
    ----------
    outer : (k, 2)
        Corners x, y of the rim, in pixels from the picture's upper left corner.
    holes : (k, 2) each
        Rims of the holes.
    """

    outer: Ring
    holes: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "outer", _checked_ring(self.outer))
        object.__setattr__(self, "holes", tuple(_checked_ring(hole) for hole in self.holes))


def mask_to_polygons(mask: BoolMask, *, tolerance: float = 0.0) -> list[Polygon]:
    """Trace the parts of a mask and their holes.

    Parameters
    ----------
    mask : (H, W)
    tolerance
        How far, in pixels, a ring may leave the true one to have fewer corners; at 0 the mask can
        be drawn again exactly. About 1 turns stairs into slopes.

    Returns
    -------
    list of Polygon
        From the top down, pixels that only share a corner being different parts. Rims run
        clockwise on the screen, holes against the clock. At tolerance 0 no ring crosses or
        touches itself.

    Raises
    ------
    ShapeError
        If the mask has not two dimensions.
    InputError
        If the tolerance is below 0.

    Notes
    -----
    Takes time in proportion to the pixels, and to the corners.
    """
    if mask.ndim != 2:
        raise ShapeError(f"mask has shape {mask.shape}; needs (height, width).")
    if not tolerance >= 0:
        raise InputError(f"tolerance is {tolerance}; needs a number of pixels from 0.")
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    rims: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {}
    for ring in _trace(np.pad(mask.astype(bool), 1)):
        part = int(parts[_pixel_beside(ring)])
        if _turns_clockwise(ring):
            rims[part] = ring
        else:
            holes.setdefault(part, []).append(ring)
    return [
        Polygon(
            _simplify(rim, tolerance),
            tuple(_simplify(hole, tolerance) for hole in holes.get(part, [])),
        )
        for part, rim in sorted(rims.items())
    ]


def polygons_to_mask(polygons: Iterable[Polygon], *, height: int, width: int) -> BoolMask:
    """Draw polygons: a pixel is on the object where its centre is inside one of them.

    Parameters
    ----------
    polygons
        They may overlap, and reach outside the picture. Corners may be fractions.
    height, width
        Of the mask, in pixels.

    Returns
    -------
    (H, W)
        A centre right on a left or upper edge is inside, on a right or lower edge outside, so
        polygons that share an edge share no pixel. Where a ring crosses itself, the even-odd rule
        holds.
    """
    mask = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        _fill(mask, (polygon.outer, *polygon.holes))
    return mask


def _checked_ring(corners: object) -> Ring:
    try:
        ring = np.asarray(corners, dtype=np.float64)
    except (TypeError, ValueError):
        raise ShapeError("A ring of a polygon needs corners [[x, y], ...].") from None
    if ring.ndim != 2 or ring.shape[0] < 3 or ring.shape[1] != 2:
        raise ShapeError(f"A ring of a polygon has shape {ring.shape}; needs (3 or more, 2).")
    if not np.isfinite(ring).all():
        raise InputError("A ring of a polygon has a corner that is not finite.")
    return ring


def _trace(padded: BoolMask) -> Iterator[Ring]:
    """Follow the cracks around a mask that has a rim of one pixel off it.

    Corners are found all at once. Within a row of corners, the 1st and 2nd are joined by a
    horizontal crack, the 3rd and 4th, and so on; likewise within a column; rings are what
    alternating between the two gives. Where two pixels touch by a corner only, that corner counts
    twice, and its copies are paired so that each crack is followed with its pixel on the right.
    """
    north_west, north_east = padded[:-1, :-1], padded[:-1, 1:]
    south_west, south_east = padded[1:, :-1], padded[1:, 1:]
    is_corner = north_west ^ north_east ^ south_west ^ south_east
    is_touch = (north_west == south_east) & (north_east == south_west) & (north_west != north_east)

    ys, xs = np.nonzero(is_corner | is_touch)
    copies = 1 + is_touch[ys, xs]
    is_second = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
    ys, xs = np.repeat(ys, copies), np.repeat(xs, copies)

    # Of a touch, the first copy ends the crack from the left; it meets the crack from above
    # where the pixel between those two is on the object, else the crack from below.
    second_downwards = np.where(is_touch[ys, xs] & ~north_west[ys, xs], 1 - is_second, is_second)
    downwards = np.lexsort((second_downwards, ys, xs))
    above_or_below = np.empty_like(downwards)
    above_or_below[downwards[0::2]] = downwards[1::2]
    above_or_below[downwards[1::2]] = downwards[0::2]
    runs_right = south_east[ys[0::2], xs[0::2]]

    corners = np.column_stack([xs, ys]).astype(np.float64)
    place = (ys * padded.shape[1] + xs).tolist()
    for walk in _walks(above_or_below.tolist(), runs_right.tolist()):
        for ring in _untouching(walk, place):
            yield corners[ring]


def _walks(above_or_below: list[int], runs_right: list[bool]) -> Iterator[list[int]]:
    """Close the walks that alternate between horizontal and vertical cracks."""
    is_done = [False] * len(runs_right)
    for crack, to_right in enumerate(runs_right):
        if is_done[crack]:
            continue
        start = corner = 2 * crack if to_right else 2 * crack + 1
        walk = []
        while True:
            is_done[corner // 2] = True
            walk += [corner, corner ^ 1]
            corner = above_or_below[corner ^ 1]
            if corner == start:
                break
        yield walk


def _untouching(walk: list[int], place: list[int]) -> Iterator[list[int]]:
    """Cut a walk where it comes back to a place, so that no ring touches itself."""
    path: list[int] = []
    when: dict[int, int] = {}
    for corner in walk:
        first = when.get(place[corner])
        if first is not None:
            yield path[first:]
            for left in path[first:]:
                del when[place[left]]
            del path[first:]
        when[place[corner]] = len(path)
        path.append(corner)
    yield path


def _pixel_beside(ring: Ring) -> tuple[int, int]:
    """Row and column of the object's pixel on the right of a horizontal crack of the ring."""
    (x0, y0), (x1, y1) = ring[0].tolist(), ring[1].tolist()
    if y0 != y1:
        (x0, y0), (x1, y1) = (x1, y1), ring[2].tolist()
    return int(y0 if x1 > x0 else y0 - 1), int(min(x0, x1))


def _turns_clockwise(ring: Ring) -> bool:
    """Look at the sign of the area; y runs down."""
    x, y = ring[:, 0], ring[:, 1]
    return bool(np.dot(x, np.roll(y, -1)) > np.dot(y, np.roll(x, -1)))


def _simplify(ring: Ring, tolerance: float) -> Ring:
    if tolerance == 0:
        return ring
    fewer = cv2.approxPolyDP(ring.astype(np.float32)[:, None], tolerance, closed=True)[:, 0]
    return fewer.astype(np.float64) if len(fewer) >= 3 else ring


def _fill(mask: BoolMask, rings: tuple[Ring, ...]) -> None:
    """Add what lies within an odd number of rings, scanning each row through pixel centres."""
    start = np.concatenate(rings)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    height, width = mask.shape
    # An edge crosses the rows whose centres lie in [its upper end, its lower end).
    upper = np.minimum(start[:, 1], end[:, 1])
    lower = np.maximum(start[:, 1], end[:, 1])
    first = np.clip(np.ceil(upper - 0.5), 0, height).astype(np.int64)
    stop = np.clip(np.ceil(lower - 0.5), 0, height).astype(np.int64)
    counts = stop - first
    if not counts.any():
        return
    edge = np.repeat(np.arange(counts.size), counts)
    row = np.arange(edge.size) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (row + 0.5 - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    x = start[edge, 0] + share * (end[edge, 0] - start[edge, 0])
    column = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)

    top, left = int(first[counts > 0].min()), int(column.min())
    rows, columns = int(stop.max()) - top, int(column.max()) - left
    crossings = np.zeros((rows, columns + 1), dtype=np.uint8)  # may wrap: odd stays odd
    np.add.at(crossings, (row - top, column - left), 1)
    inside = np.cumsum(crossings, axis=1, dtype=np.uint8)[:, :columns] % 2 == 1
    mask[top : top + rows, left : left + columns] |= inside
