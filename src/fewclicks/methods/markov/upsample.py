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
_TOGETHER = 4  # rows, or columns, of samples in one pass over memory
_UNLIKE = 100.0  # any colour, as a guide's value
# exp(-32 z) is ((_AT_ONCE - _FALL z)^2 + _FLOOR)^32, off by 1.2e-3 of itself as far as z = 0.19.
_AT_ONCE, _FALL, _FLOOR = np.float32(0.73929582), 0.67411427, np.float32(0.45340596)


@dataclass(frozen=True, kw_only=True, slots=True)
class BilateralWeights:
    """What each pixel takes from the tokens around it.

    Parameters
    ----------
    weights : (H, taps, W) uint16
        Of a window of tokens, row-major, the largest of each pixel being 65535.
    norms : (H, W)
        One over the sum of a pixel's weights.
    rows : (H,)
    columns : (W,)
        First token of the window, counted with those that ``margin`` adds outside the grid.
    window
        How many tokens the window is high and wide.
    grid
        Of the tokens.
    margin
        How many tokens a window may begin before the grid; one more is how far it may end behind.
    """

    weights: NDArray[np.uint16]
    norms: FloatMap
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    window: Grid
    grid: Grid
    margin: int

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
        low = np.asarray(tokens, dtype=np.float32).reshape(self.grid.height, -1)
        low = np.pad(low, (self.margin, self.margin + 1))  # where every weight is 0
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
    Weights keep 16 bits; 8 would move a map in [0, 1] by up to 3e-3 where a pixel follows few
    tokens. Where a token is 16 pixels or more wide (or high), y runs over every second, third ...
    column (or row), so that 8 or more samples stand along a token's side; that moves a map by 3e-4
    in the mean, and bounds the cost for a pixel. Memory: 128 bytes for a pixel at
    ``sigma_space = 1``.

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
    # A factor on the guide saves two on each of a billion differences.
    planes[:channels] = np.moveaxis(guide, -1, 0) * (math.sqrt(_FALL) / (8.0 * sigma_range))
    # What lies outside the picture is like nothing in it, so that no loop has to end before it.
    high, wide = down.samples.size, right.samples.size
    samples = np.full(
        (high + _TOGETHER, _PLANES, wide + 2 * right.reach + _TOGETHER), _UNLIKE, dtype=np.float32
    )
    samples[:high, :, right.reach : right.reach + wide] = planes[
        :, down.samples[0] :: down.step, right.samples[0] :: right.step
    ].swapaxes(0, 1)
    window = Grid(down.window, right.window)
    weights = np.empty((height, window.count, width), dtype=np.uint16)
    norms = np.empty((height, width), dtype=np.float32)
    _collapse(
        planes, samples, down, right, np.float32(sigma_space), weights, norms, channels == _PLANES
    )
    return BilateralWeights(
        weights=weights,
        norms=norms,
        rows=down.first_token,
        columns=right.first_token,
        window=window,
        grid=grid,
        margin=down.margin,
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
    reach
        How many samples to each side a pixel looks at.
    places : (reach + s + reach + 4,)
        Of the samples in tokens, also of some outside the picture.
    margin
        How many tokens a pixel sees before the one at or before it.
    window
        How many tokens it sees, some maybe outside the grid.
    first_token : (pixels,)
        The first of them, counted from ``margin`` before the grid.
    """

    cell: float
    step: int
    samples: NDArray[np.int64]
    reach: int
    places: NDArray[np.float32]
    margin: int
    window: int
    first_token: NDArray[np.int64]


def _axis(pixels: int, tokens: int, sigma_space: float) -> _Axis:
    cell = pixels / tokens
    step = max(1, int(cell / _SAMPLES))
    samples = np.arange(step // 2, pixels, step)
    reach = int(_REACH * sigma_space * cell / step) + 1
    margin = math.ceil(_REACH * sigma_space)
    return _Axis(
        cell=cell,
        step=step,
        samples=samples,
        reach=reach,
        places=np.concatenate(
            [
                np.arange(-reach, 0) * (step / cell),
                _token_coordinate(samples, pixels, tokens),
                tokens + np.arange(reach + _TOGETHER) * (step / cell),
            ]
        ).astype(np.float32),
        margin=margin,
        window=2 * margin + 2,
        first_token=_token_coordinate(np.arange(pixels), pixels, tokens).astype(np.int64),
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
    weights: NDArray[np.uint16],
    norms: FloatMap,
    is_deep: bool,
) -> None:
    """Fill weights and norms.

    Pixels ``phase, phase + step, ...`` of a row stand equally far from the samples, so that one
    offset serves them all and the inner loops run along the row without a break.
    """
    for phase in range(right.step):
        first = (right.first_token[phase :: right.step] - right.margin).astype(np.float32)
        count = first.size
        columns, shares = _column_shares(right, first)
        gathered = np.empty((down.window + 1, _TOGETHER, count), dtype=np.float32)
        totals = np.empty((down.window * right.window, count), dtype=np.float32)
        offsets = np.empty(_TOGETHER)
        for y in range(norms.shape[0]):
            own = planes[:, y, phase :: right.step].copy()
            totals[:] = 0.0
            for group in range(len(columns) - 1):
                shift = group * _TOGETHER
                for k in range(_TOGETHER):
                    steps = right.samples[0] + (shift + k - right.reach) * right.step - phase
                    offsets[k] = steps / right.cell
                gathered[:] = 0.0
                low, high = _gather_rows(
                    y, offsets, own, samples, shift, down, sigma, gathered, is_deep
                )
                for at in range(columns[group], columns[group + 1]):
                    column = int(shares[at, _TOGETHER, 0])
                    for row in range(low, min(high, down.window)):
                        _add_shared(gathered[row], shares[at], totals[row * right.window + column])
            _quantise(totals, weights[y, :, phase :: right.step], norms[y, phase :: right.step])


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _column_shares(
    right: _Axis, first: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Say what samples at each few offsets give to the columns beside them, bilinearly.

    The same for every row of the picture: a block of ``(few + 1, pixels)`` for each column that
    gets any, whose last row names the column, and where the blocks of each few offsets begin.
    """
    groups = 2 * right.reach // _TOGETHER + 1
    columns = np.zeros(groups + 1, dtype=np.int64)
    found = np.empty((groups * right.window, _TOGETHER + 1, first.size), dtype=np.float32)
    count = 0
    for group in range(groups):
        for column in range(right.window):
            block = found[count]
            for k in range(_TOGETHER):
                for i in range(first.size):
                    away = abs(right.places[group * _TOGETHER + k + i] - first[i] - column)
                    block[k, i] = max(np.float32(1.0) - away, np.float32(0.0))
            block[_TOGETHER] = column
            if block[:_TOGETHER].max() > 0.0:
                count += 1
        columns[group + 1] = count
    return columns, found[:count].copy()


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _gather_rows(
    y: int,
    offsets: NDArray[np.float64],
    own: NDArray[np.float32],
    samples: NDArray[np.float32],
    shift: int,
    down: _Axis,
    sigma: np.float32,
    gathered: NDArray[np.float32],
    is_deep: bool,
) -> tuple[int, int]:
    """Sum the samples at a few horizontal offsets, for each row of the window of tokens.

    Also which rows got any, from the first to behind the last.
    """
    furthest = (_REACH * sigma) ** 2
    half = math.sqrt(max(furthest - np.abs(offsets).min() ** 2, 0.0)) * down.cell
    row = np.searchsorted(down.samples, y - half)
    end = np.searchsorted(down.samples, y + half, side="right")
    shares = np.empty((_TOGETHER, _TOGETHER, 2), dtype=np.float32)  # offset, row, token
    is_near = np.empty(_TOGETHER, dtype=np.bool_)
    lowest, token = down.window, -2
    while row < end:
        shares[:] = 0.0
        is_near[:] = False
        begun, token = row, -1
        while row < min(end, begun + _TOGETHER):
            place = down.places[down.reach + row] - down.first_token[y] + down.margin
            above = int(place)
            if token not in (-1, above):
                break
            token = above
            fall = (down.samples[row] - y) / down.cell
            for k in range(_TOGETHER):
                square = fall * fall + offsets[k] * offsets[k]
                if square <= furthest:
                    near = math.exp(-square / (2.0 * sigma * sigma))
                    shares[k, row - begun, 0] = near * (1.0 - (place - token))
                    shares[k, row - begun, 1] = near * (place - token)
                    is_near[k] = True
            row += 1
        some = samples[begun : begun + _TOGETHER]
        here, below = gathered[token], gathered[token + 1]
        for k in range(_TOGETHER):
            if is_near[k]:
                _add_alike(own, some, np.uint64(shift + k), shares[k], here[k], below[k], is_deep)
        lowest = min(lowest, token)
    return lowest, token + 2


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _add_alike(
    own: NDArray[np.float32],
    samples: NDArray[np.float32],
    shift: np.uint64,
    shares: NDArray[np.float32],
    here: NDArray[np.float32],
    below: NDArray[np.float32],
    is_deep: bool,
) -> None:
    """Add exp(-|sample - own|^2) of some rows to two rows of tokens: the innermost loop of all.

    The index has no sign: a negative one would count from the end, and to look for that keeps the
    loop from using vector instructions.
    """
    for i in range(np.uint64(here.size)):
        to_here, to_below = np.float32(0.0), np.float32(0.0)
        for k in range(_TOGETHER):
            z = np.float32(0.0)
            for plane in range(3):
                step = samples[k, plane, shift + i] - own[plane, i]
                z += step * step
            if is_deep:
                step = samples[k, 3, shift + i] - own[3, i]
                z += step * step
            # No call, and no worse than the rounding of sums; 1e-11 where the square is 0.
            near = max(_AT_ONCE - z, np.float32(0.0))
            alike = near * near + _FLOOR
            alike *= alike
            alike *= alike
            alike *= alike
            alike *= alike
            alike *= alike
            to_here += alike * shares[k, 0]
            to_below += alike * shares[k, 1]
        here[i] += to_here
        below[i] += to_below


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _add_shared(
    gathered: NDArray[np.float32], shares: NDArray[np.float32], total: NDArray[np.float32]
) -> None:
    """Add a column's part of what a row of tokens got."""
    for i in range(np.uint64(total.size)):
        more = np.float32(0.0)
        for k in range(_TOGETHER):
            more += gathered[k, i] * shares[k, i]
        total[i] += more


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _quantise(totals: NDArray[np.float32], weights: NDArray[np.uint16], norms: FloatMap) -> None:
    """Keep 16 bits of each weight, and one over the sum of a pixel's."""
    taps, count = totals.shape
    scale = np.zeros(count, dtype=np.float32)
    for tap in range(taps):
        np.maximum(scale, totals[tap], scale)
    np.divide(np.float32(65535.0), scale, scale)
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
    weights: NDArray[np.uint16],
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
