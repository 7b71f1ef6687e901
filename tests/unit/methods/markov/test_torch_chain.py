from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.methods.markov.markov_map import markov_map
from fewclicks.methods.markov.sinkhorn import is_symmetric, sinkhorn, temper

torch = pytest.importorskip("torch", reason="torch is not installed")


def _attention(*, width: float, crooked: bool) -> NDArray[np.float32]:
    points = np.random.default_rng(0).random((200, 2))
    kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=-1) / width)
    if crooked:
        kernel *= np.random.default_rng(5).uniform(0.5, 1.5, kernel.shape)
    return (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("crooked", [False, True], ids=["symmetric", "crooked"])
@pytest.mark.parametrize("width", [0.2, 0.02, 0.004], ids=lambda width: f"width-{width}")
def test_tensors_walk_as_arrays_do(width: float, crooked: bool):
    attention = _attention(width=width, crooked=crooked)
    starts = np.zeros((2, len(attention)), dtype=np.float32)
    starts[0, 7], starts[1, [20, 21]] = 1.0, [1.0, 0.5]
    there = sinkhorn(temper(torch.from_numpy(attention), 0.65), rounds=2000, tolerance=1e-5)
    here = sinkhorn(temper(attention, 0.65), rounds=2000, tolerance=1e-5)
    assert there.is_symmetric is here.is_symmetric is not crooked
    assert there.error == pytest.approx(here.error, abs=1e-4)
    np.testing.assert_allclose(there.matrix(), here.matrix(), atol=1e-5)
    maps = markov_map(there, starts)
    assert isinstance(maps, np.ndarray)
    np.testing.assert_allclose(maps, markov_map(here, starts), rtol=2e-3, atol=1e-3)


def test_half_precision_attention_is_walked_in_single():
    attention = torch.from_numpy(_attention(width=0.02, crooked=False))
    kernel = temper(attention.half(), 0.65)
    assert kernel.dtype == torch.float32
    torch.testing.assert_close(kernel, temper(attention, 0.65), rtol=5e-3, atol=1e-5)


def test_the_kernel_of_a_softmax_comes_out_symmetric_again():
    attention = _attention(width=0.02, crooked=False)
    assert not is_symmetric(attention)
    assert sinkhorn(temper(torch.from_numpy(attention), 0.65)).is_symmetric


def test_what_the_walk_never_reaches_keeps_the_maximum():
    islands = torch.block_diag(torch.full((3, 3), 1 / 3), torch.full((2, 2), 0.5))
    start = np.array([[1.0, 0.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    times = markov_map(sinkhorn(temper(islands, 1.0)), start, max_steps=40)
    np.testing.assert_array_equal(times[0, 3:], 40.0)
    assert times[0, :3].max() < 1.0
