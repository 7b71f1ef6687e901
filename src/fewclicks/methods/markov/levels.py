"""Levels: the few segments of a click's map that a person may choose among."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMap
from fewclicks.clicks import Click
from fewclicks.methods.maps import Levels
from fewclicks.methods.markov.threshold import Scores, ThresholdCandidates, score_thresholds

MOST_LEVELS: Final = 7
_LEAST_GROWTH: Final = 1.25  # of a level's area over the one below, to be worth a choice of its own
_LEAST_AREA: Final = 9  # in pixels; smaller ones are the click itself
_EDGES: Final = Scores(prior=False, same_class=False, other_class=False)


def offer_levels(
    distances: FloatMap,
    click: Click,
    *,
    automatic: float,
    pixel_area: float = 1.0,
    each_side: int = MOST_LEVELS,
) -> Levels:
    """Offer the segments of a map that end at its steepest edges.

    Parameters
    ----------
    distances : (H, W)
        Map of the click, in [0, 1].
    click
        The level that it has, if a person chose one, is offered too.
    automatic
        The threshold that the scores choose; always offered.
    pixel_area
        Pixels of the picture to a pixel of the map.
    each_side
        At most so many below the automatic one, and as many above.

    Returns
    -------
    Levels
        At most 7, unlike in area. A level is where the mean gradient along the border is higher
        than at any threshold near; the steepest come first, whatever the other clicks say.
    """
    candidates = score_thresholds(distances, same_class=[click], other_class=[], scores=_EDGES)
    own = automatic if click.level is None else click.level
    kept = [automatic] if own == automatic else [automatic, own]
    areas = [_area(distances, threshold) for threshold in kept]
    for peak in _peaks(candidates):
        area, threshold = int(candidates.areas[peak]), float(candidates.thresholds[peak])
        beside = sum((other > automatic) == (threshold > automatic) for other in kept[1:])
        has_room = len(kept) < MOST_LEVELS and beside < each_side
        if has_room and area >= _LEAST_AREA and _is_new(area, areas):
            kept.append(threshold)
            areas.append(area)
    order = sorted(range(len(kept)), key=lambda index: kept[index])
    return Levels(
        thresholds=tuple(kept[index] for index in order),
        areas=tuple(round(areas[index] * pixel_area) for index in order),
        automatic=order.index(0),
        chosen=order.index(kept.index(own)),
    )


def unlike_levels(offered: Levels, areas: Sequence[int]) -> Levels:
    """Leave out levels that come to nearly the same in the end.

    Parameters
    ----------
    offered
        Rising.
    areas
        In pixels of the picture, of the answers to them.

    Returns
    -------
    Levels
        With these areas; the automatic and the chosen level always stay.
    """
    kept = {offered.automatic, offered.chosen}
    for level, area in enumerate(areas):
        if area >= _LEAST_AREA and _is_new(area, [areas[other] for other in kept]):
            kept.add(level)
    order = sorted(kept)
    return Levels(
        thresholds=tuple(offered.thresholds[level] for level in order),
        areas=tuple(areas[level] for level in order),
        automatic=order.index(offered.automatic),
        chosen=order.index(offered.chosen),
    )


def _peaks(candidates: ThresholdCandidates) -> NDArray[np.int64]:
    """Candidates that score better than their neighbours of about the same area, best first."""
    areas, scores = candidates.areas, candidates.scores
    is_step = areas[1:] >= _LEAST_GROWTH * areas[:-1]
    is_peak = scores > 0.0
    is_peak[1:] &= (scores[1:] > scores[:-1]) | is_step
    is_peak[:-1] &= (scores[1:] <= scores[:-1]) | is_step
    peaks = np.flatnonzero(is_peak)
    return peaks[np.argsort(-scores[peaks], kind="stable")]


def _area(distances: FloatMap, threshold: float) -> int:
    return int(np.count_nonzero(distances <= np.float32(threshold)))


def _is_new(area: int, others: Sequence[int]) -> bool:
    return all(max(area, other) >= _LEAST_GROWTH * min(area, other) for other in others)
