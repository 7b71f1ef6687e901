"""Drawing: an opinion of regions becomes a mask with the picture's own edges.

Each pixel is asked by its colour, one min cut draws the outline, and what hangs on no click is
dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import special

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click, positives
from fewclicks.images.masks import components_with
from fewclicks.methods.energy.band_cut import band_cut
from fewclicks.methods.energy.seeds import draw_seeds
from fewclicks.methods.markov.fewclicks_config import FewclicksConfig
from fewclicks.methods.markov.local_refiner import refine_locally
from fewclicks.methods.markov.pixel_odds import pixel_odds
from fewclicks.methods.markov.view import View

_HALF: Final = np.float32(0.5)
_ABOVE: Final = np.nextafter(_HALF, np.float32(1.0))


def draw_opinion(
    view: View,
    image: RgbImage,
    clicks: Sequence[Click],
    opinion: NDArray[np.floating],
    config: FewclicksConfig,
    *,
    excluded: BoolMask | None = None,
    exemplar: BoolMask | None = None,
    drops: bool = True,
    corrects: BoolMask | None = None,
) -> FloatMap:
    """Draw what is held of each region as a probability of each pixel.

    Parameters
    ----------
    image : (H, W, 3)
        The whole picture that the view is of.
    clicks
        In pixels of the picture.
    opinion : (n,)
        Log odds of the view's regions.
    config
        What colours weigh, and how the outline is found.
    excluded : (H, W), optional
        Where the object cannot be.
    exemplar : (H, W), optional
        Of what is excluded, the part that has the object's colours all the same.
    drops
        Whether parts without a positive click are dropped, if there is a part with one.
    corrects : (H, W), optional
        The answer that the newest click corrects; what it cannot have meant to change stays.

    Returns
    -------
    (H, W) float32
        Above 0.5 on the mask, at most 0.5 off it, and 0 outside the view.
    """
    located, refused, unlike = view.locate(clicks), None, None
    if excluded is not None:
        refused = unlike = view.shrink(excluded)
        if exemplar is not None:
            unlike = refused & ~view.shrink(exemplar)
    unary = pixel_odds(
        view, opinion, colour=config.colour, local_colour=config.local_colour, excluded=unlike
    )
    seeds = draw_seeds(view.shape, located, radius=config.radius, excluded=refused)
    if config.cut:
        mask = band_cut(unary, view.pyramid, positive=seeds.positive, negative=seeds.negative)
    else:
        mask = ((unary > 0) | seeds.positive) & ~seeds.negative
    if drops and any(mask[click.y, click.x] for click in positives(located)):
        mask = components_with(mask, positives(located))
    if corrects is not None:
        before = view.shrink(corrects)
        mask = refine_locally(mask, before, located, bulge=config.bulge, one_way=config.one_way)
    probability = np.asarray(special.expit(unary), dtype=np.float32)
    return view.enlarge(agreeing(probability, mask), image)


@numba.njit(cache=True, nogil=True)
def agreeing(probability: FloatMap, mask: BoolMask) -> FloatMap:
    """Lift a probability, (H, W), above a half on a mask, and keep it at most there off it."""
    lifted = np.empty_like(probability)
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            value = probability[y, x]
            lifted[y, x] = max(value, _ABOVE) if mask[y, x] else min(value, _HALF)
    return lifted
