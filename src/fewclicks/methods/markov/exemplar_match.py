"""Exemplar match: from one finished object of a picture to all of its kind.

Before the first click, what looks like the exemplar is proposed. Clicks then extend and correct
that object by object, see `kind_objects`; those on the exemplar go on counting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.backbones.base import Features
from fewclicks.clicks import Click, positives
from fewclicks.methods.guidance import Exemplar
from fewclicks.methods.markov.reference_match import deepest_pixel, see_marks, votes_by_likeness
from fewclicks.methods.markov.token_walk import read_at


@dataclass(frozen=True, kw_only=True)
class ExemplarMatch:
    """What an exemplar says of its picture.

    Parameters
    ----------
    mask : (H, W)
        True on the exemplar.
    clicks
        How it was found; where none of them is positive, led by one on its middle.
    likeness : (h, w)
        Log odds of each of the picture's tokens to be on its kind, before any click.
    depth
        How far its middle is from its outline, in pixels: what lies nearer to an object is hardly
        the middle of another one.
    """

    mask: BoolMask
    clicks: tuple[Click, ...]
    likeness: FloatMap
    depth: float

    def proposes(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log odds of places, (n,), to be on an object of the kind.

        Parameters
        ----------
        at : (n, 2)
            x and y as shares of the picture's width and height.
        """
        return read_at(self.likeness, at)


def match_exemplar(
    exemplar: Exemplar, features: Features, *, weight: float, doubt: float
) -> ExemplarMatch:
    """Compare a picture with one object on it.

    Parameters
    ----------
    features
        Of the same picture; the backbone is not asked again.
    weight
        Of the likeness.
    doubt
        Log odds that are taken off it; the higher, the less is proposed.
    """
    seen = see_marks(features, positive=exemplar.mask)
    # How small the exemplar is says nothing of how much else is of its kind. Either may be nothing.
    meant, unmeant = (max(float(each.sum()), 1e-6) for each in (seen.meant, seen.unmeant))
    rarity = math.log(unmeant / meant)
    likeness = weight * (votes_by_likeness(features, seen) + rarity) - doubt
    clicks, (middle, depth) = exemplar.clicks, deepest_pixel(exemplar.mask)
    if not positives(clicks):
        clicks = (middle, *clicks)
    return ExemplarMatch(
        mask=exemplar.mask,
        clicks=clicks,
        likeness=likeness.reshape(features.grid.height, features.grid.width).astype(np.float32),
        depth=depth,
    )
