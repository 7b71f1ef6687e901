"""Joint bilateral upsampling: a map over tokens becomes a map over pixels with the picture's edges.

The filter is linear in the map and its weights depend on the picture only, so that the thousands
of pixels under the filter collapse, once for each picture, to a few tokens around each pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatImage, FloatMap, FloatMatrix
from fewclicks.backbones.base import Grid
from fewclicks.errors import ShapeError

_REACH = 3.0  # standard deviations
_PLANES = 4  # red, green, blue, depth
_SAMPLES = 8  # of the guide along a token's side, at least, where not every pixel is one


@dataclass(frozen=True, kw_only=True, slots=True)
class BilateralWeights:
    """What each pixel takes from the tokens around it.

    Parameters
    ----------
    weights : (H, taps, W) uint8
        Of a window of tokens, row-major, the largest of each pixel being 255.
    norms : (H, W)
        One over the sum of a pixel's weights.
    rows : (H,)
    columns : (W,)
        First token of the window.
    window
        How many tokens the window is high and wide.
    grid
        Of the tokens.
    """

    weights: NDArray[np.uint8]
    norms: FloatMap
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    window: Grid
    grid: Grid

    def enlarge(self, tokens: FloatMatrix) -> FloatMap:
        """Filter a map.

        Parameters
        ----------
        tokens : (n,) or (h, w)

        Returns
        -------
        (H, W) float32
            Not normalised: a constant map stays that constant.
        """
        low = np.ascontiguousarray(tokens, dtype=np.float32).reshape(self.grid.height, -1)
        beside = np.arange(self.window.width)[:, None]
        shifted = np.ascontiguousarray(low[:, self.columns + beside])
        return _apply(self.weights, self.norms, self.rows, shifted, self.window.height)


def bilateral_weights(
    guide: FloatImage, grid: Grid, *, sigma_space: float = 1.0, sigma_range: float = 0.1
) -> BilateralWeights:
    """Collapse the joint bilateral filter of a picture to weights of tokens.

    Pixel x of the enlarged map is the mean over pixels y of the bilinearly enlarged map, each
    weighted by ``exp(-d^2 / 2 sigma_space^2 - |G_x - G_y|^2 / 2 sigma_range^2)`` with d the offset
    in tokens, at most ``3 sigma_space``.

    Parameters
    ----------
    guide : (H, W, C)
        At most 4 channels, in [0, 1].
    grid
        Of the maps to come; no finer than the picture.
    sigma_space
        In tokens.
    sigma_range
        In units of the guide.

    Raises
    ------
    ShapeError
        If the guide has more than 4 channels.

    Notes
    -----
    Weights keep 8 bits, which moves a map in [0, 1] by at most 2e-3. Where a token is 16 pixels
    or more wide (or high), y runs over every second, third ... column (or row), so that 8 or
    more samples stand along a token's side; that moves a map by 3e-4 in the mean, and bounds the
    cost for a pixel. Memory: 64 bytes for a pixel at ``sigma_space = 1``.

    References
    ----------
    .. [1] Kopf et al., "Joint bilateral upsampling", ACM Transactions on Graphics 26, 2007.
    .. [2] M2N2, section 4.1 (arXiv:2411.10411): dense samples, isotropic range term.
    """
    height, width, channels = guide.shape
    if not 1 <= channels <= _PLANES:
        raise ShapeError(f"guide has shape {guide.shape}; needs 1 to {_PLANES} channels.")
    down = _axis(height, grid.height, sigma_space)
    right = _axis(width, grid.width, sigma_space)
    planes = np.zeros((_PLANES, height, width), dtype=np.float32)
    # A factor on the guide saves one on each of a billion differences.
    planes[:channels] = np.moveaxis(guide, -1, 0) * (1.0 / (math.sqrt(2.0) * sigma_range))
    samples = np.ascontiguousarray(planes[:, down.samples][:, :, right.samples])
    window = Grid(down.window, right.window)
    weights = np.empty((height, window.count, width), dtype=np.uint8)
    norms = np.empty((height, width), dtype=np.float32)
    _collapse(planes, samples, down, right, np.float32(sigma_space), weights, norms)
    return BilateralWeights(
        weights=weights,
        norms=norms,
        rows=down.first_token,
        columns=right.first_token,
        window=window,
        grid=grid,
    )


class _Axis(NamedTuple):
    """One axis of the filter.

    Parameters
    ----------
    cell
        Pixels to a token.
    step
        Pixels from one sample of the guide to the next.
    samples : (s,)
        Pixels that are sampled.
    places : (s,)
        Of the samples, in tokens.
    window
        How many tokens a pixel sees.
    first_token : (pixels,)
        The first of them.
    """

    cell: float
    step: int
    samples: NDArray[np.int64]
    places: NDArray[np.float32]
    window: int
    first_token: NDArray[np.int64]


def _axis(pixels: int, tokens: int, sigma_space: float) -> _Axis:
    cell = pixels / tokens
    step = max(1, int(cell / _SAMPLES))
    samples = np.arange(step // 2, pixels, step)
    reach = math.ceil(_REACH * sigma_space)
    window = min(2 * reach + 2, tokens)
    lowest = _token_coordinate(np.arange(pixels), pixels, tokens).astype(np.int64) - reach
    return _Axis(
        cell=cell,
        step=step,
        samples=samples,
        places=_token_coordinate(samples, pixels, tokens).astype(np.float32),
        window=window,
        first_token=np.clip(lowest, 0, tokens - window),
    )


def _token_coordinate(at: NDArray[np.int64], pixels: int, tokens: int) -> NDArray[np.float64]:
    """Centre to centre: the middle of a token's cell is the token."""
    return np.clip((at + 0.5) * tokens / pixels - 0.5, 0.0, tokens - 1.0)


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _collapse(
    planes: NDArray[np.float32],
    samples: NDArray[np.float32],
    down: _Axis,
    right: _Axis,
    sigma: np.float32,
    weights: NDArray[np.uint8],
    norms: FloatMap,
) -> None:
    """Fill weights and norms.

    Pixels ``phase, phase + step, ...`` of a row stand equally far from the samples, so that one
    offset serves them all and the inner loops run along the row without a break.
    """
    for y in range(norms.shape[0]):
        for phase in range(right.step):
            own = planes[:, y, phase :: right.step].copy()
            count = own.shape[1]
            first = right.first_token[phase :: right.step].astype(np.float32)
            gathered = np.empty((down.window + 1, count), dtype=np.float32)
            totals = np.zeros((down.window * right.window, count), dtype=np.float32)
            furthest = int(_REACH * sigma * right.cell / right.step) + 1
            for shift in range(-furthest, furthest + 1):
                offset = (right.samples[0] + shift * right.step - phase) / right.cell
                begin, end = max(0, -shift), min(count, right.samples.size - shift)
                if abs(offset) <= _REACH * sigma and begin < end:
                    gathered[:] = 0.0
                    _gather_rows(y, offset, own, samples, begin, end, shift, down, sigma, gathered)
                    _share_columns(gathered, right.places, first, begin, end, shift, totals)
            _quantise(totals, weights[y, :, phase :: right.step], norms[y, phase :: right.step])


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _gather_rows(
    y: int,
    offset: float,
    own: NDArray[np.float32],
    samples: NDArray[np.float32],
    begin: int,
    end: int,
    shift: int,
    down: _Axis,
    sigma: np.float32,
    gathered: NDArray[np.float32],
) -> None:
    """Sum the samples at one horizontal offset, for each row of the window of tokens."""
    for row in range(down.samples.size):
        fall = (down.samples[row] - y) / down.cell
        distance = fall * fall + offset * offset
        if distance > (_REACH * sigma) ** 2:
            continue
        near = np.float32(math.exp(-distance / (2.0 * sigma * sigma)))
        place = down.places[row] - np.float32(down.first_token[y])
        token = min(int(place), max(down.window - 2, 0))
        share = near * (place - np.float32(token))
        # Each slice runs along memory, which is what lets the loop use vector instructions.
        _add_alike(
            own[0, begin:end],
            own[1, begin:end],
            own[2, begin:end],
            own[3, begin:end],
            samples[0, row, begin + shift : end + shift],
            samples[1, row, begin + shift : end + shift],
            samples[2, row, begin + shift : end + shift],
            samples[3, row, begin + shift : end + shift],
            near - share,
            share,
            gathered[token, begin:end],
            gathered[token + 1, begin:end],
        )


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _add_alike(
    own_red: NDArray[np.float32],
    own_green: NDArray[np.float32],
    own_blue: NDArray[np.float32],
    own_depth: NDArray[np.float32],
    red: NDArray[np.float32],
    green: NDArray[np.float32],
    blue: NDArray[np.float32],
    depth: NDArray[np.float32],
    share: np.float32,
    share_below: np.float32,
    here: NDArray[np.float32],
    below: NDArray[np.float32],
) -> None:
    """Add exp(-|sample - own|^2) to two rows of tokens: the innermost loop of all."""
    for i in range(here.size):
        a = red[i] - own_red[i]
        b = green[i] - own_green[i]
        c = blue[i] - own_blue[i]
        d = depth[i] - own_depth[i]
        # exp(-z) as (1 - z/32 + (z/32)^2 / 2)^32: off by 2e-4, and no call.
        z = min((a * a + b * b + c * c + d * d) * np.float32(1 / 32), np.float32(1.0))
        alike = np.float32(1.0) - z + np.float32(0.5) * z * z
        alike *= alike
        alike *= alike
        alike *= alike
        alike *= alike
        alike *= alike
        here[i] += alike * share
        below[i] += alike * share_below


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _share_columns(
    gathered: NDArray[np.float32],
    places: NDArray[np.float32],
    first: NDArray[np.float32],
    begin: int,
    end: int,
    shift: int,
    totals: NDArray[np.float32],
) -> None:
    """Share what each row of tokens got among the columns beside the sample, bilinearly."""
    high = gathered.shape[0] - 1
    wide = totals.shape[0] // high
    beside = places[begin + shift : end + shift] - first[begin:end]
    for column in range(int(beside.min()), min(int(beside.max()) + 2, wide)):
        share = np.maximum(np.float32(1.0) - np.abs(beside - np.float32(column)), np.float32(0.0))
        for row in range(high):
            total = totals[row * wide + column, begin:end]
            got = gathered[row, begin:end]
            for i in range(share.size):
                total[i] += got[i] * share[i]


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _quantise(totals: NDArray[np.float32], weights: NDArray[np.uint8], norms: FloatMap) -> None:
    """Keep 8 bits of each weight, and one over the sum of a pixel's."""
    taps, count = totals.shape
    scale = np.zeros(count, dtype=np.float32)
    for tap in range(taps):
        np.maximum(scale, totals[tap], scale)
    np.divide(np.float32(255.0), scale, scale)
    kept = np.empty(count, dtype=np.int32)
    sums = np.zeros(count, dtype=np.int32)
    for tap in range(taps):
        total = totals[tap]
        for i in range(count):
            kept[i] = np.int32(total[i] * scale[i] + np.float32(0.5))
            sums[i] += kept[i]
        weights[tap] = kept
    norms[:] = np.float32(1.0) / sums


@numba.njit(cache=True, nogil=True, fastmath=True)
def _apply(
    weights: NDArray[np.uint8],
    norms: FloatMap,
    rows: NDArray[np.int64],
    shifted: NDArray[np.float32],
    high: int,
) -> FloatMap:
    """Weigh tokens; ``shifted[r, j, x]`` is the j-th token that column x sees of token row r."""
    height, width = norms.shape
    wide = shifted.shape[1]
    enlarged = np.zeros((height, width), dtype=np.float32)
    for y in range(height):
        out = enlarged[y]
        for row in range(high):
            for column in range(wide):
                weight = weights[y, row * wide + column]
                value = shifted[rows[y] + row, column]
                for x in range(width):
                    out[x] += np.float32(weight[x]) * value[x]
        for x in range(width):
            out[x] *= norms[y, x]
    return enlarged
