from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from fewclicks.backbones.base import Features, Grid
from fewclicks.methods.markov.token_walk import WalkedMaps, read_at, walk_over

GRID = Grid(4, 6)


def _features() -> Features:
    tokens = 0.4 * np.random.default_rng(0).standard_normal((GRID.count, 3))
    return Features(tokens=tokens.astype(np.float32), grid=GRID, temperature=0.5)


def _plain_steps(transition: NDArray[np.float64], token: int) -> NDArray[np.float64]:
    """M2N2's equation 6 from powers of the whole matrix; 1000 where nothing saturates."""
    power = np.eye(len(transition))
    before = power[token]
    steps = np.where(before > 0.3, 0.0, np.inf)
    for step in range(1, 1001):
        power = power @ transition
        now = power[token] / power[token].max()
        new = (now > 0.3) & np.isinf(steps)
        steps[new] = step - (now[new] - 0.3) / (now[new] - before[new])
        before = now
    return np.minimum(steps, 1000.0)


@pytest.fixture(scope="module")
def walked() -> WalkedMaps:
    return walk_over(_features())


def test_the_walk_is_the_likeness_of_tokens_made_doubly_stochastic(walked: WalkedMaps):
    tokens = _features().tokens.astype(np.float64)
    squares = ((tokens[:, None] - tokens[None]) ** 2).sum(axis=-1)
    matrix = walked.transition.matrix().astype(np.float64)
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0, atol=2e-3)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=2e-3)
    # Scaling rows and columns leaves the cross ratios of the likeness as they were.
    logs = np.log(matrix) - np.log(matrix[:1]) - np.log(matrix[:, :1]) + np.log(matrix[0, 0])
    likeness = squares[:1] + squares[:, :1] - squares - squares[0, 0]
    scale = (logs * likeness).sum() / (likeness**2).sum()
    assert scale > 0.0
    np.testing.assert_allclose(logs, scale * likeness, atol=1e-2 * np.abs(logs).max())


def test_steps_are_those_of_powers_of_the_whole_matrix(walked: WalkedMaps):
    matrix = walked.transition.matrix().astype(np.float64)
    for x, y, token in ((0.0, 0.0, 0), (0.6, 0.3, 9), (0.999, 0.999, 23)):
        found = walked.log_steps(x, y)
        assert found.shape == (4, 6)
        expected = np.log(1 + _plain_steps(matrix, token)).reshape(4, 6)
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_a_walk_starts_at_the_token_whose_cell_holds_the_place(walked: WalkedMaps):
    for row in range(4):
        for column in range(6):
            for shift in (0.01, 0.99):
                found = walked.log_steps((column + shift) / 6, (row + shift) / 4)
                assert found[row, column] == 0.0
                assert np.count_nonzero(found == 0.0) == 1


def test_a_walk_is_taken_once_for_each_token(walked: WalkedMaps):
    first = walked.log_steps(0.51, 0.51)
    assert walked.log_steps(0.66, 0.74) is first
    assert walked.log_steps(0.67, 0.74) is not first


def test_what_is_unlike_is_far():
    tokens = np.zeros((GRID.count, 1), dtype=np.float32)
    tokens.reshape(4, 6)[:, 3:] = 2.0
    walked = walk_over(Features(tokens=tokens, grid=GRID, temperature=0.5))
    found = walked.log_steps(0.1, 0.1)
    assert found[:, :3].max() < found[:, 3:].min()


def test_a_map_is_read_bilinearly_between_the_centres_of_tokens():
    random = np.random.default_rng(1)
    values = random.random((4, 6)).astype(np.float32)
    places = random.random((50, 2))
    rows, columns = (np.arange(4) + 0.5) / 4, (np.arange(6) + 0.5) / 6
    slow = RegularGridInterpolator((rows, columns), values.astype(np.float64))
    within = np.clip(places, (columns[0], rows[0]), (columns[-1], rows[-1]))
    np.testing.assert_allclose(read_at(values, places), slow(within[:, ::-1]), atol=1e-6)


def test_a_map_of_one_token_says_the_same_everywhere():
    values = np.array([[3.5]], dtype=np.float32)
    found = read_at(values, np.array([[0.0, 0.0], [0.5, 0.5], [0.99, 0.2]]))
    np.testing.assert_array_equal(found, [3.5, 3.5, 3.5])
