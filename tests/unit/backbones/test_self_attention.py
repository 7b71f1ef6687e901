"""Self-attention as it is gathered, against sums written out token by token."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fewclicks.backbones.self_attention import FinestKeys, MeanAttention, mirrored

GENERATOR = torch.Generator().manual_seed(0)


def tokens(side: int, *, heads: int = 3, channels: int = 5) -> torch.Tensor:
    return torch.randn(heads, side * side, channels, generator=GENERATOR)


def plain_attention(queries: torch.Tensor, keys: torch.Tensor) -> np.ndarray:
    heads, count, channels = queries.shape
    mean = np.zeros((count, count))
    for head in range(heads):
        for row in range(count):
            products = [
                math.exp(float(queries[head, row] @ key) / math.sqrt(channels))
                for key in keys[head]
            ]
            mean[row] += np.array(products) / sum(products) / heads
    return mean


@pytest.mark.parametrize("rows", [1, 5, 16, 2048])
def test_rows_are_worked_in_chunks_of_any_size(rows: int):
    queries, keys = tokens(4), tokens(4)
    mean = MeanAttention({"a": 1.0}, rows=rows)
    mean.take("a", queries, keys)
    np.testing.assert_allclose(mean.result().numpy(), plain_attention(queries, keys), atol=1e-6)


def test_layers_count_by_their_weights():
    layers = {"a": (tokens(3), tokens(3)), "b": (tokens(3, heads=1), tokens(3, heads=1))}
    mean = MeanAttention({"a": 0.6, "b": 0.2})
    for name, (queries, keys) in layers.items():
        mean.take(name, queries, keys)
    expected = 0.75 * plain_attention(*layers["a"]) + 0.25 * plain_attention(*layers["b"])
    np.testing.assert_allclose(mean.result().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 12, 2048])
def test_chunks_do_not_change_how_a_coarse_layer_is_enlarged(rows: int):
    fine, coarse = (tokens(6), tokens(6)), (tokens(3), tokens(3))
    results = []
    for chunk in (rows, 36):
        mean = MeanAttention({"fine": 0.5, "coarse": 0.5}, rows=chunk)
        mean.take("coarse", *coarse)
        mean.take("fine", *fine)
        results.append(mean.result().numpy())
    np.testing.assert_allclose(results[0], results[1], atol=1e-7)


def test_a_token_that_looks_one_way_still_does_when_enlarged():
    looks = torch.full((1, 4, 4), -50.0)
    for token, at in enumerate((3, 0, 0, 0)):  # the first looks at the last, the others at it
        looks[0, token, at] = 50.0
    mean = MeanAttention({"fine": 1e-9, "coarse": 1.0})
    mean.take("coarse", looks, torch.eye(4)[None])
    mean.take("fine", torch.zeros(1, 16, 1), torch.zeros(1, 16, 1))
    result = mean.result().numpy().reshape(4, 4, 4, 4)
    assert np.unravel_index(result[0, 0].argmax(), (4, 4)) == (3, 3)
    assert np.unravel_index(result[3, 3].argmax(), (4, 4)) == (0, 0)
    np.testing.assert_allclose(result.sum(axis=(2, 3)), 1.0, atol=1e-6)


def test_half_precision_is_averaged_in_single():
    queries, keys = tokens(4).half(), tokens(4).half()
    mean = MeanAttention({"a": 1.0})
    mean.take("a", queries, keys)
    expected = plain_attention(queries.float(), keys.float())
    np.testing.assert_allclose(mean.result().numpy(), expected, atol=1e-6)


def test_a_mirror_image_is_turned_back():
    seen = {}
    take = mirrored(lambda layer, queries, keys: seen.update({layer: (queries, keys)}))
    queries, keys = tokens(3), tokens(3)
    take("a", queries, keys)
    for original, turned in zip((queries, keys), seen["a"], strict=True):
        for row in range(3):
            for column in range(3):
                there = original[:, row * 3 + column]
                assert torch.equal(turned[:, row * 3 + 2 - column], there)


def test_keys_of_the_finest_layer_are_kept():
    fine, finer_later, coarse = tokens(4), tokens(4), tokens(2)
    kept = FinestKeys()
    for name, keys in (("coarse", coarse), ("fine", fine), ("later", finer_later)):
        kept.take(name, keys, keys)
    side_by_side = np.concatenate([head.numpy() for head in fine], axis=1).astype(np.float64)
    side_by_side -= side_by_side.mean(axis=0)
    side_by_side /= np.sqrt((side_by_side**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(kept.result().numpy(), side_by_side, atol=1e-6)


def test_two_looks_at_a_picture_add_their_keys():
    first, second = tokens(3), tokens(3)
    twice, once = FinestKeys(), FinestKeys()
    twice.take("a", first, first)
    twice.take("a", first, second)
    once.take("a", first, first + second)
    np.testing.assert_allclose(twice.result().numpy(), once.result().numpy(), atol=1e-6)
