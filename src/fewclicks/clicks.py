"""Click: the one word between a person and a method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fewclicks.errors import InputError


@dataclass(frozen=True, slots=True)
class Click:
    """A point that says "this belongs to the object", or "this does not".

    Parameters
    ----------
    x, y
        Pixel; ``x`` runs right, ``y`` runs down, both from 0.
    is_positive
        True on the object, False off it.
    level
        In (0, 1], how far the click reaches on its own map, if a person chose that; None leaves
        it to the method. Methods without levels do not look at it.

    Examples
    --------
    >>> Click(x=3, y=5)
    Click(x=3, y=5, is_positive=True)
    """

    x: int
    y: int
    is_positive: bool = True
    level: float | None = None

    def __post_init__(self) -> None:
        for axis in ("x", "y"):
            value = getattr(self, axis)
            if isinstance(value, (bool, str)) or not _is_whole(value):
                raise InputError(f"Click has {axis}={value!r}; needs a whole number of pixels.")
            object.__setattr__(self, axis, int(value))
        # A NumPy bool is not a bool: `label is True` would silently turn the click round.
        object.__setattr__(self, "is_positive", bool(self.is_positive))
        if self.level is not None:
            if not 0 < self.level <= 1:
                raise InputError(f"Click has level={self.level!r}; needs a number in (0, 1].")
            object.__setattr__(self, "level", float(self.level))

    def __repr__(self) -> str:
        level = "" if self.level is None else f", level={self.level}"
        return f"Click(x={self.x}, y={self.y}, is_positive={self.is_positive}{level})"


def check_clicks(clicks: Iterable[Click], *, height: int, width: int) -> None:
    """Refuse clicks outside an image of this size.

    Raises
    ------
    InputError
        For the first click outside.
    """
    for click in clicks:
        if not (0 <= click.x < width and 0 <= click.y < height):
            raise InputError(
                f"Click at x={click.x}, y={click.y} is outside the image "
                f"(width {width}, height {height}); x runs right, y runs down, both from 0."
            )


def positives(clicks: Sequence[Click]) -> list[Click]:
    """Clicks on the object, in their order."""
    return [click for click in clicks if click.is_positive]


def negatives(clicks: Sequence[Click]) -> list[Click]:
    """Clicks off the object, in their order."""
    return [click for click in clicks if not click.is_positive]


def _is_whole(value: Any) -> bool:
    try:
        return float(value).is_integer()
    except (TypeError, ValueError, OverflowError):
        return False
