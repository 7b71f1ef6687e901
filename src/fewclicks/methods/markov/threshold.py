"""Where a click's segment ends: the threshold of its map that scores best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMap
from fewclicks.clicks import Click

LEVELS = 1024
LEAST_THRESHOLD = 1e-7
_UNSCORED_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Which of the four scores count, and the prior's limit.

    Parameters
    ----------
    prior
        0 for segments of ``max_segment_area`` or more, else 1.
    edge
        Mean gradient of the map along the segment's outer border.
    same_class
        Share of the clicks of the click's class that lie inside.
    other_class
        0 if a click of the other class lies inside, else 1.
    max_segment_area
        As a share of the picture.
    """

    prior: bool = True
    edge: bool = True
    same_class: bool = True
    other_class: bool = True
    max_segment_area: float = 0.4


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdCandidates:
    """The segments that one map offers, from small to large.

    Parameters
    ----------
    thresholds : (m,)
        Rising; a segment is where the map is at most its threshold.
    scores : (m,)
        Their product; larger is better.
    areas : (m,)
        In pixels.
    fallback
        The threshold if no candidate scores above 0.
    """

    thresholds: NDArray[np.float32]
    scores: NDArray[np.float64]
    areas: NDArray[np.int64]
    fallback: float

    @property
    def best(self) -> float:
        """The smallest threshold of the highest score."""
        if self.scores.size == 0 or self.scores.max() <= 0.0:
            return self.fallback
        return max(float(self.thresholds[self.scores.argmax()]), LEAST_THRESHOLD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Segments:
    """What a map says of its segments, whatever the clicks are.

    Parameters
    ----------
    distances : (H, W)
        The map, in [0, 1].
    pixels, areas : (levels,)
        Pixels at a level, and at most at it.
    largest : (levels,)
        Largest value at a level.
    edges : (levels,)
        Mean gradient along the outer border; 0 where there is none.
    smallest
        Of all values.
    """

    distances: FloatMap
    pixels: NDArray[np.int64]
    areas: NDArray[np.int64]
    largest: NDArray[np.float32]
    edges: NDArray[np.float64]
    smallest: float

    def score(
        self, *, same_class: Sequence[Click], other_class: Sequence[Click], scores: Scores
    ) -> ThresholdCandidates:
        """Score them in the presence of clicks; see `score_thresholds`."""
        if not (scores.prior or scores.edge or scores.same_class or scores.other_class):
            nothing = np.zeros(0)
            return ThresholdCandidates(
                thresholds=nothing.astype(np.float32),
                scores=nothing,
                areas=nothing.astype(np.int64),
                fallback=_UNSCORED_THRESHOLD,
            )
        total = np.ones(LEVELS)
        if scores.prior:
            total *= self.areas < scores.max_segment_area * self.distances.size
        if scores.edge:
            total *= self.edges
        if scores.same_class and same_class:
            total *= np.cumsum(self._count(same_class)) / len(same_class)
        if scores.other_class:
            total *= np.cumsum(self._count(other_class)) == 0
        offered = (self.pixels > 0) & (self.areas < self.distances.size)
        return ThresholdCandidates(
            thresholds=self.largest[offered],
            scores=total[offered],
            areas=self.areas[offered],
            fallback=max(self.smallest, LEAST_THRESHOLD),
        )

    def _count(self, clicks: Sequence[Click]) -> NDArray[np.int64]:
        """Clicks at each level."""
        values = np.array([self.distances[one.y, one.x] for one in clicks], dtype=np.float32)
        return np.bincount(_levels(values), minlength=LEVELS)


def find_segments(distances: FloatMap) -> Segments:
    """Look at a map (H, W) in [0, 1] once, for as many clicks as there will be.

    Notes
    -----
    One pass. A pixel is on the outer border of the segments from the least level among its
    neighbours to just below its own, so it is added at the one and taken away at the other;
    running sums then give every segment's area and border.
    """
    levels = _levels(distances)
    pixels, largest = _histogram(levels, distances)
    steepness, lengths = np.cumsum(_borders(levels, *_sobel(distances)), axis=1)
    return Segments(
        distances=distances,
        pixels=pixels,
        areas=np.cumsum(pixels),
        largest=largest,
        # Sums that were taken away again leave a rounding error where there is no border.
        edges=np.where(lengths > 0.5, steepness / np.maximum(lengths, 1.0), 0.0),
        smallest=float(distances.min()),
    )


def score_thresholds(
    distances: FloatMap,
    *,
    same_class: Sequence[Click],
    other_class: Sequence[Click],
    scores: Scores,
) -> ThresholdCandidates:
    """Score the segments that a click's map offers.

    Parameters
    ----------
    distances : (H, W)
        Map of a click in [0, 1], smaller being more alike.
    same_class, other_class
        All clicks, by whether they are of the class of the click whose map this is.
    scores
        Which ones count.

    Returns
    -------
    ThresholdCandidates
        At most one for each of 1024 equal steps of the map: the step's largest value. The whole
        picture is no candidate. The fallback is the map's smallest value, at least 1e-7; where no
        score counts there is no candidate and the fallback is 0.5.

    References
    ----------
    .. [1] M2N2, Eq. 8 and 9 (arXiv:2411.10411).
    """
    return find_segments(distances).score(
        same_class=same_class, other_class=other_class, scores=scores
    )


def _levels(distances: NDArray[np.float32]) -> NDArray[np.int16]:
    levels = (distances * np.float32(LEVELS)).astype(np.int16)
    return np.minimum(levels, LEVELS - 1, out=levels)


def _sobel(distances: FloatMap) -> tuple[FloatMap, FloatMap]:
    """(H, W) Gradient to the right and downwards, up to a factor."""
    right = cv2.Sobel(distances, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REFLECT_101)
    down = cv2.Sobel(distances, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REFLECT_101)
    return right.astype(np.float32, copy=False), down.astype(np.float32, copy=False)


@numba.njit(cache=True, nogil=True)
def _histogram(
    levels: NDArray[np.int16], distances: FloatMap
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pixels at each level, and the largest value among them."""
    pixels = np.zeros(LEVELS, dtype=np.int64)
    largest = np.zeros(LEVELS, dtype=np.float32)
    for y in range(levels.shape[0]):
        for x in range(levels.shape[1]):
            level = levels[y, x]
            pixels[level] += 1
            largest[level] = max(largest[level], distances[y, x])
    return pixels, largest


@numba.njit(cache=True, nogil=True)
def _borders(levels: NDArray[np.int16], right: FloatMap, down: FloatMap) -> NDArray[np.float64]:
    """(2, levels): what the outer border gains at a level, in gradient and in pixels."""
    height, width = levels.shape
    gains = np.zeros((2, LEVELS), dtype=np.float64)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            own = levels[y, x]
            least = min(
                min(levels[above, x], levels[below, x]),
                min(levels[y, max(x - 1, 0)], levels[y, min(x + 1, width - 1)]),
            )
            if least < own:
                steepness = np.sqrt(right[y, x] ** 2 + down[y, x] ** 2)
                gains[0, least] += steepness
                gains[0, own] -= steepness
                gains[1, least] += 1.0
                gains[1, own] -= 1.0
    return gains
