"""Truncated nearest neighbour: each pixel has the class of the click that is nearest to it."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.clicks import Click
from fewclicks.methods.markov.threshold import LEAST_THRESHOLD, LEVELS


class NearestNeighbour:
    """Which click each pixel belongs to, as clicks are taken one after another.

    Parameters
    ----------
    shape
        Of the maps, (H, W).

    References
    ----------
    .. [1] M2N2, Eq. 1, 2, 10 and 11 (arXiv:2411.10411).
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._to_positive = np.full(shape, np.inf, dtype=np.float32)
        self._to_negative = np.full(shape, np.inf, dtype=np.float32)
        self._is_positive = np.zeros(shape, dtype=bool)

    def take(self, distances: FloatMap, threshold: float, *, is_positive: bool) -> None:
        """Take one more click; where it is as near as an earlier one, that one stays the nearest.

        Parameters
        ----------
        distances : (H, W)
            The click's map, not negative.
        threshold
            Above 0; the click reaches as far.
        is_positive
            Its class.
        """
        near, far = (
            (self._to_positive, self._to_negative)
            if is_positive
            else (self._to_negative, self._to_positive)
        )
        _take(distances, np.float32(threshold), is_positive, near, far, self._is_positive)

    @property
    def mask(self) -> BoolMask:
        """(H, W) True where the nearest click is positive and reaches the pixel; a new array."""
        return self._is_positive & (self._to_positive <= 1.0)

    @property
    def probability(self) -> FloatMap:
        """(H, W) Above 0.5 exactly on the mask, in [0, 1].

        How far above or below tells how much nearer the positive clicks are than the negative
        ones, or than their own reach.
        """
        return _probability(self._to_positive, self._to_negative, self._is_positive)

    def areas_with(
        self,
        distances: FloatMap,
        thresholds: NDArray[np.float32],
        *,
        is_positive: bool,
        excluded: BoolMask | None = None,
    ) -> NDArray[np.int64]:
        """Count the mask's pixels if one more click were taken, for each of its thresholds.

        Parameters
        ----------
        distances : (H, W)
            Map of the click to come, in [0, 1].
        thresholds : (m,)
            Rising.
        is_positive
            The click's class.
        excluded : (H, W), optional
            Pixels that do not count.

        Returns
        -------
        (m,)

        Notes
        -----
        A pixel changes sides at one threshold and stays there, so that one pass over the pixels
        and a running sum answer for all thresholds.
        """
        counted = np.ones(distances.shape, dtype=bool) if excluded is None else ~excluded
        reach = np.maximum(thresholds, np.float32(LEAST_THRESHOLD))
        levels = np.minimum((reach * LEVELS).astype(np.int64), LEVELS - 1)
        first = np.searchsorted(levels, np.arange(LEVELS))
        changes = _changes(
            distances,
            reach,
            first,
            is_positive,
            counted,
            self._to_positive,
            self._to_negative,
            self._is_positive,
        )
        area = int((self.mask & counted).sum())
        change = np.cumsum(changes[:-1])
        return area + change if is_positive else area - change


def truncated_nearest_neighbour(
    distances: Sequence[FloatMap], thresholds: Sequence[float], clicks: Sequence[Click]
) -> NearestNeighbour:
    """Take all clicks, each with its (H, W) map and its threshold; of clicks, the class is read."""
    nearest = NearestNeighbour((distances[0].shape[0], distances[0].shape[1]))
    for each, threshold, click in zip(distances, thresholds, clicks, strict=True):
        nearest.take(each, threshold, is_positive=click.is_positive)
    return nearest


@numba.njit(cache=True, nogil=True)
def _take(
    distances: FloatMap,
    threshold: np.float32,
    is_positive: bool,
    near: FloatMap,
    far: FloatMap,
    owners: BoolMask,
) -> None:
    """``near`` is how far the clicks of this one's class are, ``far`` the others."""
    for y in range(distances.shape[0]):
        for x in range(distances.shape[1]):
            scaled = distances[y, x] / threshold
            if scaled < near[y, x]:
                if scaled < far[y, x]:
                    owners[y, x] = is_positive
                near[y, x] = scaled


@numba.njit(cache=True, nogil=True)
def _probability(to_positive: FloatMap, to_negative: FloatMap, owners: BoolMask) -> FloatMap:
    half = np.float32(0.5)
    just_above = np.nextafter(half, np.float32(1.0))
    probability = np.empty_like(to_positive)
    for y in range(probability.shape[0]):
        for x in range(probability.shape[1]):
            positive = to_positive[y, x]
            negative = min(to_negative[y, x], np.float32(1.0))  # nobody reaches further
            both = positive + negative
            share = negative / both if both > 0.0 else half
            if owners[y, x] and positive <= 1.0:
                probability[y, x] = max(share, just_above)
            else:
                probability[y, x] = min(share, half)
    return probability


@numba.njit(cache=True, nogil=True)
def _changes(
    distances: FloatMap,
    thresholds: NDArray[np.float32],
    first: NDArray[np.int64],
    is_positive: bool,
    counted: BoolMask,
    to_positive: FloatMap,
    to_negative: FloatMap,
    owners: BoolMask,
) -> NDArray[np.int64]:
    """(m + 1,): how many pixels change sides at each threshold; the last, at none of them.

    ``first[level]`` is the first threshold of this level or above.
    """
    count = thresholds.size
    changes = np.zeros(count + 1, dtype=np.int64)
    for y in range(distances.shape[0]):
        for x in range(distances.shape[1]):
            on = owners[y, x] and to_positive[y, x] <= 1.0
            if not counted[y, x] or on == is_positive:
                continue
            nearest = min(to_positive[y, x], to_negative[y, x])
            own = distances[y, x]
            if nearest <= 0.0:
                continue
            about = own / min(nearest, np.float32(1.0))
            if about > 1.0:
                continue
            at = max(first[min(int(about * LEVELS), LEVELS - 1)] - 1, 0)
            # The guess may be a rounding error off; the comparisons are those of the mask.
            while at < count:
                scaled = own / thresholds[at]
                if scaled < nearest and scaled <= 1.0:
                    break
                at += 1
            changes[at] += 1
    return changes
