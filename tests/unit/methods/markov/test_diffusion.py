from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.diffusion import NEVER, Diffusion, diffusion

Real = NDArray[np.float64]


@pytest.fixture(scope="module")
def affinity() -> FloatMatrix:
    """Two clouds of points, far enough apart that a walk hardly ever crosses."""
    points = np.random.default_rng(0).random((70, 2))
    points[:25, 0] += 2.5
    offsets = points[:, None] - points[None]
    return np.exp(-(offsets**2).sum(axis=-1) / 0.05).astype(np.float32)


@pytest.fixture(scope="module")
def walk(affinity: FloatMatrix) -> Diffusion:
    return diffusion(affinity)


def _matrix(walk: Diffusion) -> Real:
    modes = walk.modes.astype(np.float64)
    return (modes * walk.rates) @ modes.T


def _slow_steps(matrix: Real, token: int, saturation: float) -> Real:
    """Take every single step, and interpolate between the two around each crossing."""
    found = np.full(len(matrix), NEVER)
    place = np.zeros(len(matrix))
    place[token] = 1.0
    relative = place
    found[token] = 0.0
    for step in range(1, 1001):
        before = relative
        place = place @ matrix
        relative = place / place.max()
        new = (relative > saturation) & (found == NEVER)
        found[new] = step - 1 + (saturation - before[new]) / (relative - before)[new]
    return found


def test_a_step_is_the_doubly_stochastic_scaling_of_the_affinity(
    walk: Diffusion, affinity: FloatMatrix
):
    expected = affinity.astype(np.float64)
    for _ in range(5000):  # as Sinkhorn wrote it: columns, then rows
        expected /= expected.sum(axis=0, keepdims=True)
        expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(_matrix(walk), expected, atol=3e-4)


def test_rows_and_columns_of_a_step_sum_to_one(walk: Diffusion):
    matrix = _matrix(walk)
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0, atol=2e-4)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=2e-4)


def test_modes_are_orthonormal_and_none_grows(walk: Diffusion):
    modes = walk.modes.astype(np.float64)
    np.testing.assert_allclose(modes.T @ modes, np.eye(len(modes)), atol=1e-4)
    assert walk.rates.min() >= 0.0
    assert walk.rates.max() <= 1.0


@pytest.mark.parametrize("saturation", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("token", [0, 40, 69])
def test_saturation_is_that_of_taking_every_step(walk: Diffusion, token: int, saturation: float):
    """Between two of the 28 steps looked at, interpolation is off by less than 4%."""
    found = walk.saturation_steps(token, saturation=saturation)
    expected = _slow_steps(_matrix(walk), token, saturation)
    np.testing.assert_array_equal(found == NEVER, expected == NEVER)
    np.testing.assert_allclose(found, expected, rtol=0.04, atol=0.05)


def test_a_walk_is_at_its_start_at_once_and_never_in_another_cloud(walk: Diffusion):
    steps = walk.saturation_steps(0)
    assert steps[0] == 0.0
    assert (steps[1:] > 0).all()
    assert (steps[:25] < NEVER).all()
    assert (steps[25:] == NEVER).all()


def test_a_higher_saturation_is_never_reached_earlier(walk: Diffusion):
    found = [walk.saturation_steps(30, saturation=share) for share in (0.05, 0.3, 0.6, 0.95)]
    assert (np.diff(found, axis=0) >= 0).all()


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.99])
def test_two_tokens_saturate_when_algebra_says(rate: float):
    """Relative probability of the other token: (1 - r^t) / (1 + r^t)."""
    walk = Diffusion(
        rates=np.array([1.0, rate], dtype=np.float32),
        modes=np.array([[1, 1], [1, -1]], dtype=np.float32) / np.sqrt(np.float32(2)),
    )
    expected = np.log(0.7 / 1.3) / np.log(rate)
    np.testing.assert_allclose(walk.saturation_steps(1), [expected, 0.0], rtol=0.03)


def test_a_lone_token_is_where_its_walk_stays():
    walk = diffusion(np.ones((1, 1), dtype=np.float32))
    assert walk.saturation_steps(0).tolist() == [0.0]
    np.testing.assert_allclose(walk.spread(np.array([3.0]), steps=7), [3.0], rtol=1e-3)


def test_tokens_that_are_all_alike_are_reached_in_one_step():
    steps = diffusion(np.ones((6, 6), dtype=np.float32)).saturation_steps(2)
    assert steps[2] == 0.0
    np.testing.assert_allclose(np.delete(steps, 2), 0.3, rtol=1e-3)


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_spreading_is_a_power_of_the_matrix(walk: Diffusion, steps: int):
    values = np.random.default_rng(2).normal(size=len(walk.rates))
    expected = np.linalg.matrix_power(_matrix(walk), steps) @ values
    np.testing.assert_allclose(walk.spread(values, steps=steps), expected, atol=1e-5)


def test_spreading_keeps_what_is_the_same_everywhere(walk: Diffusion):
    np.testing.assert_allclose(walk.spread(np.full(70, 0.4), steps=20), 0.4, rtol=3e-3)
