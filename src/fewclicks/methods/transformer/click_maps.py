"""Click maps: clicks as two pictures of disks, the form in which a click network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box

DISK_RADIUS: Final = 5
"""In pixels of the network's input, as SimpleClick and its heirs have it."""


class Place(Protocol):
    """Where a click is and what it says; between pixels where a picture was resized."""

    @property
    def x(self) -> float:
        """In pixels; runs right, from 0."""
        ...

    @property
    def y(self) -> float:
        """In pixels; runs down, from 0."""
        ...

    @property
    def is_positive(self) -> bool:
        """True on the object."""
        ...


@dataclass(frozen=True, slots=True)
class MovedClick:
    """A click as a stretched part of the picture shows it, between pixels."""

    x: float
    y: float
    is_positive: bool


def move_clicks(clicks: Sequence[Click], part: Box, size: tuple[int, int]) -> list[MovedClick]:
    """Say where clicks are in a part of the picture that is stretched to a size.

    Parameters
    ----------
    clicks
        In pixels of the picture; those outside the part stay outside.
    part
        Of the picture.
    size
        Height and width that it is stretched to, in pixels.
    """
    down, across = size[0] / part.height, size[1] / part.width
    return [
        MovedClick((click.x - part.x0) * across, (click.y - part.y0) * down, click.is_positive)
        for click in clicks
    ]


def click_disks(
    clicks: Sequence[Sequence[Place]], shape: tuple[int, int], *, radius: float = DISK_RADIUS
) -> NDArray[np.float32]:
    """Draw the clicks of a batch of pictures as disks.

    Parameters
    ----------
    clicks
        Those of each picture; they may lie between pixels, and outside.
    shape
        Height and width of all pictures, in pixels.
    radius
        In pixels; a pixel is on a disk where its centre is at most so far from the click.

    Returns
    -------
    (b, 2, H, W) float32
        1 on the disks of positive clicks in the first channel, of negative ones in the second;
        0 elsewhere.

    Raises
    ------
    InputError
        For a radius below 0.

    References
    ----------
    .. [1] Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive
       Segmentation", 2021, section 3.2 (arXiv:2102.06583).

    Examples
    --------
    >>> from fewclicks.clicks import Click
    >>> click_disks([[Click(x=1, y=0)]], (2, 3), radius=1)[0, 0]
    array([[1., 1., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    if not radius >= 0:
        raise InputError(f"radius is {radius}; needs a number of pixels from 0 on.")
    maps = np.zeros((len(clicks), 2, *shape), dtype=np.float32)
    for of_picture, places in zip(maps, clicks, strict=True):
        for place in places:
            _stamp(of_picture[0 if place.is_positive else 1], place, radius)
    return maps


def _stamp(onto: NDArray[np.float32], place: Place, radius: float) -> None:
    """Draw one disk; only the square around it is looked at."""
    height, width = onto.shape
    rows = np.arange(max(0, int(place.y - radius)), min(height, int(place.y + radius) + 1))
    columns = np.arange(max(0, int(place.x - radius)), min(width, int(place.x + radius) + 1))
    if rows.size == 0 or columns.size == 0:
        return
    squared = (rows[:, None] - place.y) ** 2 + (columns - place.x) ** 2
    square = onto[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    square[squared <= radius**2] = 1.0
