"""The clicks that a training picture gets for its errors, from the answer to the clicks before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.clicks import Click
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.evaluation.clicker import errors
from fewclicks.evaluation.error_distance import SquaredDistance, error_distance

NextClickRule: TypeAlias = Literal["ritm", "icmformer"]
NEXT_CLICK_RULES: Final[tuple[NextClickRule, ...]] = get_args(NextClickRule)


@dataclass(frozen=True, kw_only=True, slots=True)
class NextClicks:
    """How many clicks follow the first ones, and where.

    Parameters
    ----------
    max_rounds
        The number of rounds is drawn evenly from 0 to this, one number for a batch.
    rule
        ``"ritm"``: anywhere deeper than half of the larger error's depth. ``"icmformer"``: its
        deepest pixel, or, as often, one of the quarter that lies nearest to its edge.
    threshold
        The answer's mask is where its probability is above it.
    """

    max_rounds: int = 3
    rule: NextClickRule = "ritm"
    threshold: float = 0.49

    def __post_init__(self) -> None:
        if self.max_rounds < 0:
            raise InputError(f"max_rounds is {self.max_rounds}; needs 0 or more.")
        if self.rule not in NEXT_CLICK_RULES:
            raise UnknownEntryError("rule of next clicks", self.rule, NEXT_CLICK_RULES)


def sample_next_click(
    target: BoolMask,
    probability: FloatMap,
    chance: np.random.Generator,
    following: NextClicks,
    *,
    void: BoolMask | None = None,
) -> Click | None:
    """Click the larger error of an answer, not always at the same place.

    Parameters
    ----------
    target : (H, W)
        True on the object.
    probability : (H, W)
        The answer.
    void : (H, W), optional
        Neither right nor wrong.

    Returns
    -------
    Click or None
        None where nothing is wrong. Equal depths are a negative click.

    References
    ----------
    .. [1] arXiv:2102.06583, section 3.2, and its code for the place.
    .. [2] iCMFormer, section 3.5: "the center point and a random point near the borders of the
       mislabeled regions"; that either is taken as often is our reading.
    """
    missed, spilled = (
        error_distance(each)
        for each in errors(target, probability > following.threshold, void=void)
    )
    is_positive = bool(missed.max() > spilled.max())
    depth = missed if is_positive else spilled
    if not depth.any():
        return None
    places = _inner(depth) if following.rule == "ritm" else _centre_or_border(depth, chance)
    y, x = divmod(int(places[chance.integers(places.size)]), target.shape[1])
    return Click(x, y, is_positive)


def _inner(depth: SquaredDistance) -> np.ndarray:
    # The depths are squares, so half of one is a quarter.
    return np.flatnonzero(4 * depth.astype(np.int64) > int(depth.max()))


def _centre_or_border(depth: SquaredDistance, chance: np.random.Generator) -> np.ndarray:
    if chance.random() < 0.5:
        return np.flatnonzero(depth == depth.max())[:1]
    # The mislabelled region is the one that holds the deepest pixel: others are not looked at.
    region = _region_of_deepest(depth)
    return np.flatnonzero(region & (depth <= np.quantile(depth[region], 0.25)))


def _region_of_deepest(depth: SquaredDistance) -> BoolMask:
    import cv2

    labels = cv2.connectedComponents((depth > 0).astype(np.uint8), connectivity=8)[1]
    return np.asarray(labels == labels.flat[int(depth.argmax())])
