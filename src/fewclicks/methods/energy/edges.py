"""The edges between a pixel and its eight neighbours, and what they weigh.

An edge map is (4, H, W): entry ``[k, y, x]`` is the edge from pixel (y, x) to the pixel
``NEIGHBOURS[k]`` away: right, down, down right, down left. The other four directions are the same
edges seen from their far end; edges that would leave the picture hold 0 and are never read.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatImage

EdgeMap: TypeAlias = NDArray[np.float32]
"""(4, H, W), one number for each edge, in the order of `NEIGHBOURS`."""

NEIGHBOURS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Steps (down, right) of the four edges that a pixel owns."""

LENGTHS: Final = (1.0, 1.0, 2.0**0.5, 2.0**0.5)
"""In pixels, of those steps."""


def contrast_weights(image: FloatImage, *, strength: float = 1.0) -> EdgeMap:
    """Price the cut between neighbours: dear in flat places, cheap at an edge.

    ``strength * exp(-|I_p - I_q|^2 / (2 * mean |I_p - I_q|^2)) / |p - q|``.

    Parameters
    ----------
    image : (H, W, C)
        In a colour space whose distances mean something, Lab say.
    strength
        Weight of a cut between two like pixels side by side.

    Returns
    -------
    (4, H, W) float32
        In [0, strength]; in a picture of one colour every edge has its full weight.

    References
    ----------
    .. [1] Boykov & Jolly, "Interactive Graph Cuts", ICCV 2001; the scale of the contrast is
       that of Rother et al., "GrabCut", SIGGRAPH 2004, Eq. 5.
    """
    squares = squared_differences(image)
    height, width = squares.shape[1:]
    count = 4 * height * width - 3 * (height + width) + 2
    mean = float(squares.sum(dtype=np.float64)) / max(count, 1)
    beta = 0.5 / mean if mean > 0 else 0.0
    np.multiply(squares, np.float32(-beta), out=squares)
    np.exp(squares, out=squares)
    for weights, length in zip(squares, LENGTHS, strict=True):
        weights *= np.float32(strength / length)
    _clear_outside(squares)
    return squares


def step_lengths(image: FloatImage, *, spatial: float = 0.0) -> EdgeMap:
    """Length of each step of a path over a picture: ``|I_p - I_q| + spatial * |p - q|``.

    Parameters
    ----------
    image : (H, W, C)
        A picture, or any map whose changes a path should avoid.
    spatial
        Price of one pixel of way.

    Returns
    -------
    (4, H, W) float32
    """
    steps = squared_differences(image)
    np.sqrt(steps, out=steps)
    for lengths, length in zip(steps, LENGTHS, strict=True):
        lengths += np.float32(spatial * length)
    _clear_outside(steps)
    return steps


def squared_differences(image: FloatImage) -> EdgeMap:
    """Squared Euclidean distance of the colours at both ends of each edge.

    Parameters
    ----------
    image : (H, W, C)

    Returns
    -------
    (4, H, W) float32
    """
    channels = np.ascontiguousarray(image, dtype=np.float32)
    return _squared_differences(channels)


@numba.njit(cache=True, nogil=True)
def _squared_differences(image: FloatImage) -> EdgeMap:
    height, width, channels = image.shape
    squares = np.zeros((4, height, width), dtype=np.float32)
    for k in range(4):
        down, right = NEIGHBOURS[k]
        for y in range(height - down):
            for x in range(max(0, -right), width - max(0, right)):
                total = np.float32(0.0)
                for c in range(channels):
                    step = image[y, x, c] - image[y + down, x + right, c]
                    total += step * step
                squares[k, y, x] = total
    return squares


def _clear_outside(edges: EdgeMap) -> None:
    """Set the edges that leave the picture to 0."""
    edges[0, :, -1] = 0
    edges[1, -1] = 0
    edges[2, -1] = edges[2, :, -1] = 0
    edges[3, -1] = edges[3, :, 0] = 0
