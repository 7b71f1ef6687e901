"""Superpixels: small connected regions of nearly one colour, the tokens of a weight-free method."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatImage, FloatMap, LabelMap
from fewclicks.errors import InputError

_LEVELS = 4096  # of the bucket queue
_LEVELS_PER_UNIT = 25.0  # of distance; beyond the last level the order no longer matters


@dataclass(frozen=True, kw_only=True, slots=True)
class Superpixels:
    """A picture cut into regions.

    Parameters
    ----------
    labels : (H, W)
        From 0 to ``count - 1``; every label occurs and is 4-connected.
    areas : (count,)
        In pixels.
    """

    labels: LabelMap
    areas: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Of all regions."""
        return len(self.areas)

    def mean(self, values: FloatMap | NDArray[np.bool_]) -> NDArray[np.float64]:
        """Average an (H, W) map over each region; of a mask, the share that it covers."""
        sums = np.bincount(
            self.labels.ravel(), values.ravel().astype(np.float64), minlength=self.count
        )
        return sums / self.areas

    def of_border(self) -> NDArray[np.int64]:
        """List the regions that touch the picture's border, in ascending order."""
        labels = self.labels
        return np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))


def find_superpixels(lab: FloatImage, *, count: int, compactness: float = 9.0) -> Superpixels:
    """Grow regions from a grid of seeds, always at the pixel that is nearest to its region.

    Parameters
    ----------
    lab : (H, W, 3)
        Lab, in units of Lab.
    count
        About so many regions, at least 1; never more than pixels.
    compactness
        How many units of Lab weigh as much as the distance between two seeds; from 0 on, higher
        is rounder.

    Raises
    ------
    InputError
        If the count is below 1.

    Notes
    -----
    One pass with a bucket queue, 0.1 microseconds a pixel. Equal distances are settled by the
    order of the queue, so the same picture always gives the same regions.

    References
    ----------
    .. [1] Achanta & Süsstrunk, "Superpixels and Polygons using Simple Non-Iterative Clustering",
       CVPR 2017.
    """
    if count < 1:
        raise InputError(f"count is {count}; needs at least 1 region.")
    height, width = lab.shape[:2]
    # A strip that is lower than a square cell has its seeds in one row.
    spacing = max(1.0, math.sqrt(height * width / count), max(height, width) / count)
    labels, areas = _grow(np.ascontiguousarray(lab, dtype=np.float32), spacing, compactness)
    return Superpixels(labels=labels, areas=areas)


@numba.njit(cache=True, nogil=True)
def _grow(
    lab: FloatImage, spacing: float, compactness: float
) -> tuple[LabelMap, NDArray[np.float64]]:
    height, width = lab.shape[:2]
    rows, columns = max(1, round(height / spacing)), max(1, round(width / spacing))
    count = rows * columns
    labels = np.full((height, width), -1, dtype=np.int32)
    sums = np.zeros((count, 5))  # Lab, y, x of the region's pixels
    areas = np.zeros(count)
    # The queue: a linked list for each level; an entry is a pixel and the region that wants it.
    room = 4 * height * width + count
    pixel = np.empty(room, dtype=np.int32)
    region = np.empty(room, dtype=np.int32)
    following = np.empty(room, dtype=np.int32)
    first = np.full(_LEVELS, -1, dtype=np.int32)
    used = 0
    for k in range(count):
        y = int((k // columns + 0.5) * height / rows)
        x = int((k % columns + 0.5) * width / columns)
        pixel[used], region[used], following[used] = y * width + x, k, first[0]
        first[0] = used
        used += 1
        labels[y, x] = -2 - k  # kept for this region, so that none is swallowed at its seed
    per_pixel = compactness / spacing
    level = 0
    while level < _LEVELS:
        entry = first[level]
        if entry < 0:
            level += 1
            continue
        first[level] = following[entry]
        y, x, k = pixel[entry] // width, pixel[entry] % width, region[entry]
        if labels[y, x] != -1 and labels[y, x] != -2 - k:
            continue
        labels[y, x] = k
        areas[k] += 1
        for c in range(3):
            sums[k, c] += lab[y, x, c]
        sums[k, 3] += y
        sums[k, 4] += x
        for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            b, a = y + down, x + right
            if not (0 <= b < height and 0 <= a < width) or labels[b, a] >= 0:
                continue
            colour = 0.0
            for c in range(3):
                colour += (lab[b, a, c] - sums[k, c] / areas[k]) ** 2
            place = (b - sums[k, 3] / areas[k]) ** 2 + (a - sums[k, 4] / areas[k]) ** 2
            distance = math.sqrt(colour + place * per_pixel**2)
            # A region's mean moves, so a distance may fall below the level that is being emptied.
            wanted = max(level, min(int(distance * _LEVELS_PER_UNIT), _LEVELS - 1))
            pixel[used], region[used], following[used] = b * width + a, k, first[wanted]
            first[wanted] = used
            used += 1
    return labels, areas
