from __future__ import annotations

import heapq

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from skimage.morphology import reconstruction

from fewclicks.clicks import Click
from fewclicks.methods.markov.flood_fill import flood_fill


def _slow(cost: NDArray[np.float32], click: Click) -> NDArray[np.float32]:
    """Dijkstra's algorithm whose path length is the highest pixel."""
    height, width = cost.shape
    flooded = np.full(cost.shape, np.inf, dtype=np.float32)
    water = [(cost[click.y, click.x], click.y, click.x)]
    while water:
        level, y, x = heapq.heappop(water)
        if level >= flooded[y, x]:
            continue
        flooded[y, x] = level
        for other_y, other_x in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= other_y < height and 0 <= other_x < width:
                heapq.heappush(water, (max(level, cost[other_y, other_x]), other_y, other_x))
    return flooded


def _hills(smoothness: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(0).random((60, 90)).astype(np.float32)
    hills = cv2.GaussianBlur(noise, (0, 0), smoothness)
    return np.abs(hills - hills[20, 70])


@pytest.mark.parametrize("smoothness", [0.3, 2.0, 10.0])
def test_the_flood_agrees_with_a_heap_and_with_scikit_image(smoothness: float):
    cost, click = _hills(smoothness), Click(x=70, y=20)
    flooded = flood_fill(cost, click)
    tolerance = 1e-4 * float(cost.max())
    np.testing.assert_allclose(flooded, _slow(cost, click), atol=tolerance)

    seed = np.full_like(cost, cost.max())
    seed[click.y, click.x] = cost[click.y, click.x]
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    rebuilt = reconstruction(seed, cost, method="erosion", footprint=cross)
    np.testing.assert_allclose(flooded, rebuilt, atol=tolerance)


@settings(max_examples=40, deadline=None)
@given(
    cost=arrays(
        np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 9)
    ),
    data=st.data(),
)
def test_small_landscapes_are_flooded_exactly(cost: NDArray[np.float32], data: st.DataObject):
    click = Click(
        x=data.draw(st.integers(0, cost.shape[1] - 1)),
        y=data.draw(st.integers(0, cost.shape[0] - 1)),
    )
    np.testing.assert_array_equal(flood_fill(cost, click), _slow(cost, click))


def test_a_wall_must_be_climbed_and_a_gap_spares_it():
    cost = np.array([[0, 9, 0], [0, 9, 0], [0, 4, 0]], dtype=np.float32)
    expected = np.array([[0, 9, 4], [0, 9, 4], [0, 4, 4]])
    np.testing.assert_array_equal(flood_fill(cost, Click(x=0, y=0)), expected)


def test_water_does_not_pass_between_diagonal_pixels():
    cost = np.array([[0, 5], [7, 0]], dtype=np.float32)
    np.testing.assert_array_equal(flood_fill(cost, Click(x=0, y=0)), [[0, 5], [7, 5]])


def test_flat_land_is_flooded_at_once_and_the_cost_is_kept():
    cost = np.zeros((4, 5), dtype=np.float32)
    cost.setflags(write=False)
    np.testing.assert_array_equal(flood_fill(cost, Click(x=4, y=3)), cost)
