"""Band cut against the exact cut."""

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.methods.energy.band_cut import band_cut, contrast_pyramid
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.energy.min_cut import min_cut

BLOB = enlarge(
    mask(
        "........",
        ".####...",
        ".#####..",
        "..###...",
        "........",
    ),
    12,
)[:57, :93]
NOTHING = np.zeros_like(BLOB)


@pytest.fixture
def unary():
    """Right on the whole, wrong on many a pixel."""
    noise = np.random.default_rng(0).normal(0, 1.5, BLOB.shape)
    return (np.where(BLOB, 1.0, -1.0) + noise).astype(np.float32)


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_a_plain_object_is_found_as_by_the_exact_cut(unary, levels):
    pyramid = contrast_pyramid(lab_image(paint(BLOB)), strength=5.0, levels=levels)

    fast = band_cut(unary, pyramid, positive=NOTHING, negative=NOTHING)

    exact = min_cut(unary, pyramid[0], positive=NOTHING, negative=NOTHING)
    assert np.array_equal(exact, BLOB)
    assert np.array_equal(fast, exact)


def test_what_is_thinner_than_a_coarse_pixel_is_found():
    stem = np.zeros((40, 60), dtype=bool)
    stem[4:12, 10:50] = True
    stem[12:36, 31] = True
    unary = np.where(stem, 3.0, -3.0).astype(np.float32)
    pyramid = contrast_pyramid(lab_image(paint(stem)), strength=5.0, levels=1)
    nothing = np.zeros_like(stem)

    with_doubt = band_cut(unary, pyramid, positive=nothing, negative=nothing)
    without = band_cut(unary, pyramid, positive=nothing, negative=nothing, doubt=np.inf)

    assert np.array_equal(with_doubt, stem)
    assert not without[stem].all()


def test_each_level_halves_the_sides_and_rounds_up():
    pyramid = contrast_pyramid(np.zeros((57, 93, 3), dtype=np.float32), strength=1.0, levels=3)

    sizes = [(57, 93), (29, 47), (15, 24), (8, 12)]
    assert [level.shape for level in pyramid] == [(4, *size) for size in sizes]


def test_settled_pixels_keep_their_class_even_side_by_side(unary):
    pyramid = contrast_pyramid(lab_image(paint(BLOB)), strength=5.0, levels=2)
    positive, negative = NOTHING.copy(), NOTHING.copy()
    positive[2, 2], negative[2, 3] = True, True
    negative[30, 30], positive[31, 30] = True, True

    cut = band_cut(unary, pyramid, positive=positive, negative=negative)

    assert cut[positive].all()
    assert not cut[negative].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3)])
def test_tiny_pictures_can_be_halved(shape):
    pyramid = contrast_pyramid(np.zeros((*shape, 3), dtype=np.float32), strength=1.0, levels=2)
    nothing = np.zeros(shape, dtype=bool)

    cut = band_cut(np.ones(shape, dtype=np.float32), pyramid, positive=nothing, negative=nothing)

    assert cut.all()
