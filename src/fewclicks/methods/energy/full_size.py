"""The edge at full size: what was found on a smaller picture, drawn along the large one's edges.

Only a band along the border of the mask is looked at, strip by strip, so that a picture of twelve
million pixels costs little time and hardly more memory than its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.images.resizing import resize_image, resize_map

_RADIUS: Final = 2  # of the window in which a mask is explained by colour, in small pixels
_TAPS: Final = np.exp(-0.5 * np.arange(-_RADIUS, _RADIUS + 1) ** 2).astype(np.float32)
_FLATNESS: Final = 1e-4  # variance of colour, in [0, 1], below which it explains nothing
_SMOOTHING: Final = 0.25  # of the guide, in small pixels; a border that follows noise is ragged
_STRIP: Final = 256  # rows
_REACH: Final = 1  # small pixels to each side that the border may move

_Models: TypeAlias = NDArray[np.float32]
"""(h, w, 4), how the mask follows red, green and blue around a pixel, and from what value on."""


def refine_at_full_size(
    image: RgbImage, probability: FloatMap, clicks: Sequence[Click] = ()
) -> FloatMap:
    """Enlarge an answer, and let its border follow the edges of the full-size picture.

    Parameters
    ----------
    image : (H, W, 3)
        At full size.
    probability : (h, w)
        Found on the picture shrunk to that size; its mask is where it is above 0.5.
    clicks
        In pixels of the full size. Their own pixels get their class.

    Returns
    -------
    (H, W) float32
        In [0, 1]. In the band a guided filter of the mask, elsewhere the probability enlarged
        bilinearly.

    Notes
    -----
    Around each small pixel the mask is explained as a linear function of the colours there; the
    full-size colours are then put into it. Cost and memory grow with the length of the border,
    besides the enlarged probability.

    References
    ----------
    .. [1] He & Sun, "Fast Guided Filter", 2015, arXiv:1505.00996.
    """
    height, width = image.shape[:2]
    refined = resize_map(probability, height=height, width=width)
    mask = probability > 0.5
    band = _band(mask)
    if refined.shape != probability.shape and band.any():
        small = resize_image(image, height=mask.shape[0], width=mask.shape[1])
        near = _grown(band, _RADIUS + 1)
        models = _linear_models(small, mask, near)
        # Each pixel is explained by all windows that it lies in.
        taps = _TAPS / _TAPS.sum()
        models = cv2.sepFilter2D(models, -1, taps, taps).astype(np.float32, copy=False)
        _draw(image, models, band, refined)
    for click in clicks:
        refined[click.y, click.x] = 1.0 if click.is_positive else 0.0
    return refined


def _band(mask: BoolMask) -> BoolMask:
    return _grown(mask, _REACH) & _grown(~mask, _REACH)


def _grown(mask: BoolMask, reach: int) -> BoolMask:
    square = np.ones((2 * reach + 1, 2 * reach + 1), dtype=np.uint8)
    return cv2.dilate(mask.astype(np.uint8), square).astype(bool)


def _draw(image: RgbImage, models: _Models, band: BoolMask, refined: FloatMap) -> None:
    """Put the picture's colours into the models, a strip of rows at a time."""
    height, width = refined.shape
    sigma = _SMOOTHING * max(height / band.shape[0], width / band.shape[1])
    margin = 1 + int(4 * sigma)
    columns = np.flatnonzero(band.any(axis=0))
    left = max(0, (columns[0] - 1) * width // band.shape[1])
    right = min(width, (columns[-1] + 2) * width // band.shape[1] + 1)
    begin, end = max(0, left - margin), min(width, right + margin)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        first, last = (edge * band.shape[0] // height for edge in (top, bottom - 1))
        if band[max(0, first - 1) : last + 2].any():
            above = max(0, top - margin)
            strip = image[above : bottom + margin, begin:end]
            smooth = cv2.GaussianBlur(strip, (0, 0), sigma).astype(np.uint8, copy=False)
            _apply(
                smooth[top - above :, left - begin :],
                models,
                band,
                refined,
                top,
                bottom,
                left,
                right,
            )


@numba.njit(cache=True, nogil=True)
def _linear_models(small: RgbImage, mask: BoolMask, near: BoolMask) -> _Models:
    """Fit the mask to the colours in the window of each near pixel, by weighted least squares."""
    height, width = mask.shape
    models = np.zeros((height, width, 4), dtype=np.float32)
    sums = np.empty(14, dtype=np.float64)  # weight, mask, colours, colours x mask, products
    for y in range(height):
        for x in range(width):
            if near[y, x]:
                _sum_window(small, mask, y, x, sums)
                _solve(sums, models[y, x])
    return models


@numba.njit(cache=True, nogil=True)
def _sum_window(small: RgbImage, mask: BoolMask, y: int, x: int, sums: NDArray[np.float64]) -> None:
    """Add up what a least squares fit needs; beyond the picture nothing counts."""
    height, width = mask.shape
    sums[:] = 0.0
    for v in range(max(0, y - _RADIUS), min(height, y + _RADIUS + 1)):
        for u in range(max(0, x - _RADIUS), min(width, x + _RADIUS + 1)):
            weight = _TAPS[v - y + _RADIUS] * _TAPS[u - x + _RADIUS]
            red, green, blue = (
                small[v, u, 0] / 255.0,
                small[v, u, 1] / 255.0,
                small[v, u, 2] / 255.0,
            )
            inside = weight if mask[v, u] else 0.0
            sums[0] += weight
            sums[1] += inside
            sums[2] += weight * red
            sums[3] += weight * green
            sums[4] += weight * blue
            sums[5] += inside * red
            sums[6] += inside * green
            sums[7] += inside * blue
            sums[8] += weight * red * red
            sums[9] += weight * green * green
            sums[10] += weight * blue * blue
            sums[11] += weight * red * green
            sums[12] += weight * red * blue
            sums[13] += weight * green * blue


@numba.njit(cache=True, nogil=True)
def _solve(sums: NDArray[np.float64], model: NDArray[np.float32]) -> None:
    """Write slopes and offset of the fit: three equations, by cofactors."""
    total = sums[0]
    share, red, green, blue = sums[1] / total, sums[2] / total, sums[3] / total, sums[4] / total
    a = sums[5] / total - share * red
    b = sums[6] / total - share * green
    c = sums[7] / total - share * blue
    rr = sums[8] / total - red * red + _FLATNESS
    gg = sums[9] / total - green * green + _FLATNESS
    bb = sums[10] / total - blue * blue + _FLATNESS
    rg = sums[11] / total - red * green
    rb = sums[12] / total - red * blue
    gb = sums[13] / total - green * blue
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * c_rr + rg * c_rg + rb * c_rb
    slope_red = (c_rr * a + c_rg * b + c_rb * c) / determinant
    slope_green = (c_rg * a + c_gg * b + c_gb * c) / determinant
    slope_blue = (c_rb * a + c_gb * b + c_bb * c) / determinant
    model[0], model[1], model[2] = slope_red, slope_green, slope_blue
    model[3] = share - slope_red * red - slope_green * green - slope_blue * blue


@numba.njit(cache=True, nogil=True)
def _apply(
    smooth: RgbImage,
    models: _Models,
    band: BoolMask,
    refined: FloatMap,
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> None:
    """Write the band's pixels of a strip; ``smooth`` begins at its top and left."""
    high, wide = band.shape
    down, over = high / refined.shape[0], wide / refined.shape[1]
    for y in range(top, bottom):
        place = min(max((y + 0.5) * down - 0.5, 0.0), high - 1.0)
        row, row_share = int(place), np.float32(place - int(place))
        below = min(row + 1, high - 1)
        for x in range(left, right):
            place = min(max((x + 0.5) * over - 0.5, 0.0), wide - 1.0)
            column, share = int(place), np.float32(place - int(place))
            beside = min(column + 1, wide - 1)
            if not (
                band[row, column] or band[row, beside] or band[below, column] or band[below, beside]
            ):
                continue
            value = np.float32(0.0)
            for k in range(4):
                upper = models[row, column, k] * (1 - share) + models[row, beside, k] * share
                lower = models[below, column, k] * (1 - share) + models[below, beside, k] * share
                term = upper * (1 - row_share) + lower * row_share
                if k < 3:
                    term *= smooth[y - top, x - left, k] / np.float32(255.0)
                value += term
            refined[y, x] = min(max(value, np.float32(0.0)), np.float32(1.0))
