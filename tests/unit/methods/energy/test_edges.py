"""Edge maps against the formula, pixel by pixel."""

import numpy as np
import pytest

from fewclicks.methods.energy.edges import (
    LENGTHS,
    NEIGHBOURS,
    contrast_weights,
    squared_differences,
    step_lengths,
)


@pytest.fixture
def picture():
    return np.random.default_rng(3).uniform(0, 50, (5, 7, 3)).astype(np.float32)


def edges_of(height, width):
    """Every edge inside, as (k, pixel, neighbour)."""
    for k, (down, right) in enumerate(NEIGHBOURS):
        for y, x in np.ndindex(height, width):
            if y + down < height and 0 <= x + right < width:
                yield k, (y, x), (y + down, x + right)


def test_squared_differences_are_those_of_both_ends(picture):
    squares = squared_differences(picture)

    for k, p, q in edges_of(5, 7):
        assert squares[k][p] == pytest.approx(((picture[p] - picture[q]) ** 2).sum(), rel=1e-5)


def test_contrast_weights_follow_the_formula(picture):
    squares = {edge: ((picture[edge[1]] - picture[edge[2]]) ** 2).sum() for edge in edges_of(5, 7)}
    mean = np.mean(list(squares.values()))

    weights = contrast_weights(picture, strength=30.0)

    for (k, p, q), square in squares.items():
        expected = 30.0 * np.exp(-square / (2 * mean)) / np.hypot(p[0] - q[0], p[1] - q[1])
        assert weights[k][p] == pytest.approx(expected, rel=1e-4)


def test_a_flat_picture_has_full_weights_and_no_division_by_zero():
    weights = contrast_weights(np.full((4, 6, 3), 9.0, dtype=np.float32), strength=2.0)

    for k, p, _ in edges_of(4, 6):
        assert weights[k][p] == pytest.approx(2.0 / LENGTHS[k])


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_edges_out_of_the_picture_hold_zero(shape):
    inside = {(k, *p) for k, p, _ in edges_of(*shape)}
    picture = np.zeros((*shape, 3), dtype=np.float32)

    for weights in (
        contrast_weights(picture),
        step_lengths(picture, spatial=1.0),
    ):
        assert {tuple(int(i) for i in place) for place in np.argwhere(weights)} == inside


def test_step_lengths_add_way_to_the_change_of_colour(picture):
    steps = step_lengths(picture, spatial=2.0)

    for k, p, q in edges_of(5, 7):
        change = np.linalg.norm(picture[p] - picture[q])
        assert steps[k][p] == pytest.approx(change + 2.0 * LENGTHS[k], rel=1e-5)
