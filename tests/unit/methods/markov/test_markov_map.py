from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.backbones.base import Grid
from fewclicks.clicks import Click
from fewclicks.methods.markov.markov_map import markov_map, start_distribution
from fewclicks.methods.markov.sinkhorn import Transition, sinkhorn


def _walk(points: NDArray[np.float64], *, width: float, crooked: bool = False) -> Transition:
    offsets = points[:, None] - points[None]
    kernel = np.exp(-(offsets**2).sum(axis=-1) / width)
    if crooked:
        kernel = kernel * np.random.default_rng(5).uniform(0.5, 1.5, kernel.shape)
    return sinkhorn(np.maximum(kernel, 1e-20).astype(np.float32), tolerance=1e-5)


def _slow(
    transition: Transition, start: NDArray[np.float32], saturation: float, max_steps: int
) -> NDArray[np.float64]:
    """Equation 6 with its interpolation, step by step in double precision."""
    matrix = transition.matrix().astype(np.float64)
    place = start.astype(np.float64)
    before = place / place.max()
    times = np.where(before > saturation, 0.0, np.inf)
    for step in range(1, max_steps + 1):
        place = place @ matrix
        now = place / place.max()
        new = (now > saturation) & np.isinf(times)
        times[new] = step - (now[new] - saturation) / (now[new] - before[new])
        before = now
    return np.minimum(times, max_steps)


POINTS = np.random.default_rng(0).random((300, 2))


@pytest.mark.parametrize("crooked", [False, True], ids=["symmetric", "crooked"])
@pytest.mark.parametrize("width", [0.2, 0.02, 0.004, 0.001], ids=lambda width: f"width-{width}")
def test_the_map_agrees_with_a_slow_walk(width: float, crooked: bool):
    transition = _walk(POINTS, width=width, crooked=crooked)
    starts = np.zeros((2, len(POINTS)), dtype=np.float32)
    starts[0, 7], starts[1, [20, 21]] = 1.0, [1.0, 0.5]
    maps = markov_map(transition, starts)
    for times, start in zip(maps, starts, strict=True):
        expected = _slow(transition, start, 0.3, 1000)
        assert np.abs(times - expected).mean() < 2e-2
        np.testing.assert_allclose(times, expected, rtol=2e-3, atol=1e-3)


def test_a_token_above_saturation_at_the_start_has_time_zero():
    transition = _walk(POINTS, width=0.02)
    start = np.zeros((1, len(POINTS)), dtype=np.float32)
    start[0, :3] = [1.0, 0.31, 0.29]
    times = markov_map(transition, start)[0]
    assert times[0] == times[1] == 0.0
    assert times[2] > 0.0
    assert np.count_nonzero(times == 0.0) == 2


def test_tokens_that_the_walk_never_reaches_keep_the_maximum():
    islands = np.concatenate([POINTS, POINTS + 100.0])
    transition = _walk(islands, width=0.02)
    start = np.eye(1, len(islands), dtype=np.float32)
    for max_steps in (10, 20, 200):
        times = markov_map(transition, start, max_steps=max_steps)[0]
        assert (times[300:] == max_steps).all()
        assert times[:300].min() == 0.0


def test_a_factor_on_the_start_does_not_matter():
    transition = _walk(POINTS, width=0.02)
    start = np.eye(1, len(POINTS), dtype=np.float32)
    np.testing.assert_array_equal(
        markov_map(transition, start), markov_map(transition, start * np.float32(0.25))
    )


def test_higher_saturation_takes_longer():
    transition = _walk(POINTS, width=0.02)
    start = np.eye(1, len(POINTS), dtype=np.float32)
    early, late = (markov_map(transition, start, saturation=share) for share in (0.2, 0.6))
    assert (early <= late).all()


def test_one_token_is_at_home_at_once():
    transition = sinkhorn(np.ones((1, 1), dtype=np.float32))
    np.testing.assert_array_equal(markov_map(transition, np.ones((1, 1), dtype=np.float32)), [[0]])


def test_a_splat_shares_a_click_among_the_tokens_around_it():
    # Token coordinate (5 - 1) * 30 / 100 = 1.2 to the right, (3 - 1) * 15 / 60 = 0.5 down.
    start = start_distribution(Click(x=30, y=15), grid=Grid(3, 5), height=60, width=100)
    expected = np.zeros((3, 5))
    expected[0, 1:3] = expected[1, 1:3] = [1.0, 0.25]
    np.testing.assert_allclose(start.reshape(3, 5), expected, rtol=1e-6)


def test_one_hot_is_the_token_whose_cell_holds_the_click():
    start = start_distribution(
        Click(x=99, y=20), grid=Grid(3, 5), height=60, width=100, start="one-hot"
    )
    assert np.flatnonzero(start).tolist() == [9]


@pytest.mark.parametrize("start", ["splat", "one-hot"])
def test_clicks_in_the_corners_stay_on_the_grid(start: str):
    for grid in (Grid(3, 5), Grid(1, 4), Grid(1, 1)):
        for x in (0, 99):
            for y in (0, 59):
                shares = start_distribution(
                    Click(x=x, y=y), grid=grid, height=60, width=100, start=start
                )
                assert shares.shape == (1, grid.count)
                assert shares.max() == 1.0
