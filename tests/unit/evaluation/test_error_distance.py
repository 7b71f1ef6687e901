"""Depth inside an error, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from drawing import mask
from fewclicks.evaluation.error_distance import error_distance


def test_depth_is_the_squared_distance_to_the_nearest_pixel_that_is_right():
    error = mask(
        ".......",
        ".#####.",
        ".#####.",
        ".#####.",
        ".......",
    )
    assert error_distance(error).tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 1, 4, 4, 4, 1, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]


def test_the_border_of_the_picture_is_an_edge():
    assert error_distance(np.ones((3, 5), dtype=bool)).tolist() == [
        [1, 1, 1, 1, 1],
        [1, 4, 4, 4, 1],
        [1, 1, 1, 1, 1],
    ]


def test_no_error_has_no_depth():
    assert not error_distance(np.zeros((4, 6), dtype=bool)).any()


def test_a_view_and_a_transposed_mask_give_the_depth_of_their_copy():
    error = np.random.default_rng(3).random((20, 30)) < 0.8
    for view in (error.T, error[::2, ::3], error[::-1]):
        assert np.array_equal(error_distance(view), error_distance(view.copy()))


@pytest.mark.parametrize("shape", [(60, 90), (480, 640), (1000, 1020), (1300, 1400)])
def test_depth_agrees_with_scipy_to_the_last_unit_at_every_size(shape: tuple[int, int]):
    chance = np.random.default_rng(sum(shape))
    error = np.ones(shape, dtype=bool)
    error[chance.integers(0, shape[0], 2), chance.integers(0, shape[1], 2)] = False
    expected = np.rint(distance_transform_edt(np.pad(error, 1))[1:-1, 1:-1] ** 2)
    assert np.array_equal(error_distance(error), expected.astype(np.int32))
