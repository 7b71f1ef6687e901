from __future__ import annotations

import numpy as np

from fewclicks.backbones.base import Features, Grid


def features_of(height: int, width: int) -> Features:
    tokens = np.random.default_rng(0).normal(size=(height * width, 5)).astype(np.float32)
    return Features(tokens=tokens, grid=Grid(height, width), temperature=0.3)


def test_few_enough_features_stay_as_they_are():
    features = features_of(6, 4)
    assert features.at_most(24) is features


def test_a_quarter_as_many_features_are_the_means_of_two_by_two():
    features = features_of(6, 4)
    fewer = features.at_most(6)
    means = features.tokens.reshape(3, 2, 2, 2, 5).mean(axis=(1, 3))
    assert fewer.grid == Grid(3, 2)
    assert fewer.temperature == features.temperature
    np.testing.assert_allclose(fewer.tokens, means.reshape(6, 5), atol=1e-6)


def test_features_between_keep_their_mean_and_their_places():
    grid = Grid(67, 120)
    across = np.tile(np.linspace(0, 1, 120, dtype=np.float32), (67, 1))
    down = np.tile(np.linspace(0, 1, 67, dtype=np.float32)[:, None], (1, 120))
    tokens = np.stack([across.ravel(), down.ravel()], axis=1)
    fewer = Features(tokens=tokens, grid=grid, temperature=1.0).at_most(3600)
    assert fewer.grid == Grid(44, 80)
    np.testing.assert_allclose(fewer.tokens.mean(axis=0), 0.5, atol=1e-3)
    assert (np.diff(fewer.tokens[:, 0].reshape(44, 80), axis=1) > 0).all()
    assert (np.diff(fewer.tokens[:, 1].reshape(44, 80), axis=0) > 0).all()


def test_a_single_row_of_features_keeps_a_row():
    assert features_of(1, 50).at_most(10).grid.height == 1
