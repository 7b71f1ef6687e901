"""The vision transformer's attention, where its numbers are of two precisions."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the network needs torch")

from fewclicks.methods.transformer.vision_transformer import Attention, attend  # noqa: E402


def plainly(queries, keys, values):
    shares = (queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5).softmax(dim=-1)
    return shares @ values


def test_a_cpu_learns_attention_in_full_precision_though_the_rest_is_in_half():
    torch.manual_seed(0)
    given = [torch.randn(2, 3, 9, 4).bfloat16() for _ in range(3)]
    ours, theirs = ([each.float().requires_grad_() for each in given] for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        seen = attend(*ours)
    expected = plainly(*theirs)
    for each in (seen, expected):
        each.square().sum().backward()
    assert torch.allclose(seen, expected, atol=1e-6)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-5)


def test_attention_gives_what_the_layers_around_it_take_in_half_precision():
    torch.manual_seed(0)
    attention = Attention(8, 2)
    tokens = torch.randn(2, 9, 8)
    with torch.autocast("cpu", torch.bfloat16):
        learning = attention(tokens)
        with torch.no_grad():
            answering = attention(tokens)
    assert learning.dtype == answering.dtype == torch.bfloat16
    assert torch.allclose(learning.float(), attention(tokens), atol=0.02)
    assert torch.allclose(answering.float(), attention(tokens), atol=0.02)
