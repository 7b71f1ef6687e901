from __future__ import annotations

import numpy as np
import pytest

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.sinkhorn import Transition, is_symmetric, sinkhorn, temper


def _slow(kernel: FloatMatrix, rounds: int = 5000) -> FloatMatrix:
    """The paper's loop: rewrite columns, then rows."""
    matrix = kernel.astype(np.float64)
    for _ in range(rounds):
        matrix /= matrix.sum(axis=0, keepdims=True)
        matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix


@pytest.fixture
def symmetric() -> FloatMatrix:
    points = np.random.default_rng(0).random((60, 2))
    offsets = points[:, None] - points[None]
    return np.exp(-(offsets**2).sum(axis=-1) / 0.02).astype(np.float32)


@pytest.fixture
def crooked(symmetric: FloatMatrix) -> FloatMatrix:
    factors = np.random.default_rng(1).uniform(0.5, 2.0, symmetric.shape)
    return (symmetric * factors).astype(np.float32)


@pytest.mark.parametrize("kind", ["symmetric", "crooked"])
def test_scaling_agrees_with_rewriting_the_matrix(kind: str, request: pytest.FixtureRequest):
    kernel = request.getfixturevalue(kind)
    transition = sinkhorn(kernel, rounds=1000, tolerance=1e-6)
    np.testing.assert_allclose(transition.matrix(), _slow(kernel), atol=2e-5)


@pytest.mark.parametrize("kind", ["symmetric", "crooked"])
def test_rows_and_columns_sum_to_one_within_the_error_told(
    kind: str, request: pytest.FixtureRequest
):
    transition = sinkhorn(request.getfixturevalue(kind), tolerance=1e-3)
    matrix = transition.matrix()
    assert transition.error <= 1e-3
    assert np.abs(matrix.sum(axis=0) - 1.0).max() <= transition.error + 1e-5
    assert np.abs(matrix.sum(axis=1) - 1.0).max() <= transition.error + 1e-5


def test_too_few_rounds_stop_and_tell_the_error(crooked: FloatMatrix):
    transition = sinkhorn(crooked, rounds=2, tolerance=1e-9)
    assert transition.rounds == 2
    assert transition.error > 1e-9
    off = np.abs(transition.matrix().sum(axis=0) - 1.0).max()
    assert transition.error == pytest.approx(off, rel=1e-2)


def test_symmetric_kernels_stay_symmetric_and_take_few_rounds(symmetric: FloatMatrix):
    transition = sinkhorn(symmetric)
    assert transition.is_symmetric
    assert transition.rounds <= 20
    np.testing.assert_array_equal(transition.rows, transition.columns)


def test_one_step_is_a_product_with_the_matrix(crooked: FloatMatrix):
    transition = sinkhorn(crooked)
    places = np.random.default_rng(2).random((3, len(crooked))).astype(np.float32)
    expected = places @ transition.matrix()
    np.testing.assert_allclose(transition.step(places), expected, rtol=1e-4)
    np.testing.assert_allclose(transition.step(places[0]), expected[0], rtol=1e-4)


def test_the_kernel_is_kept_and_not_rewritten(crooked: FloatMatrix):
    before = crooked.copy()
    transition: Transition = sinkhorn(crooked)
    assert transition.kernel is crooked
    np.testing.assert_array_equal(crooked, before)


def test_temper_is_a_power_up_to_a_factor_for_each_row(crooked: FloatMatrix):
    attention = crooked / crooked.sum(axis=1, keepdims=True)
    tempered = temper(attention, 0.65)
    expected = attention.astype(np.float64) ** (1.0 / 0.65)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        tempered / tempered.sum(axis=1, keepdims=True), expected, rtol=1e-4, atol=1e-12
    )


def test_temper_finds_the_symmetry_under_a_softmax(symmetric: FloatMatrix, crooked: FloatMatrix):
    attention = symmetric / symmetric.sum(axis=1, keepdims=True)
    assert not is_symmetric(attention)
    assert is_symmetric(temper(attention, 0.65))
    assert not is_symmetric(temper(crooked, 0.65))


def test_temper_leaves_no_zero_and_no_subnormal_number():
    attention = np.array([[1.0, 0.0], [1e-38, 1.0]], dtype=np.float32)
    assert temper(attention, 0.5).min() >= np.finfo(np.float32).tiny
