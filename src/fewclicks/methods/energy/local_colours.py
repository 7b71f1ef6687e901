"""Local colours: which colours belong to the object here, not anywhere in the picture.

A grey horn before a grey rock has no colour of its own, yet around the horn its shade may well tell
it apart. Colours are few (a palette of the picture), places are coarse (cells), so a model for each
place costs little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fewclicks.arrays import FloatImage, FloatMap, FloatMatrix
from fewclicks.methods.energy.colour_models import ColourBins, bin_centres

_SAMPLES: Final = 6000  # pixels that the palette is found from
_ROUNDS: Final = 10  # of k-means
_BLUR: Final = 0.8  # cells to each side that a cell borrows from
_PRIOR: Final = 0.1  # weight of the whole picture's model, in cells full of pixels
_FLOOR: Final = 1e-3  # of that weight, spread evenly, so that no colour is impossible
_MOST_CELLS: Final = 24  # along the longest side


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """The few colours that a picture is made of.

    Parameters
    ----------
    index : (H, W) uint8
        Which of k colours each pixel has.
    likeness : (k, k) float32
        How alike two of them are, in (0, 1]; 1 on the diagonal.
    """

    index: NDArray[np.uint8]
    likeness: FloatMatrix


def find_palette(
    lab: FloatImage, bins: ColourBins, *, colours: int = 64, scale: float = 5.0
) -> Palette:
    """Find the colours that a picture is made of, by k-means.

    Parameters
    ----------
    lab : (H, W, 3)
    bins
        Of the same picture; pixels of one bin get the same colour.
    colours
        At most so many, in [1, 256].
    scale
        In units of Lab; how far apart colours may be and still count as alike.
    """
    pixels = lab.reshape(-1, 3)
    pixels = np.ascontiguousarray(pixels[:: max(1, len(pixels) // _SAMPLES)])
    if len(pixels) == 1:  # a single row would be taken for a column
        pixels = pixels.repeat(2, axis=0)
    count = min(colours, len(pixels))
    criteria = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, _ROUNDS, 0.5)
    cv2.setRNGSeed(0)
    labels = np.empty((0, 1), dtype=np.int32)
    centres = cv2.kmeans(pixels, count, labels, criteria, 1, cv2.KMEANS_PP_CENTERS)[2]
    places = bin_centres(bins.side)
    away = (centres**2).sum(axis=1) - 2.0 * places @ centres.T
    apart = ((centres[:, None] - centres[None]) ** 2).sum(axis=-1)
    return Palette(
        index=away.argmin(axis=1).astype(np.uint8)[bins.index],
        likeness=np.exp(-apart / (2.0 * scale**2)).astype(np.float32),
    )


def local_likelihood_ratio(palette: Palette, odds: FloatMap, *, cell: float) -> FloatMap:
    """How much likelier the object makes each pixel's colour than what is around it does, there.

    Parameters
    ----------
    odds : (H, W)
        Chance of each pixel to belong to the object, in [0, 1].
    cell
        Side of the cells that the picture is parted into, in pixels; each has its own two
        histograms, into which its neighbours, and a little the whole picture, are mixed. Taken
        larger where there would be more than 24 along a side.

    Returns
    -------
    (H, W) float32
        As a logarithm, above 0 where the object explains the colour better; between the cells'
        centres interpolated.

    References
    ----------
    .. [1] Bai et al., "Video SnapCut", SIGGRAPH 2009: local classifiers along the outline.
    """
    height, width = odds.shape
    cell = max(cell, max(height, width) / _MOST_CELLS)
    grid = max(1, round(height / cell)), max(1, round(width / cell))
    inside, all_pixels = _count(palette.index, odds, grid, len(palette.likeness))
    weight = _PRIOR * cell * cell * float(palette.likeness.sum(axis=1).mean())
    positive, negative = (
        _mixed(np.asarray(counts @ palette.likeness, dtype=np.float32), weight)
        for counts in (inside, all_pixels - inside)
    )
    return _read(np.log(positive / negative), palette.index)


def _mixed(counts: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """Mix each cell's histogram with its neighbours' and the whole picture's, (h, w, k)."""
    everywhere = counts.sum(axis=(0, 1))
    everywhere = everywhere / (everywhere.sum() + 1e-6) + _FLOOR / counts.shape[-1]
    around = ndimage.gaussian_filter(counts, (_BLUR, _BLUR, 0), mode="constant", truncate=2.5)
    total = around.sum(axis=-1, keepdims=True) + weight
    return np.asarray((around + weight * everywhere) / total, dtype=np.float32)


@numba.njit(cache=True, nogil=True)
def _count(
    index: NDArray[np.uint8], odds: FloatMap, grid: tuple[int, int], colours: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Histograms of the object and of all pixels, for each cell, (h, w, k) each."""
    height, width = index.shape
    inside = np.zeros((*grid, colours), dtype=np.float32)
    every = np.zeros((*grid, colours), dtype=np.float32)
    for y in range(height):
        row = y * grid[0] // height
        for x in range(width):
            column = x * grid[1] // width
            inside[row, column, index[y, x]] += odds[y, x]
            every[row, column, index[y, x]] += np.float32(1.0)
    return inside, every


@numba.njit(cache=True, nogil=True)
def _read(tables: NDArray[np.float32], index: NDArray[np.uint8]) -> FloatMap:
    """Look up each pixel's colour in the four tables whose cells' centres are around it."""
    rows, columns, _ = tables.shape
    height, width = index.shape
    values = np.empty((height, width), dtype=np.float32)
    lefts, rights = np.empty(width, dtype=np.int64), np.empty(width, dtype=np.int64)
    acrosses = np.empty(width, dtype=np.float32)
    for x in range(width):
        at_x = min(max((x + 0.5) * columns / width - 0.5, 0.0), columns - 1.0)
        lefts[x] = int(at_x)
        rights[x] = min(lefts[x] + 1, columns - 1)
        acrosses[x] = at_x - lefts[x]
    for y in range(height):
        at_y = min(max((y + 0.5) * rows / height - 0.5, 0.0), rows - 1.0)
        top = int(at_y)
        low = min(top + 1, rows - 1)
        down = np.float32(at_y - top)
        for x in range(width):
            left, right, across = lefts[x], rights[x], acrosses[x]
            c = index[y, x]
            above = tables[top, left, c] + across * (tables[top, right, c] - tables[top, left, c])
            below = tables[low, left, c] + across * (tables[low, right, c] - tables[low, left, c])
            values[y, x] = above + down * (below - above)
    return values
