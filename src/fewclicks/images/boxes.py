"""Box: an upright rectangle of whole pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError, ShapeError

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Box:
    """Columns ``x0`` to before ``x1``, rows ``y0`` to before ``y1``; never empty.

    Parameters
    ----------
    x0, y0
        First column and row; may lie outside a picture, see `clamped`.
    x1, y1
        One past the last column and row.

    Examples
    --------
    >>> Box(x0=2, y0=1, x1=5, y1=3).width
    3
    """

    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self) -> None:
        for side in ("x0", "y0", "x1", "y1"):
            value = getattr(self, side)
            if isinstance(value, bool) or not float(value).is_integer():
                raise InputError(f"Box has {side}={value!r}; needs a whole number of pixels.")
            object.__setattr__(self, side, int(value))
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            raise InputError(f"{self} is empty; needs x0 below x1 and y0 below y1.")

    def __str__(self) -> str:
        return f"Box {self.x0},{self.y0},{self.x1},{self.y1}"

    @classmethod
    def around(cls, mask: BoolMask, *, margin: int = 0) -> Box:
        """Give the smallest box that holds the mask, ``margin`` pixels wider on each side.

        It is kept within the mask's picture.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        if margin < 0:
            raise InputError(f"margin is {margin}; needs a number of pixels from 0.")
        rows = np.flatnonzero(mask.any(axis=1))
        columns = np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            raise InputError("mask is empty, so there is no box around it.")
        tight = cls(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        wider = cls(tight.x0 - margin, tight.y0 - margin, tight.x1 + margin, tight.y1 + margin)
        return wider.clamped(height=mask.shape[0], width=mask.shape[1])

    @property
    def width(self) -> int:
        """In pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """In pixels."""
        return self.y1 - self.y0

    def holds(self, x: int, y: int) -> bool:
        """Whether a pixel is inside."""
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1

    def clamped(self, *, height: int, width: int) -> Box:
        """Give the part inside a picture of this size.

        Raises
        ------
        InputError
            If no part of the box is inside.
        """
        if self.x0 >= width or self.y0 >= height or self.x1 <= 0 or self.y1 <= 0:
            raise InputError(f"{self} is outside the image (width {width}, height {height}).")
        return Box(max(self.x0, 0), max(self.y0, 0), min(self.x1, width), min(self.y1, height))

    def crop(self, array: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """Give the box's part of an (H, W, ...) array, as a view.

        Raises
        ------
        InputError
            If the box reaches outside the array.
        """
        height, width = array.shape[:2]
        if self.x0 < 0 or self.y0 < 0 or self.x1 > width or self.y1 > height:
            raise InputError(
                f"{self} reaches outside the image (width {width}, height {height}); "
                "clamped() gives the part inside."
            )
        return array[self.y0 : self.y1, self.x0 : self.x1]

    def paste(self, patch: NDArray[ScalarT], onto: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """Give a copy of ``onto`` with ``patch`` in the box.

        Raises
        ------
        ShapeError
            If the patch is not of the box's size.
        InputError
            If the box reaches outside ``onto``.
        """
        pasted = onto.copy()
        place = self.crop(pasted)
        if patch.shape != place.shape:
            raise ShapeError.differs("patch", patch.shape, needed=place.shape, of=str(self))
        place[...] = patch
        return pasted
