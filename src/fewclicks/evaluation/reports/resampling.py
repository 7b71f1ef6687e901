"""Resampling: how far a mean would move if other pictures had been drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]


RESAMPLES: Final = 10_000
CONFIDENCE: Final = 0.95  # share of the resampled means between the ends
_AT_ONCE: Final = 4_000_000  # numbers held in memory


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of a bootstrap interval, the lower one first."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value lies within, the ends included."""
        return self.low <= value <= self.high


def bootstrap_interval(values: Values, pictures: Sequence[str], *, seed: int = 0) -> Interval:
    """Give the interval of a mean; see `bootstrap_band`.

    Parameters
    ----------
    values : (n,)
        One for each object.
    """
    band = bootstrap_band(values[:, None], pictures, seed=seed)
    return Interval(float(band[0, 0]), float(band[1, 0]))


def bootstrap_band(
    values: Values,
    pictures: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Values:
    """Draw pictures again, with all their objects, and see how the means of the columns vary.

    Whole pictures are drawn since objects of one picture are alike: to take them for strangers
    would make the interval too narrow. The mean is over objects.

    Parameters
    ----------
    values : (n, k)
        One row for each object.
    pictures
        Of each object.
    resamples
        How often pictures are drawn, as many as there are.
    seed
        Of the draws; the same one gives the same band.

    Returns
    -------
    (2, k)
        Lower ends, upper ends: percentiles of the resampled means.

    References
    ----------
    .. [1] Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    number = {name: place for place, name in enumerate(dict.fromkeys(pictures))}
    owner = np.array([number[name] for name in pictures])
    sums = np.zeros((len(number), values.shape[1]))
    np.add.at(sums, owner, values)
    sizes = np.bincount(owner)

    chance = np.random.default_rng(seed)
    share = np.full(len(number), 1 / len(number))
    means = np.empty((resamples, values.shape[1]))
    step = max(1, _AT_ONCE // len(number))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = chance.multinomial(len(number), share, size=count).astype(np.float64)
        means[start : start + count] = (drawn @ sums) / (drawn @ sizes)[:, None]
    outside = (1 - CONFIDENCE) / 2
    return np.quantile(means, [outside, 1 - outside], axis=0)
