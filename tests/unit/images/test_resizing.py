from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from drawing import enlarge, mask
from fewclicks.errors import InputError
from fewclicks.images.resizing import resize_image, resize_map, resize_mask, shrink_to_longest_side

SIDES = st.integers(1, 40)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_shrunk_picture_is_the_mean_of_areas():
    picture = noise(12, 20)
    means = picture.reshape(4, 3, 5, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize_image(picture, height=4, width=5) - means).max() <= 0.51


def test_each_axis_shrinks_or_grows_for_itself():
    picture = noise(12, 20)
    means = picture.reshape(4, 3, 20, 3).mean(axis=1)
    resized = resize_image(picture, height=4, width=60)
    # Growing three times keeps the old pixel in the middle of the three.
    assert np.abs(resized[:, 1::3] - means).max() <= 1.01


def test_a_ramp_grows_into_a_ramp_that_stays_in_place():
    ramp = np.linspace(0, 1, 10, dtype=np.float32)[None].repeat(4, axis=0)
    grown = resize_map(ramp, height=8, width=30)
    places = (np.arange(30) + 0.5) / 3 - 0.5
    expected = ndimage.map_coordinates(ramp[0], [places], order=1, mode="nearest")
    assert np.allclose(grown, expected, atol=1e-5)


@given(SIDES, SIDES, SIDES, SIDES)
@settings(deadline=None, max_examples=60)
def test_a_probability_stays_within_its_range_at_any_size(height, width, new_height, new_width):
    values = np.random.default_rng(height * 41 + width).random((height, width)).astype(np.float32)
    resized = resize_map(values, height=new_height, width=new_width)
    assert resized.shape == (new_height, new_width)
    assert resized.dtype == np.float32
    assert values.min() - 1e-6 <= resized.min()
    assert resized.max() <= values.max() + 1e-6


@given(SIDES, SIDES, SIDES, SIDES)
@settings(deadline=None, max_examples=60)
def test_a_mask_takes_the_pixel_under_each_new_centre(height, width, new_height, new_width):
    old = np.random.default_rng(height * 41 + width).random((height, width)) < 0.5
    rows = ((2 * np.arange(new_height) + 1) * height) // (2 * new_height)
    columns = ((2 * np.arange(new_width) + 1) * width) // (2 * new_width)
    resized = resize_mask(old, height=new_height, width=new_width)
    # A centre right between two pixels may take either.
    clear_rows = ((2 * np.arange(new_height) + 1) * height) % (2 * new_height) != 0
    clear_columns = ((2 * np.arange(new_width) + 1) * width) % (2 * new_width) != 0
    clear = clear_rows[:, None] & clear_columns
    assert resized.dtype == np.bool_
    assert np.array_equal(resized[clear], old[np.ix_(rows, columns)][clear])


def test_a_mask_grown_by_a_whole_number_repeats_its_pixels():
    small = mask("#..#", ".##.", "#...")
    assert np.array_equal(resize_mask(small, height=9, width=12), enlarge(small, 3))


def test_the_longer_side_is_shrunk_to_the_limit():
    assert shrink_to_longest_side(noise(30, 60), 20).shape == (10, 20, 3)
    assert shrink_to_longest_side(noise(60, 30), 20).shape == (20, 10, 3)
    assert shrink_to_longest_side(noise(1, 400), 20).shape == (1, 20, 3)


def test_a_small_picture_is_left_alone():
    picture = noise(10, 20)
    assert shrink_to_longest_side(picture, 20) is picture


@pytest.mark.parametrize("size", [{"height": 0, "width": 4}, {"height": 4, "width": -1}])
def test_a_size_of_nothing_is_refused(size):
    for resize, array in ((resize_image, noise(3, 3)), (resize_mask, mask("#"))):
        with pytest.raises(InputError, match="needs 1 pixel at least"):
            resize(array, **size)
