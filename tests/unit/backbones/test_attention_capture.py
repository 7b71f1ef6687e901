"""Queries and keys of one layer, and what they say, against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fewclicks.backbones import attention_capture
from fewclicks.backbones.attention_capture import (
    CAPTURING,
    QueriesAndKeys,
    capture_block,
    gaussian_attention,
    mean_attention,
)
from small_vits import small_vit


def queries_and_keys(count: int) -> QueriesAndKeys:
    torch.manual_seed(0)
    return QueriesAndKeys(
        queries=torch.randn(3, count, 4), keys=torch.randn(3, count, 4), scale=0.7
    )


@pytest.mark.parametrize("rows", [1, 5, 2048])
def test_attention_is_the_mean_of_the_heads_softmax_in_chunks_of_any_size(monkeypatch, rows):
    monkeypatch.setattr(attention_capture, "_ROWS", rows)
    taken = queries_and_keys(12)
    heads = torch.softmax(taken.queries.double() @ taken.keys.double().mT * 0.7, dim=-1)
    expected = heads.mean(dim=0)[2:, 2:]
    expected = expected / expected.sum(dim=1, keepdim=True)

    found = mean_attention(taken, leading=2)

    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-7)


def test_half_precision_queries_are_worked_in_single():
    taken = queries_and_keys(12)
    half = QueriesAndKeys(queries=taken.queries.half(), keys=taken.keys.half(), scale=taken.scale)

    torch.testing.assert_close(mean_attention(half), mean_attention(taken), rtol=0, atol=2e-3)


@pytest.mark.parametrize("rows", [1, 5, 2048])
def test_gaussian_attention_is_the_affinity_over_its_rows(monkeypatch, rows):
    monkeypatch.setattr(attention_capture, "_ROWS", rows)
    tokens = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    apart = np.linalg.norm(tokens.numpy()[:, None] - tokens.numpy()[None], axis=2)
    expected = np.exp(-(apart**2) / 0.8)
    expected /= expected.sum(axis=1, keepdims=True)

    found = gaussian_attention(tokens, temperature=0.8)

    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-6)


def test_a_network_outside_a_capture_runs_as_it_always_does():
    network, capturing = small_vit("vit"), small_vit("vit")
    network.set_attn_implementation("eager")
    capturing.set_attn_implementation(CAPTURING)
    picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    with torch.no_grad(), capture_block(2):
        capturing(picture)
    with torch.no_grad():
        found = capturing(picture).last_hidden_state
        expected = network(picture).last_hidden_state

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_an_error_ends_the_capture():
    network = small_vit("vit")
    network.set_attn_implementation(CAPTURING)
    picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = network(picture).last_hidden_state

        with pytest.raises(RuntimeError, match="broken"), capture_block(0):
            raise RuntimeError("broken")

        assert torch.equal(network(picture).last_hidden_state, before)
