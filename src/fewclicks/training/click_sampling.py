"""The clicks that a training picture begins with: many at once, at random, as a person might.

References
----------
.. [1] Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive
   Segmentation", arXiv:2102.06583, whose code calls this the multi-point sampler.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError

_LEAST_ERODED = 10  # pixels; a mask that erosion leaves fewer of stays whole


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickSampling:
    """How many clicks, and where.

    Parameters
    ----------
    max_clicks
        Of a class (positive, negative) in one picture, at least 1.
    decay
        One more click is so many times as likely as one less; in (0, 1].
    erode_probability
        That positive clicks keep off the object's edge, in [0, 1].
    erode_steps
        Pixels that they then keep off it.
    border_probability, other_probability
        That a negative click falls on the ring around the object, or on another object; the rest
        falls anywhere off it. They sum to at most 1.
    border_width
        Of the ring, in square roots of the object's area, rounded up to whole pixels.
    """

    max_clicks: int = 24
    decay: float = 0.8
    erode_probability: float = 0.9
    erode_steps: int = 3
    border_probability: float = 0.5
    other_probability: float = 0.4
    border_width: float = 0.1

    def __post_init__(self) -> None:
        if self.max_clicks < 1:
            raise InputError(f"max_clicks is {self.max_clicks}; needs 1 or more.")
        if not 0 < self.decay <= 1:
            raise InputError(f"decay is {self.decay}; needs a number above 0, at most 1.")
        shares = (self.border_probability, self.other_probability)
        if min(shares) < 0 or sum(shares) > 1 or not 0 <= self.erode_probability <= 1:
            raise InputError(
                f"erode, border and other have probabilities {self.erode_probability}, "
                f"{shares[0]} and {shares[1]}; each needs 0 to 1, the last two at most 1 together."
            )


def sample_clicks(
    parts: Sequence[BoolMask],
    chance: np.random.Generator,
    sampling: ClickSampling,
    *,
    others: BoolMask | None = None,
) -> list[Click]:
    """Click an object and what is not the object.

    Parameters
    ----------
    parts
        (H, W) each: the objects that together are the target; one most often.
    chance
        Decides everything.
    sampling
        How many clicks, and where.
    others : (H, W), optional
        The picture's other objects.

    Returns
    -------
    list
        At least one positive click on each part, then further ones, then negative ones; the same
        pixel may come twice. A negative click whose place is empty is left out.

    Raises
    ------
    InputError
        If a part is empty.
    """
    target = np.logical_or.reduce(parts)
    if not all(part.any() for part in parts):
        raise InputError("A part of the target is empty; needs at least one pixel to click.")
    inner = [_eroded(part, chance, sampling) for part in parts]
    count = sampling.max_clicks
    if len(inner) == 1:
        places = [inner[0]] * (1 + _draw_count(chance, count, sampling.decay))
    else:
        more = min(_draw_count(chance, count + 1, sampling.decay), max(0, count - len(inner)))
        places = inner + [inner[int(chance.integers(len(inner)))] for _ in range(more)]
    clicks = [_click_in(place, chance, is_positive=True) for place in places]
    negative = [each for each in _negative_places(target, others, chance, sampling) if each.any()]
    return clicks + [_click_in(place, chance, is_positive=False) for place in negative]


def _negative_places(
    target: BoolMask,
    others: BoolMask | None,
    chance: np.random.Generator,
    sampling: ClickSampling,
) -> list[BoolMask]:
    count = _draw_count(chance, sampling.max_clicks + 1, sampling.decay)
    if count == 0:
        return []
    background = ~target
    # Where a picture has no other object, what would fall on it falls anywhere.
    other = background if others is None else others & background
    kinds = (_ring(target, sampling.border_width), other, background)
    shares = [sampling.border_probability, sampling.other_probability]
    shares.append(max(0.0, 1.0 - sum(shares)))
    return [kinds[int(k)] for k in chance.choice(3, size=count, p=shares)]


def _draw_count(chance: np.random.Generator, numbers: int, decay: float) -> int:
    """Draw from 0, 1, ... ``numbers - 1``, each `decay` times as likely as the one before."""
    weights = decay ** np.arange(numbers)
    return int(chance.choice(numbers, p=weights / weights.sum()))


def _eroded(mask: BoolMask, chance: np.random.Generator, sampling: ClickSampling) -> BoolMask:
    if chance.random() >= sampling.erode_probability:
        return mask
    inner = cv2.erode(mask.astype(np.uint8), _SQUARE, iterations=sampling.erode_steps).astype(bool)
    return inner if int(inner.sum()) > _LEAST_ERODED else mask


def _ring(mask: BoolMask, width: float) -> BoolMask:
    steps = math.ceil(width * math.sqrt(float(mask.sum())))
    grown = cv2.dilate(mask.astype(np.uint8), _SQUARE, iterations=steps)
    return np.asarray(grown.astype(bool) & ~mask)


def _click_in(place: BoolMask, chance: np.random.Generator, *, is_positive: bool) -> Click:
    pixels = np.flatnonzero(place)
    y, x = divmod(int(pixels[chance.integers(pixels.size)]), place.shape[1])
    return Click(x, y, is_positive)


_SQUARE: NDArray[np.uint8] = np.ones((3, 3), dtype=np.uint8)
