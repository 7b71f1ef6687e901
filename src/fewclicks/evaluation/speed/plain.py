"""Plain versions: what the stages of a click compute, written down as the papers say it.

Compiled, so that what is compared is the algorithm and not the language. No cleverness belongs
here: these are what the benchmark measures speed and errors against.
"""

from __future__ import annotations

import heapq
import math

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatImage, FloatMap, FloatMatrix
from fewclicks.clicks import Click


@numba.njit(cache=True)
def scaled_matrix(kernel: FloatMatrix, rounds: int, tolerance: float) -> FloatMatrix:
    """Scale rows and columns to 1, and write the matrix anew in each round."""
    matrix = kernel.copy()
    for _ in range(rounds):
        columns = np.zeros(matrix.shape[1], dtype=np.float32)
        for row in matrix:
            columns += row
        for row in matrix:
            row /= columns
        error = np.float32(0.0)
        for row in matrix:
            total = row.sum()
            error = max(error, abs(total - np.float32(1.0)))
            row /= total
        if error <= tolerance:
            break
    return matrix


@numba.njit(cache=True, fastmath=True)
def walked_map(
    matrix: FloatMatrix, start: NDArray[np.float32], saturation: float, max_steps: int
) -> NDArray[np.float32]:
    """Count the steps until each token saturates, and walk every one of them."""
    count = start.size
    before = start / start.max()
    place = before.copy()
    times = np.full(count, np.float32(max_steps))
    waiting = before <= saturation
    times[~waiting] = 0.0
    for step in range(1, max_steps + 1):
        if not waiting.any():
            break
        moved = np.zeros(count, dtype=np.float32)
        for i in range(count):
            moved += place[i] * matrix[i]
        place = moved
        now = place / place.max()
        for i in range(count):
            if waiting[i] and now[i] > saturation:
                times[i] = step - (now[i] - saturation) / (now[i] - before[i])
                waiting[i] = False
        before = now
    return times


@numba.njit(cache=True, fastmath=True)
def bilateral_map(
    raised: FloatMap, guide: FloatImage, cell_high: float, cell_wide: float, sigma_range: float
) -> FloatMap:
    """Sum over all pixels within three tokens, for each pixel."""
    height, width, channels = guide.shape
    high, wide = int(3 * cell_high), int(3 * cell_wide)
    enlarged = np.empty((height, width), dtype=np.float32)
    scale = np.float32(-0.5 / sigma_range**2)
    for y in range(height):
        for x in range(width):
            total, norm = np.float32(0.0), np.float32(0.0)
            for v in range(max(0, y - high), min(height, y + high + 1)):
                for u in range(max(0, x - wide), min(width, x + wide + 1)):
                    distance = ((v - y) / cell_high) ** 2 + ((u - x) / cell_wide) ** 2
                    if distance > 9.0:
                        continue
                    unlike = np.float32(0.0)
                    for c in range(channels):
                        unlike += (guide[v, u, c] - guide[y, x, c]) ** 2
                    weight = math.exp(np.float32(-0.5) * np.float32(distance) + scale * unlike)
                    total += weight * raised[v, u]
                    norm += weight
            enlarged[y, x] = total / norm
    return enlarged


@numba.njit(cache=True)
def heap_flood(cost: FloatMap, click_y: int, click_x: int) -> FloatMap:
    """Flood from the click with a binary heap; exact."""
    height, width = cost.shape
    flooded = np.full((height, width), np.float32(np.inf))
    flooded[click_y, click_x] = cost[click_y, click_x]
    heap = [(cost[click_y, click_x], click_y * width + click_x)]
    while heap:
        reached, pixel = heapq.heappop(heap)
        y, x = pixel // width, pixel % width
        if reached > flooded[y, x]:
            continue
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            v, u = y + down, x + right
            if 0 <= v < height and 0 <= u < width:
                rise = max(reached, cost[v, u])
                if rise < flooded[v, u]:
                    flooded[v, u] = rise
                    heapq.heappush(heap, (rise, v * width + u))
    return flooded


def edge_scores(
    distances: FloatMap,
    steepness: FloatMap,
    thresholds: NDArray[np.float32],
    same_class: list[Click],
    other_class: list[Click],
    max_segment_area: float,
) -> NDArray[np.float64]:
    """Look at the whole picture once for each threshold; the four scores' product, (m,)."""
    scores = np.empty(len(thresholds))
    for index, threshold in enumerate(thresholds):
        inside = distances <= threshold
        length, total = _border(inside, steepness)
        score = total / length if length else 0.0
        score *= inside.sum() < max_segment_area * inside.size
        score *= sum(bool(inside[one.y, one.x]) for one in same_class) / len(same_class)
        score *= not any(inside[one.y, one.x] for one in other_class)
        scores[index] = score
    return scores


@numba.njit(cache=True)
def _border(inside: BoolMask, steepness: FloatMap) -> tuple[int, float]:
    """How long the outer border is, and the gradient's sum along it."""
    height, width = inside.shape
    length, total = 0, 0.0
    for y in range(height):
        for x in range(width):
            if inside[y, x]:
                continue
            if (
                (y > 0 and inside[y - 1, x])
                or (y + 1 < height and inside[y + 1, x])
                or (x > 0 and inside[y, x - 1])
                or (x + 1 < width and inside[y, x + 1])
            ):
                length += 1
                total += steepness[y, x]
    return length, total
