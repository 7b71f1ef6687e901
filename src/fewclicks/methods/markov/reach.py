"""Reach: what the newest click may stand for, from the part it touches to a group.

The method's own answer lies in the middle. What the click turned to its class comes first, from
the click outwards: its parts. What it left comes after, from what the object is most like on: the
groups. So the segments are nested, and the answer without a choice is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.clicks import Click
from fewclicks.methods.markov.distances import DISTANCES, FEATURE_WALK
from fewclicks.methods.markov.evidence import RegionClick
from fewclicks.methods.markov.regions import Regions
from fewclicks.methods.markov.view import View

OWN_LEVEL: Final = 0.5
"""The level at which the method's own answer stands."""

_HALF: Final = np.float32(OWN_LEVEL)
_ABOVE: Final = np.nextafter(_HALF, np.float32(1.0))
_ORDERED_BY: Final = (
    DISTANCES.index("path over the plainest of colour and edge"),
    DISTANCES.index("height of the smallest union by colour"),
    DISTANCES.index("height of the smallest union by features"),
    FEATURE_WALK,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The nested segments of a click.

    Parameters
    ----------
    is_positive
        As the click.
    levels : (n,)
        At which each region joins: up to a half what the click turned to its class, above it
        what it left; 1 for what it cannot turn.
    pixels : (h, w) float32
        The same of each pixel of the view; the segment at a level is where it is at most that.
    own, before : (H, W)
        The method's own mask, and the one before the click.
    """

    is_positive: bool
    levels: NDArray[np.float64]
    pixels: FloatMap
    own: BoolMask
    before: BoolMask

    def turn(self, opinion: NDArray[np.floating], level: float, *, by: float) -> NDArray[Any]:
        """Turn round the regions that have the other class at this level.

        Parameters
        ----------
        opinion : (n,)
            Log odds of the method's own answer.
        level
            In (0, 1].
        by
            How sure a turned region is, as log odds.
        """
        leaves = (self.levels > level) & (self.levels <= OWN_LEVEL)
        joins = (self.levels > OWN_LEVEL) & (self.levels <= level)
        sure = by if self.is_positive else -by
        return np.select([leaves, joins], [-sure, sure], opinion)

    def limit(self, mask: BoolMask, level: float) -> BoolMask:
        """Let a mask, (H, W), differ from the method's own only as its level means it.

        Below a half less has the click's class, above it more.
        """
        turned, own = mask == self.is_positive, self.own == self.is_positive
        if level < OWN_LEVEL:
            turned = own & (turned | (self.before == self.is_positive))
        else:
            turned = own | turned
        return np.asarray(turned == self.is_positive)

    def area_turned(self, mask: BoolMask) -> int:
        """Count the pixels that an answer, (H, W), turns to the click's class."""
        return int(((mask != self.before) & (mask == self.is_positive)).sum())


def reach_of(
    view: View,
    clicks: Sequence[Click],
    *,
    own: BoolMask,
    before: BoolMask | None = None,
    excluded: BoolMask | None = None,
) -> Reach:
    """Find what the newest click reaches.

    Parameters
    ----------
    view
        Holds the newest click, the last one.
    clicks
        In pixels of the picture.
    own, before : (H, W)
        The method's own mask, and the one before the newest click, if there was any.
    excluded : (H, W), optional
        Where the object cannot be.
    """
    *earlier, newest = (view.seen(click) for click in view.locate(clicks))
    is_positive, regions = newest.is_positive, view.regions
    before = np.zeros_like(own) if before is None else before
    has_class = view.shrink(own) == is_positive
    fixed = has_class & (view.shrink(before) == is_positive)
    if excluded is not None:
        fixed |= view.shrink(excluded)
    is_fixed = regions.superpixels.mean(fixed) > 0.5
    is_own = (regions.superpixels.mean(has_class) > 0.5) & ~is_fixed
    is_free = ~is_own & ~is_fixed
    order = _order(regions, newest)
    for other in earlier:  # what is nearer to a click of the other class never joins
        if other.is_positive != is_positive:
            is_free &= order < _order(regions, other)
    levels = np.ones(regions.count)
    levels[is_own] = OWN_LEVEL * _ranks(order[is_own], regions.shares[is_own])
    levels[is_free] = OWN_LEVEL + OWN_LEVEL * _ranks(order[is_free], regions.shares[is_free])
    pixels = levels.astype(np.float32)[regions.superpixels.labels]
    pixels = np.where(has_class, np.minimum(pixels, _HALF), np.maximum(pixels, _ABOVE))
    pixels[fixed] = 1.0
    return Reach(is_positive=is_positive, levels=levels, pixels=pixels, own=own, before=before)


def _order(regions: Regions, click: RegionClick) -> NDArray[np.float64]:
    """How far regions are from a click, (n,), in [0, 1]: the mean rank by the telling distances."""
    ranks = [_ranks(click.distances[:, k], regions.shares) for k in _ORDERED_BY]
    order = np.asarray(np.mean(ranks, axis=0))
    order[click.region] = 0.0
    return order


def _ranks(values: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the area, in (0, 1], whose value is at most each region's."""
    if not len(values):
        return values
    distinct, place = np.unique(values, return_inverse=True)
    areas = np.cumsum(np.bincount(place, shares, minlength=len(distinct)))
    return np.asarray(areas[place] / areas[-1])
