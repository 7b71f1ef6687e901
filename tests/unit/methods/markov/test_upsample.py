from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.backbones.base import Grid
from fewclicks.errors import ShapeError
from fewclicks.methods.markov.upsample import bilateral_weights


def _slow(
    low: NDArray[np.float32],
    guide: NDArray[np.float32],
    *,
    sigma_space: float = 1.0,
    sigma_range: float = 0.1,
) -> NDArray[np.float64]:
    """The published sum, over every pixel within three standard deviations."""
    height, width = guide.shape[:2]
    raised = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    rows = np.arange(height)[:, None] * low.shape[0] / height
    columns = np.arange(width)[None, :] * low.shape[1] / width
    filtered = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            distance = (rows - rows[y]) ** 2 + (columns - columns[:, x]) ** 2
            unlike = ((guide - guide[y, x]) ** 2).sum(axis=-1)
            weights = np.exp(-distance / (2 * sigma_space**2) - unlike / (2 * sigma_range**2))
            weights[distance > (3 * sigma_space) ** 2] = 0.0
            filtered[y, x] = (weights * raised).sum() / weights.sum()
    return filtered


def _scene(height: int, width: int, channels: int = 3) -> NDArray[np.float32]:
    """Smooth ground with one sharp edge, in [0, 1]."""
    noise = np.random.default_rng(0).random((height, width, channels)).astype(np.float32)
    scene = cv2.GaussianBlur(noise, (0, 0), 2.0).reshape(height, width, channels)
    scene[:, width // 3 :] += np.float32(0.3)
    return np.clip(scene, 0.0, 1.0)


def _low(height: int, width: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).random((height, width)).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((40, 60), Grid(8, 12)),
        ((37, 53), Grid(9, 10)),
        ((24, 20), Grid(3, 4)),
        ((12, 30), Grid(12, 30)),
        ((5, 40), Grid(1, 9)),
        ((1, 1), Grid(1, 1)),
    ],
    ids=str,
)
def test_upsampling_agrees_with_the_published_sum(size: tuple[int, int], grid: Grid):
    guide, low = _scene(*size), _low(grid.height, grid.width)
    enlarged = bilateral_weights(guide, grid).enlarge(low)
    assert enlarged.dtype == np.float32
    np.testing.assert_allclose(enlarged, _slow(low, guide), atol=1e-3)


@pytest.mark.parametrize("channels", [1, 4])
def test_the_guide_may_have_one_channel_or_four(channels: int):
    guide, low = _scene(30, 40, channels), _low(5, 8)
    enlarged = bilateral_weights(guide, Grid(5, 8)).enlarge(low)
    np.testing.assert_allclose(enlarged, _slow(low, guide), atol=1e-3)


def test_other_sigmas_are_respected():
    guide, low = _scene(40, 40), _low(10, 10)
    enlarged = bilateral_weights(guide, Grid(10, 10), sigma_space=0.7, sigma_range=0.3)
    expected = _slow(low, guide, sigma_space=0.7, sigma_range=0.3)
    np.testing.assert_allclose(enlarged.enlarge(low), expected, atol=1e-3)


def test_wide_tokens_are_sampled_with_a_small_error():
    guide, low = _scene(48, 72), _low(2, 3)  # 24 pixels to a token: every third one is looked at
    error = np.abs(bilateral_weights(guide, Grid(2, 3)).enlarge(low) - _slow(low, guide))
    assert error.mean() < 1e-3
    assert error.max() < 2e-2


def test_a_constant_map_stays_constant():
    enlarged = bilateral_weights(_scene(40, 60), Grid(8, 12)).enlarge(np.full((8, 12), 5.0))
    np.testing.assert_allclose(enlarged, 5.0, rtol=1e-5)


def test_the_edge_of_the_picture_becomes_the_edge_of_the_map():
    guide = np.zeros((40, 60, 3), dtype=np.float32)
    guide[:, 27:] = 1.0  # an edge in the middle of a token's cell
    low = np.repeat((np.arange(12) >= 5.4).astype(np.float32)[None], 8, axis=0)
    enlarged = bilateral_weights(guide, Grid(8, 12)).enlarge(low)
    steps = np.abs(np.diff(enlarged, axis=1))
    assert (steps.argmax(axis=1) == 26).all()


def test_a_guide_of_five_channels_is_refused():
    with pytest.raises(ShapeError, match=r"\(8, 8, 5\); needs 1 to 4 channels"):
        bilateral_weights(np.zeros((8, 8, 5), dtype=np.float32), Grid(2, 2))
