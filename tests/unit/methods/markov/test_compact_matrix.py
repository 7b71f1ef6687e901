from __future__ import annotations

import numpy as np
import pytest

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.compact_matrix import CompactMatrix, compact, fast_products
from fewclicks.methods.markov.markov_map import markov_map
from fewclicks.methods.markov.sinkhorn import sinkhorn


def _matrix(count: int, *, is_symmetric: bool) -> FloatMatrix:
    """Entries of all magnitudes down to 1e-7, the largest anywhere."""
    rng = np.random.default_rng(count)
    matrix = np.exp(-rng.exponential(4.0, (count, count))).clip(1e-7)
    return (np.maximum(matrix, matrix.T) if is_symmetric else matrix).astype(np.float32)


@pytest.mark.parametrize("factor", [1.0, 1e-12, 3e5], ids=lambda factor: f"times-{factor:g}")
@pytest.mark.parametrize("is_symmetric", [True, False], ids=["symmetric", "crooked"])
@pytest.mark.parametrize("count", [1, 2, 4, 7, 130])
def test_products_are_off_by_at_most_a_two_thousandth(
    count: int, is_symmetric: bool, factor: float
):
    matrix = _matrix(count, is_symmetric=is_symmetric) * np.float32(factor)
    vector = np.random.default_rng(1).random(count).astype(np.float32)
    kept, exact = compact(matrix, is_symmetric=is_symmetric), matrix.astype(np.float64)
    np.testing.assert_allclose(kept.after(vector), vector @ exact, rtol=2.0**-11 + 1e-5)
    np.testing.assert_allclose(kept.before(vector), exact @ vector, rtol=2.0**-11 + 1e-5)


@pytest.mark.parametrize("is_symmetric", [True, False], ids=["symmetric", "crooked"])
def test_single_entries_are_rounded_to_the_nearest(is_symmetric: bool):
    matrix = _matrix(30, is_symmetric=is_symmetric)
    matrix[3, 3] = 1.0 - 2.0**-20  # is rounded up to the next power of two
    kept = compact(matrix, is_symmetric=is_symmetric)
    entries = np.stack([kept.after(row) for row in np.eye(30, dtype=np.float32)])
    np.testing.assert_allclose(entries, matrix, rtol=2.0**-11)
    assert np.abs(entries / matrix - 1.0).mean() < 2.0**-12
    assert abs((entries / matrix - 1.0).mean()) < 2.0**-14  # neither up nor down on the whole


def test_entries_too_small_to_be_written_stay_above_zero():
    matrix = np.array([[1.0, 1e-30], [0.0, 1.0]], dtype=np.float32)
    kept = compact(matrix, is_symmetric=False)
    found = kept.after(np.array([0.0, 1.0], dtype=np.float32))
    assert 0.0 < found[0] < 1e-18


def test_small_matrices_stay_as_they_are_and_large_ones_take_a_quarter():
    small, large = _matrix(40, is_symmetric=True), np.ones((1100, 1100), dtype=np.float32)
    vector = np.random.default_rng(1).random(40).astype(np.float32)
    exact = fast_products(small, is_symmetric=True)
    np.testing.assert_array_equal(exact.after(vector), vector @ small)
    np.testing.assert_array_equal(exact.before(vector), small @ vector)
    rounded = fast_products(large, is_symmetric=True)
    assert isinstance(rounded, CompactMatrix)
    assert rounded.codes.nbytes < 0.26 * large.nbytes


@pytest.mark.parametrize("crooked", [False, True], ids=["symmetric", "crooked"])
def test_a_walk_over_many_tokens_is_as_long_as_in_double_precision(crooked: bool):
    rng = np.random.default_rng(0)
    points = rng.random((1200, 2))
    kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=-1) / 4e-3)
    if crooked:
        kernel *= rng.uniform(0.5, 1.5, kernel.shape)
    transition = sinkhorn(np.maximum(kernel, 1e-20).astype(np.float32), tolerance=1e-5)
    matrix = transition.matrix().astype(np.float64)
    place = np.eye(1, 1200)[0]
    expected, before = np.where(place > 0.0, 0.0, 300.0), place
    for step in range(1, 301):
        place = place @ matrix
        now = place / place.max()
        new = (now > 0.3) & (expected == 300.0)
        expected[new] = step - (now[new] - 0.3) / (now[new] - before[new])
        before = now
    times = markov_map(transition, np.eye(1, 1200, dtype=np.float32), max_steps=300)[0]
    np.testing.assert_allclose(times, expected, rtol=2e-3, atol=1e-3)
    assert np.abs(times - expected).mean() < 2e-2
