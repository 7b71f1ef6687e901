"""Shape view: the square around an answer, as the shape network sees it.

Drawn for each click, and in the same way for the lessons that the network was fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatImage, FloatMap, RgbImage
from fewclicks.clicks import Click

SIDE: Final = 128
"""Pixels of the square that the network sees, along each side."""

CHANNELS: Final = 9
"""Red, green, blue; the opinion; the previous mask; positive, negative, newest clicks; inside."""

MARGIN: Final = 0.3
"""Around the answer, on each side, as a share of it."""

_LEAST: Final = 0.2  # of the picture's longer side; a smaller square would show too little
_MOST: Final = 1.05
_DOT: Final = 4.0  # pixels of the square, standard deviation of a click
_OPINION: Final = 4.0  # log odds that stand for 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Square:
    """A square of a picture, which it may reach beyond.

    Parameters
    ----------
    x, y
        Its middle, in pixels; 0 is the picture's edge, not the middle of a pixel.
    side
        In pixels.
    is_mirrored
        Whether it is seen with left and right exchanged.
    """

    x: float
    y: float
    side: float
    is_mirrored: bool = False

    @property
    def step(self) -> float:
        """Pixels of the picture from one pixel of the square to the next."""
        return self.side / SIDE

    def seen_at(self, x: float, y: float) -> tuple[float, float]:
        """Say where a place of the picture is seen, in pixels of the square from its edge."""
        right = (x - self.x) / self.step
        return SIDE / 2 + (-right if self.is_mirrored else right), SIDE / 2 + (
            y - self.y
        ) / self.step

    def read(self, planes: RgbImage | FloatImage) -> FloatImage:
        """See planes of the picture, (h, w, c), as (SIDE, SIDE, c).

        A pixel is the mean of what it covers; beyond the picture its border goes on.
        """
        blur = round(self.step)
        around = (
            cv2.blur(planes, (blur, blur), borderType=cv2.BORDER_REPLICATE) if blur > 1 else planes
        )
        seen = cv2.warpAffine(
            around,
            self._to_picture(),
            (SIDE, SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(seen, dtype=np.float32)

    def covers(self, *, height: int, width: int) -> FloatMap:
        """Say where the square shows the picture, (SIDE, SIDE): 1 inside it, 0 beyond."""
        (right, _, left), (_, down, top) = self._to_picture()
        along = np.arange(SIDE)
        columns = np.rint(left + right * along)
        rows = np.rint(top + down * along)
        inside = np.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
        return inside.astype(np.float32)

    def put_back(self, seen: FloatMap, *, height: int, width: int) -> FloatMap:
        """Spread a map of the square, (SIDE, SIDE), over the picture, 0 outside the square."""
        return np.asarray(cv2.warpAffine(seen, self._to_picture(), (width, height)))

    def _to_picture(self) -> NDArray[np.float64]:
        """From the middle of a pixel of the square to that of the picture, 2 x 3."""
        right = -self.step if self.is_mirrored else self.step
        half = (SIDE - 1) / 2
        return np.array(
            [
                [right, 0.0, self.x - 0.5 - right * half],
                [0.0, self.step, self.y - 0.5 - self.step * half],
            ]
        )


def square_around(mask: BoolMask, clicks: Sequence[Click], *, margin: float = MARGIN) -> Square:
    """Find the square that holds an answer and its clicks, moved into the picture where it fits.

    Parameters
    ----------
    mask : (h, w)
        May be empty if there is a click.
    clicks
        In pixels of the mask.
    margin
        On each side, as a share of what it holds.
    """
    longest = max(mask.shape)
    x, width = _extent(np.asarray(mask.any(axis=0)), [click.x + 0.5 for click in clicks])
    y, height = _extent(np.asarray(mask.any(axis=1)), [click.y + 0.5 for click in clicks])
    side = max(width, height) * (1.0 + 2.0 * margin)
    side = min(max(side, _LEAST * longest), _MOST * longest)
    rows, columns = mask.shape
    return Square(x=_inside(x, side, columns), y=_inside(y, side, rows), side=side)


def _extent(is_there: NDArray[np.bool_], clicked: Sequence[float]) -> tuple[float, float]:
    """Middle and length of what lies along an axis."""
    there = np.flatnonzero(is_there)
    ends = [*clicked] if there.size == 0 else [*clicked, float(there[0]), float(there[-1]) + 1.0]
    return (min(ends) + max(ends)) / 2, max(ends) - min(ends)


def _inside(middle: float, side: float, extent: int) -> float:
    """Move a square into the picture; one that does not fit stands in the middle of it."""
    if side >= extent:
        return extent / 2
    return min(max(middle, side / 2), extent - side / 2)


def see(
    picture: RgbImage,
    opinion: FloatMap,
    previous: BoolMask,
    clicks: Sequence[Click],
    square: Square,
) -> FloatImage:
    """Draw what the network is shown, (CHANNELS, SIDE, SIDE).

    Parameters
    ----------
    picture : (h, w, 3)
    opinion : (h, w)
        Log odds of each pixel to belong to the object.
    previous : (h, w)
        The answer before the newest click; empty at the first.
    clicks
        In pixels of the picture.
    square
        Where to look.
    """
    height, width = opinion.shape
    seen = np.zeros((CHANNELS, SIDE, SIDE), dtype=np.float32)
    seen[:3] = np.moveaxis(square.read(picture), -1, 0) / np.float32(127.5) - np.float32(1.0)
    held = np.dstack([opinion / np.float32(_OPINION), np.where(previous, 1.0, -1.0)])
    seen[3:5] = np.moveaxis(square.read(held.astype(np.float32)), -1, 0)
    for number, click in enumerate(clicks, 1):
        dot = _dot(*square.seen_at(click.x + 0.5, click.y + 0.5))
        kind = seen[5 if click.is_positive else 6]
        np.maximum(kind, dot, out=kind)
        if number == len(clicks):
            seen[7] = dot if click.is_positive else -dot
    seen[8] = square.covers(height=height, width=width)
    return seen


def _dot(x: float, y: float) -> FloatMap:
    """Draw a click at (x, y), in pixels from the square's edge: 1 there, 0 far from it."""
    places = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    right = np.exp(-((places - np.float32(x)) ** 2) / np.float32(2 * _DOT**2))
    down = np.exp(-((places - np.float32(y)) ** 2) / np.float32(2 * _DOT**2))
    return np.asarray(down[:, None] * right, dtype=np.float32)
