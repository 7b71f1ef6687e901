"""Prompts: the steps of a sitting, each a small frozen value that can be saved and replayed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import decode_rle, encode_rle

STROKE_SPACING: Final = 24.0
"""Pixels of a stroke that one click stands for."""

STROKE_MAX_CLICKS: Final = 8
"""However long the stroke: every click costs time, and neighbours say little new."""


class Point(NamedTuple):
    """A place in the picture, in pixels: ``x`` runs right, ``y`` runs down, both from 0."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PackedMask:
    """A mask as COCO's run lengths: kilobytes, and never changed by accident."""

    height: int
    width: int
    counts: str

    @classmethod
    def pack(cls, mask: BoolMask) -> PackedMask:
        """Pack an (H, W) mask."""
        rle = encode_rle(mask)
        height, width = rle["size"]
        return cls(height=height, width=width, counts=rle["counts"])

    def unpack(self) -> BoolMask:
        """(H, W), a new array at each call.

        Raises
        ------
        InputError
            If the runs do not fill the mask exactly.
        """
        return decode_rle({"size": [self.height, self.width], "counts": self.counts})


@dataclass(frozen=True, slots=True)
class Scribble:
    """A stroke, as the clicks sampled along it; one step, however many clicks."""

    clicks: tuple[Click, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """A mask from elsewhere to go on from."""

    mask: PackedMask


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an object, with the mask that it had then."""

    label: str
    mask: PackedMask


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """How far the newest click reaches on its own map: another of the segments it may mean.

    Parameters
    ----------
    level
        As `Click.level`.
    """

    level: float


@dataclass(frozen=True, slots=True)
class Aim:
    """What the present object and those after it are called; references go by it.

    Parameters
    ----------
    label
        None for nothing in particular.
    """

    label: str | None


@dataclass(frozen=True, slots=True)
class DeclareExemplar:
    """From now on, all objects of one finished object's kind are looked for.

    Parameters
    ----------
    number
        Of the finished object, from 0; None ends the search.
    """

    number: int | None


@dataclass(frozen=True, slots=True)
class Accept:
    """A proposal becomes a finished object, called as the exemplar is."""

    mask: PackedMask


@dataclass(frozen=True, slots=True)
class Refuse:
    """A proposal is none of the exemplar's kind, and is not proposed again."""

    mask: PackedMask


Step: TypeAlias = (
    Click
    | Scribble
    | Box
    | Correction
    | LevelChoice
    | Finish
    | Aim
    | DeclareExemplar
    | Accept
    | Refuse
)
"""What a person did, once."""


@dataclass(frozen=True, slots=True)
class FinishedObject:
    """An object that a person is done with; later ones keep off its pixels.

    Parameters
    ----------
    label
        What the person called it; several objects may have the same label.
    packed
        Its mask; see `mask`.
    prompts
        The steps that made it.
    """

    label: str
    packed: PackedMask
    prompts: tuple[Step, ...]

    @property
    def mask(self) -> BoolMask:
        """(H, W) True on the object; unpacked at each call."""
        return self.packed.unpack()


def read_stroke(points: Iterable[Point]) -> list[Point]:
    """Check the corners of a stroke; pairs ``(x, y)`` do as well.

    Raises
    ------
    InputError
        If there is none, or one is not two finite numbers.
    """
    corners = [_read_point(number, point) for number, point in enumerate(points, start=1)]
    if not corners:
        raise InputError("The scribble has no points; needs one or more, (x, y) each.")
    return corners


def stroke_clicks(corners: Sequence[Point], *, is_positive: bool = True) -> list[Click]:
    """Clicks at equal steps along a stroke, both ends included.

    Parameters
    ----------
    corners
        In drawing order, at least one.
    is_positive
        True on the object.

    Returns
    -------
    list of Click
        One for each `STROKE_SPACING` pixels of arc length, at most `STROKE_MAX_CLICKS`, without
        repeats; a stroke shorter than the spacing is one click in its middle.

    Examples
    --------
    >>> stroke_clicks([Point(2, 3), Point(6, 3)])
    [Click(x=4, y=3, is_positive=True)]
    """
    places = np.array(corners, dtype=np.float64)
    lengths = np.hypot(*np.diff(places, axis=0).T)
    travelled = np.concatenate([[0.0], np.cumsum(lengths)])
    whole = travelled[-1]
    count = int(min(STROKE_MAX_CLICKS, 1 + whole // STROKE_SPACING))
    wanted = np.linspace(0.0, whole, count) if count > 1 else [whole / 2]
    sampled = np.stack([np.interp(wanted, travelled, places[:, axis]) for axis in (0, 1)], axis=1)
    # A hair more, so that rounding does not pull a whole number into the pixel before it.
    pixels = np.minimum(np.floor(sampled + 1e-6), np.floor(places.max(axis=0)))
    distinct = dict.fromkeys((int(x), int(y)) for x, y in pixels)
    return [Click(x=x, y=y, is_positive=is_positive) for x, y in distinct]


def _read_point(number: int, point: object) -> Point:
    try:
        x, y = (float(value) for value in point)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise InputError(f"Scribble point {number} is {point!r}; needs two numbers.") from None
    if not np.isfinite([x, y]).all():
        raise InputError(f"Scribble point {number} is {point!r}; needs finite numbers.")
    return Point(x, y)
