"""Geodesic matting's first half: the nearest seed, along paths of constant likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction, exclude
from fewclicks.methods.classical.colours import (
    ColourConfig,
    ColouredPicture,
    check_not_negative,
    colour_ratio,
)
from fewclicks.methods.classical.seeding import at_work_size, spread
from fewclicks.methods.energy.colour_models import colour_bins, lab_image
from fewclicks.methods.energy.edges import step_lengths
from fewclicks.methods.energy.geodesic import geodesic_distance
from fewclicks.methods.energy.seeds import Seeds
from fewclicks.methods.guidance import Guidance


@dataclass(frozen=True, kw_only=True, slots=True)
class GeodesicConfig(ColourConfig):
    """The price of way, besides colour models and seeds.

    Parameters
    ----------
    spatial
        Price of one pixel of way; a change of likelihood from 0 to 1 costs 1.
    """

    spatial: float = 0.001

    def __post_init__(self) -> None:
        ColourConfig.__post_init__(self)
        check_not_negative(self, "spatial")


class Geodesic:
    """Nearest seed in the geodesic distance over the colour likelihood.

    Parameters
    ----------
    config
        Tuned for clicks, where the paper had strokes.

    Notes
    -----
    A path pays for every change of the likelihood that its pixels are on the object, so it runs
    for nothing through a region that one model explains. A previous answer has no say.

    References
    ----------
    .. [1] Bai & Sapiro, "Geodesic Matting: A Framework for Fast Interactive Image and Video
       Segmentation and Matting", IJCV 82, 2009.
    """

    config_type: ClassVar = GeodesicConfig

    def __init__(self, config: GeodesicConfig | None = None) -> None:
        self.config = config or GeodesicConfig()

    def prepare(self, image: RgbImage) -> ColouredPicture:
        """Sort the colours into bins.

        Raises
        ------
        InputError
            If the image is none.
        """
        work = at_work_size(image, self.config)
        colours = colour_bins(lab_image(work), side=self.config.bins)
        return ColouredPicture(image=image, work=work, colours=colours)

    def condition(self, prepared: ColouredPicture, guidance: Guidance) -> ColouredPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self, prepared: ColouredPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Compare the distance to the positive seeds with that to the negative ones."""
        del previous
        return spread(prepared, clicks, self.config, lambda seeds: self._solve(prepared, seeds))

    def _solve(self, prepared: ColouredPicture, seeds: Seeds) -> FloatMap:
        likelihood = special.expit(colour_ratio(prepared, seeds, self.config))
        steps = step_lengths(likelihood[..., None], spatial=self.config.spatial)
        return nearer(
            geodesic_distance(steps, seeds.positive), geodesic_distance(steps, seeds.negative)
        )


def nearer(to_positive: FloatMap, to_negative: FloatMap) -> FloatMap:
    """Share of the way to the nearest negative seed in the way to both; 0.5 on a tie.

    Parameters
    ----------
    to_positive, to_negative : (H, W)
        Distances, finite, from 0 on.
    """
    both = to_positive + to_negative
    shares: FloatMap = np.divide(to_negative, both, out=np.full_like(both, 0.5), where=both > 0)
    return shares
