"""What the seeds say of colours, for the baselines that listen to colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewclicks.arrays import FloatMap
from fewclicks.errors import InputError
from fewclicks.methods.classical.seeding import SeedConfig, WorkPicture, excluded_at_work_size
from fewclicks.methods.energy.colour_models import (
    ColourBins,
    colour_histogram,
    log_likelihood_ratio,
)
from fewclicks.methods.energy.seeds import Seeds, border_band


@dataclass(frozen=True, kw_only=True, slots=True)
class ColourConfig(SeedConfig):
    """Colour models, besides the seeds.

    Parameters
    ----------
    bins
        Of the colour histograms, along each axis of Lab.
    smoothing
        Of the colour histograms, standard deviation in bins.
    border_weight
        Weight of the picture's border in the colours of the background, where all negative
        seeds together weigh 1; it steadies the model when the first negative click is made.
    """

    bins: int = 16
    smoothing: float = 0.5
    border_weight: float = 1.0

    def __post_init__(self) -> None:
        SeedConfig.__post_init__(self)
        if not 1 <= self.bins <= 40:
            raise InputError(f"bins is {self.bins}; needs a number from 1 to 40.")
        check_not_negative(self, "smoothing", "border_weight")


def check_not_negative(config: SeedConfig, *names: str) -> None:
    """Refuse settings below 0.

    Raises
    ------
    InputError
        For the first one.
    """
    for name in names:
        if not getattr(config, name) >= 0:
            raise InputError(f"{name} is {getattr(config, name)}; needs a number from 0 on.")


@dataclass(frozen=True, kw_only=True)
class ColouredPicture(WorkPicture):
    """A picture whose colours are sorted into bins.

    Parameters
    ----------
    colours : (h, w)
        Bin of each pixel's colour.
    """

    colours: ColourBins


def colour_ratio(prepared: ColouredPicture, seeds: Seeds, config: ColourConfig) -> FloatMap:
    """Compare how well the colours of both kinds of seeds explain each pixel.

    Parameters
    ----------
    seeds
        Of both classes. Pixels that are negative because they are excluded say nothing of
        colours: a finished object may look like the next one.

    Returns
    -------
    (h, w) float32
        Logarithm of the ratio of likelihoods, above 0 where the object explains the colour better.
    """
    shown = seeds.negative
    excluded = excluded_at_work_size(prepared)
    if excluded is not None:
        shown = shown & ~excluded
    background = shown.astype(np.float32)
    band = border_band(shown.shape, config.border) & ~seeds.positive & ~shown
    if band.any():
        total = max(float(background.sum()), 1.0)
        background[band] = config.border_weight * total / np.count_nonzero(band)
    positive, negative = (
        colour_histogram(prepared.colours, weights, smoothing=config.smoothing)
        for weights in (seeds.positive, background)
    )
    return log_likelihood_ratio(prepared.colours, positive, negative)
