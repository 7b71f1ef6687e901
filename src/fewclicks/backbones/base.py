"""What a backbone gives: tokens on a grid, and how they attend to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fewclicks.arrays import FloatMatrix, RgbImage
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
    """

    tokens: FloatMatrix
    grid: Grid

    def __post_init__(self) -> None:
        if self.tokens.ndim != 2 or self.tokens.shape[0] != self.grid.count:
            raise ShapeError(
                f"tokens has shape {self.tokens.shape}; needs ({self.grid.count}, channels)."
            )


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


class Backbone(Protocol):
    """A frozen look at a picture."""

    name: str

    def features(self, image: RgbImage) -> Features:
        """Describe each token of the picture."""
        ...

    def attention(self, image: RgbImage) -> Attention:
        """Say how the tokens of the picture attend to each other."""
        ...
