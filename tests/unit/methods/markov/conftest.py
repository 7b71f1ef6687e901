"""One small picture as regions, for all who test what is measured on them."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Features
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.markov.regions import Regions, describe_regions

COARSE = ColourBackbone(ColourConfig(longest_side=16, features_temperature=0.02))


def _as_regions(picture: RgbImage, *, count: int = 60) -> Regions:
    """Cut a picture as the method does, with fewer regions and tokens."""
    return describe_regions(lab_image(picture), COARSE.features(picture), count=count)


@pytest.fixture(scope="session")
def picture() -> RgbImage:
    """(48, 64), a red blob and a green bar on blue, with noise."""
    blob = mask("........", ".###....", ".###....", ".##.....", "........", "........")
    bar = mask("........", "......#.", "......#.", "......#.", "......#.", "........")
    painted = paint(enlarge(blob, 8))
    return np.where(
        enlarge(bar, 8)[..., None], paint(enlarge(bar, 8), inside=(50, 180, 70)), painted
    )


@pytest.fixture(scope="session")
def features(picture: RgbImage) -> Features:
    """On a grid of 12 x 16 tokens."""
    return COARSE.features(picture)


@pytest.fixture(scope="session")
def regions(picture: RgbImage) -> Regions:
    """About sixty."""
    return _as_regions(picture)


EXTREMES = {
    "one pixel": np.full((1, 1, 3), 7, dtype=np.uint8),
    "a row": np.arange(33, dtype=np.uint8).reshape(1, 11, 3) * 7,
    "a column": np.arange(33, dtype=np.uint8).reshape(11, 1, 3) * 7,
    "black": np.zeros((20, 30, 3), dtype=np.uint8),
    "white": np.full((20, 30, 3), 255, dtype=np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8),
}


@pytest.fixture(scope="session", params=[*EXTREMES, "one region"])
def extreme(request: pytest.FixtureRequest) -> Regions:
    """Pictures that leave little to measure."""
    if request.param == "one region":
        return _as_regions(EXTREMES["noise"], count=1)
    return _as_regions(EXTREMES[request.param])
