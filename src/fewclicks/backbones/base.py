"""What a backbone gives: tokens on a grid, how they attend to each other, how near pixels are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from fewclicks.arrays import FloatMap, FloatMatrix, RgbImage
from fewclicks.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Grid:
    """How many tokens stand below and beside each other."""

    height: int
    width: int

    @property
    def count(self) -> int:
        """Of all tokens."""
        return self.height * self.width


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """A descriptor for each token.

    Parameters
    ----------
    tokens : (n, c)
        Row-major over the grid; a token's place in the picture is the centre of its cell.
    grid
        ``n = grid.height * grid.width``.
    temperature
        Of the affinity ``exp(-|f_i - f_j|^2 / temperature)`` that tells objects apart.
    """

    tokens: FloatMatrix
    grid: Grid
    temperature: float

    def __post_init__(self) -> None:
        if self.tokens.ndim != 2 or self.tokens.shape[0] != self.grid.count:
            raise ShapeError(
                f"tokens has shape {self.tokens.shape}; needs ({self.grid.count}, channels)."
            )

    def at_most(self, count: int) -> Features:
        """Average neighbouring tokens until there are no more than so many.

        What compares each token with each other grows with the square of their number.
        """
        import cv2  # here, since to list methods is to import this module, and takes no time

        share = math.sqrt(count / self.grid.count)
        if share >= 1:
            return self
        fewer = Grid(max(1, int(self.grid.height * share)), max(1, int(self.grid.width * share)))
        size = fewer.width, fewer.height
        planes = self.tokens.T.reshape(-1, self.grid.height, self.grid.width)
        small = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA).ravel() for plane in planes]
        return Features(tokens=np.stack(small, axis=1), grid=fewer, temperature=self.temperature)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """How much each token looks at each other.

    Parameters
    ----------
    matrix : (n, n)
        Row i is where token i looks; not negative, rows sum to 1.
    grid
        ``n = grid.height * grid.width``.
    """

    matrix: FloatMatrix
    grid: Grid

    def __post_init__(self) -> None:
        count = self.grid.count
        if self.matrix.shape != (count, count):
            raise ShapeError(f"matrix has shape {self.matrix.shape}; needs ({count}, {count}).")


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """How near each pixel is.

    Parameters
    ----------
    values : (H, W) float32
        Inverse depth in [0, 1], normalised per picture: 1 is nearest.
    """

    values: FloatMap

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise ShapeError(f"depth has shape {self.values.shape}; needs (height, width).")


class Backbone(Protocol):
    """A frozen look at a picture."""

    name: str
    config_type: ClassVar[type]
    config: Any

    def features(self, image: RgbImage) -> Features:
        """Describe each token of the picture."""
        ...

    def attention(self, image: RgbImage) -> Attention:
        """Say how the tokens of the picture attend to each other."""
        ...


class DepthSource(Protocol):
    """A guess at how near things are."""

    name: str
    config_type: ClassVar[type]
    config: Any

    def depth(self, image: RgbImage) -> Depth:
        """Say how near each pixel of the picture is."""
        ...
