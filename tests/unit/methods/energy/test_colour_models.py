"""Colour models against counting by hand and scikit-image's colour space."""

import numpy as np
import pytest
from skimage import color

from fewclicks.methods.energy.colour_models import (
    bin_centres,
    colour_bins,
    colour_histogram,
    lab_image,
    log_likelihood_ratio,
)


@pytest.fixture
def picture():
    return np.random.default_rng(2).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def test_lab_is_that_of_scikit_image(picture):
    assert lab_image(picture) == pytest.approx(color.rgb2lab(picture), abs=0.6)


def test_every_colour_has_a_bin():
    corners = np.array(np.meshgrid([0, 255], [0, 255], [0, 255])).reshape(3, 1, 8)

    bins = colour_bins(lab_image(np.moveaxis(corners, 0, -1).astype(np.uint8)), side=16)

    assert bins.index.max() < 16**3
    assert len(np.unique(bins.index)) == 8


def test_an_unsmoothed_histogram_counts_the_weighted_pixels(picture):
    bins = colour_bins(lab_image(picture), side=8)
    chosen = np.random.default_rng(0).random(bins.index.shape) < 0.3

    counted = colour_histogram(bins, chosen, smoothing=0, floor=1e-9)
    weighted = colour_histogram(bins, chosen * np.float32(0.25), smoothing=0, floor=1e-9)

    for place in np.ndindex(8, 8, 8):
        share = (bins.index[chosen] == np.ravel_multi_index(place, (8, 8, 8))).mean()
        assert counted[place] == pytest.approx(share, abs=1e-8)
    assert weighted == pytest.approx(counted)


@pytest.mark.parametrize("smoothing", [0.0, 0.7, 2.0])
def test_a_histogram_sums_to_one_and_knows_no_impossible_colour(picture, smoothing):
    bins = colour_bins(lab_image(picture))

    histogram = colour_histogram(bins, picture[..., 0] > 128, smoothing=smoothing)

    assert histogram.sum() == pytest.approx(1)
    assert histogram.min() > 0


def test_without_pixels_every_colour_is_as_likely(picture):
    bins = colour_bins(lab_image(picture), side=4)

    histogram = colour_histogram(bins, np.zeros(bins.index.shape, dtype=bool))

    assert histogram == pytest.approx(np.full((4, 4, 4), 1 / 64))


def test_the_ratio_is_above_zero_where_the_object_explains_the_colour_better():
    picture = np.zeros((4, 6, 3), dtype=np.uint8)
    picture[:, 3:] = (200, 40, 40)
    bins = colour_bins(lab_image(picture))
    right = np.zeros((4, 6), dtype=bool)
    right[:, 3:] = True

    ratio = log_likelihood_ratio(
        bins, colour_histogram(bins, right), colour_histogram(bins, ~right)
    )

    assert np.array_equal(ratio > 0, right)
    assert ratio.dtype == np.float32


def test_a_bins_centre_falls_into_that_bin():
    centres = bin_centres(6)

    assert np.array_equal(colour_bins(centres[None], side=6).index[0], np.arange(6**3))
