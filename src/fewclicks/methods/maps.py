"""Maps and levels: what some methods can show of a click, and let a person choose.

A method that can has the function of the same name; `Method` itself asks for neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from fewclicks.arrays import FloatMap
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.base import AnyMethod, Prediction


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickMaps:
    """How a method sees a picture from one click.

    Parameters
    ----------
    click
        In pixels of the picture.
    stages
        By name, in the order in which they are worked out; each a map over tokens or pixels,
        not negative. Only ``"attention"`` is high where a token is near the click, and low in the
        others.
    threshold
        The segment of the click is where the last stage is at most this.
    depth : (H, W), optional
        What guided the stages besides the picture's colours, in [0, 1].
    """

    click: Click
    stages: Mapping[str, FloatMap]
    threshold: float
    depth: FloatMap | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """Segments that the newest click may stand for: part, object, group.

    Parameters
    ----------
    thresholds
        Rising; what `Click.level` takes.
    areas
        In pixels of the picture, of the click's own segment.
    automatic
        Which of them the method would choose.
    chosen
        Which of them stands.
    """

    thresholds: tuple[float, ...]
    areas: tuple[int, ...]
    automatic: int
    chosen: int

    def threshold(self, level: int) -> float:
        """Give the threshold of a level.

        Raises
        ------
        InputError
            If it is not offered.
        """
        if not 0 <= level < len(self.thresholds):
            raise InputError(
                f"Level {level} is not offered; the newest click has levels 0 to "
                f"{len(self.thresholds) - 1}, smallest first, and {self.automatic} is its own."
            )
        return self.thresholds[level]


@runtime_checkable
class HasMaps(Protocol):
    """A method that can show how it sees a picture."""

    def maps(
        self, prepared: Any, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> list[ClickMaps]:
        """Give the maps of all clicks, in the order of the clicks; arguments as for `predict`."""
        ...


@runtime_checkable
class HasLevels(Protocol):
    """A method that can move the newest click's threshold, and reads `Click.level`."""

    def levels(
        self, prepared: Any, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Levels:
        """Offer levels for the newest click; arguments as for `predict`, with a click at least."""
        ...


def with_maps(method: AnyMethod) -> HasMaps:
    """Give the method back as one that has maps.

    Raises
    ------
    InputError
        If it has none.
    """
    if not isinstance(method, HasMaps):
        raise InputError("This method has no maps to show; choose one that has, such as m2n2.")
    return method


def with_levels(method: AnyMethod) -> HasLevels:
    """Give the method back as one that has levels.

    Raises
    ------
    InputError
        If it has none.
    """
    if not isinstance(method, HasLevels):
        raise InputError("This method has no levels to choose; take one that has, such as m2n2.")
    return method
