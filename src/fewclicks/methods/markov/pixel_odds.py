"""Pixel odds: from an opinion of each region to one of each pixel, by what colours say of it.

Regions are jagged and lose what is thin. Two colour models are fitted to their opinion, one of the
whole view and one for each place in it, and each pixel is asked by its own colour.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import special

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.methods.energy.colour_models import colour_histogram, log_likelihood_ratio
from fewclicks.methods.energy.local_colours import local_likelihood_ratio
from fewclicks.methods.markov.view import View

_BLUR: Final = 1.5  # pixels, so that an opinion does not end at a region's jagged border
_MOST: Final = 3.0  # log odds that a colour model may add
_CELL: Final = 0.35  # of the side length of the object
_LEAST_CELL: Final = 20.0  # pixels


def pixel_odds(
    view: View,
    opinion: NDArray[np.floating],
    *,
    colour: float,
    local_colour: float,
    excluded: BoolMask | None,
) -> FloatMap:
    """Log odds of each pixel, (h, w): the opinion of its region and what its colour speaks for.

    Parameters
    ----------
    opinion : (n,)
        Log odds of each region.
    colour
        Weight of the colour model of the whole view.
    local_colour
        Weight of the colour models of each place, whose cells grow with the object.
    excluded : (h, w), optional
        Pixels that no model of the object is fitted to.
    """
    regional = opinion.astype(np.float32).take(view.regions.superpixels.labels)
    total = np.asarray(cv2.GaussianBlur(regional, (0, 0), _BLUR), dtype=np.float32)
    odds = np.asarray(special.expit(total), dtype=np.float32)
    if excluded is not None:
        odds[excluded] = 0.0
    if colour:
        ratio = log_likelihood_ratio(
            view.colours,
            colour_histogram(view.colours, odds),
            colour_histogram(view.colours, 1.0 - odds),
        )
        total += np.float32(colour) * np.clip(ratio, -_MOST, _MOST)
    if local_colour:
        cell = max(_LEAST_CELL, _CELL * float(np.sqrt(odds.sum())))
        ratio = local_likelihood_ratio(view.palette, odds, cell=cell)
        total += np.float32(local_colour) * np.clip(ratio, -_MOST, _MOST)
    return total
