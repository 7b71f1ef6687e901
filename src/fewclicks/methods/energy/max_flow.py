"""Maximum flow over a grid of pixels, and the smallest cut that is as small as that flow.

Flow runs from pixels with an excess to pixels with a lack, over arcs to the eight neighbours. Two
forests grow level by level towards each other, one from all that have, one from all that lack; a
pixel's label is its distance to the root of its tree. Where the forests touch, flow is pushed along
both paths. Pixels whose way to the root is used up then look for another parent as near to a
root as the old one; where there is none their distance grows, and that of their children with it.
When the forest of those that lack can grow no more, it is the side of the cut that was asked for.

All pixels lie in one row of memory, the picture framed by pixels that no arc reaches, so that a
neighbour is a fixed step away and the grid needs no lists of arcs.

References
----------
.. [1] Goldberg, Hed, Kaplan, Tarjan & Werneck, "Maximum Flows by Incremental Breadth-First Search",
   ESA 2011.
"""

from __future__ import annotations

from typing import TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask

Amounts: TypeAlias = NDArray[np.int32] | NDArray[np.int64]
"""Of flow, whole numbers, so that no rounding residue flows."""

_SOURCES, _SINKS = 0, 1
_ROOT, _NONE = 8, -1  # in the place of the step to the parent


def smallest_sink_side(excess: Amounts, residual: Amounts, width: int) -> BoolMask:
    """Cut the pixels that lack from those that have, as cheaply as can be.

    Parameters
    ----------
    excess : (n,)
        Amount that each pixel has to give away; below 0 it lacks that much. Used up.
    residual : (n, 8)
        Amount that each arc can carry, in the order of `geodesic.WAYS`; 0 for every arc that
        would leave the grid. Used up. The sum over both directions must fit the type.
    width
        Pixels in a row of the grid.

    Returns
    -------
    (n,) bool
        Of all cheapest sides the smallest: all pixels from which a lack can still be reached.
    """
    return _smallest_sink_side(excess, residual, width)


@numba.njit(cache=True, nogil=True)
def _smallest_sink_side(excess: Amounts, residual: Amounts, width: int) -> BoolMask:
    n = excess.size
    # The way back of step k is k ^ 4.
    there = np.array([1, width, width + 1, width - 1])
    steps = np.concatenate((there, -there)).astype(np.uint64)
    label = np.zeros(n, dtype=np.int32)  # distance to the root; of sinks below 0; 0 in no tree
    parent = np.full(n, _NONE, dtype=np.int8)  # step towards the root
    listed = np.zeros(n, dtype=np.uint8)  # bit 1 << side is set while in a list of that side
    now, later = np.empty((2, n), dtype=np.int32), np.empty((2, n), dtype=np.int32)
    now_count, later_count = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    depth = np.ones(2, dtype=np.int64)  # label of the pixels that are looked at now
    first = np.full(n + 2, -1, dtype=np.int32)  # orphans, in a linked list for each distance
    after = np.empty(n, dtype=np.int32)
    for root in range(n):
        if excess[root] != 0:
            side = _SOURCES if excess[root] > 0 else _SINKS
            label[root], parent[root] = 1 - 2 * side, _ROOT
            now[side, now_count[side]] = root
            now_count[side] += 1
            listed[root] = 1 << side
    while now_count[_SINKS] > 0:
        # In turns: where one grows alone, its paths are rerouted twice as often.
        side = _SOURCES if now_count[_SOURCES] > 0 and depth[_SOURCES] <= depth[_SINKS] else _SINKS
        sign, bit = 1 - 2 * side, np.uint8(1 << side)
        level = depth[side]
        i = 0
        while i < now_count[side]:  # more may join
            p = np.uint64(now[side, i])
            i += 1
            listed[p] &= ~bit
            if label[p] * sign == level + 1:
                later[side, later_count[side]] = p
                later_count[side] += 1
                listed[p] |= bit
            k = 0 if label[p] * sign == level else 8
            while k < 8:
                q = p + steps[k]
                if (residual[p, k] if side == _SOURCES else residual[q, k ^ 4]) == 0:
                    k += 1
                elif label[q] == 0:
                    label[q], parent[q] = sign * (level + 1), k ^ 4
                    if not listed[q] & bit:
                        later[side, later_count[side]] = q
                        later_count[side] += 1
                        listed[q] |= bit
                    k += 1
                elif label[q] * sign > 0:
                    k += 1
                else:
                    source, sink, way = (p, q, k) if side == _SOURCES else (q, p, k ^ 4)
                    amount = _bottleneck(source, sink, way, steps, excess, residual, parent)
                    residual[source, way] -= amount
                    residual[sink, way ^ 4] += amount
                    for end, tip in ((_SOURCES, source), (_SINKS, sink)):
                        nearest = _push(
                            tip, end, amount, steps, excess, residual, label, parent, first, after
                        )
                        if nearest:
                            _adopt(
                                end,
                                nearest,
                                depth[end] + (1 if side == end else 0),
                                depth[end],
                                steps,
                                residual,
                                label,
                                parent,
                                first,
                                after,
                                listed,
                                now,
                                now_count,
                                later,
                                later_count,
                            )
                    if label[p] * sign != level:
                        break
        for i in range(later_count[side]):
            now[side, i] = later[side, i]
        now_count[side], later_count[side] = later_count[side], 0
        depth[side] = level + 1
    return label < 0


@numba.njit(cache=True, nogil=True)
def _bottleneck(
    source: np.uint64,
    sink: np.uint64,
    way: int,
    steps: NDArray[np.uint64],
    excess: Amounts,
    residual: Amounts,
    parent: NDArray[np.int8],
) -> int:
    """Find what the path from root to root through the arc source -> sink can carry."""
    amount = np.int64(residual[source, way])
    p = source
    while parent[p] != _ROOT:
        way = parent[p]
        p += steps[way]
        amount = min(amount, residual[p, way ^ 4])
    amount = min(amount, excess[p])
    p = sink
    while parent[p] != _ROOT:
        way = parent[p]
        amount = min(amount, residual[p, way])
        p += steps[way]
    return int(min(amount, -excess[p]))


@numba.njit(cache=True, nogil=True)
def _push(
    p: np.uint64,
    side: int,
    amount: int,
    steps: NDArray[np.uint64],
    excess: Amounts,
    residual: Amounts,
    label: NDArray[np.int32],
    parent: NDArray[np.int8],
    first: NDArray[np.int32],
    after: NDArray[np.int32],
) -> int:
    """Carry an amount between a pixel and its root; gives the least distance of an orphan."""
    nearest = 0
    while parent[p] != _ROOT:
        way = parent[p]
        q = p + steps[way]
        if side == _SOURCES:
            residual[q, way ^ 4] -= amount
            residual[p, way] += amount
            is_cut_off = residual[q, way ^ 4] == 0
        else:
            residual[p, way] -= amount
            residual[q, way ^ 4] += amount
            is_cut_off = residual[p, way] == 0
        if is_cut_off:
            nearest = _orphan(p, label, parent, first, after)
        p = q
    excess[p] += amount if side == _SINKS else -amount
    if excess[p] == 0:
        nearest = _orphan(p, label, parent, first, after)
    return nearest


@numba.njit(cache=True, nogil=True)
def _orphan(
    p: np.uint64,
    label: NDArray[np.int32],
    parent: NDArray[np.int8],
    first: NDArray[np.int32],
    after: NDArray[np.int32],
) -> int:
    """Take a pixel's parent away; gives its distance."""
    distance = int(abs(label[p]))
    parent[p] = _NONE
    after[p] = first[distance]
    first[distance] = p
    return distance


@numba.njit(cache=True, nogil=True)
def _adopt(
    side: int,
    nearest: int,
    limit: int,
    depth: int,
    steps: NDArray[np.uint64],
    residual: Amounts,
    label: NDArray[np.int32],
    parent: NDArray[np.int8],
    first: NDArray[np.int32],
    after: NDArray[np.int32],
    listed: NDArray[np.uint8],
    now: NDArray[np.int32],
    now_count: NDArray[np.int64],
    later: NDArray[np.int32],
    later_count: NDArray[np.int64],
) -> None:
    """Find parents for all orphans, the nearest first; what finds none leaves the forest."""
    sign, bit = 1 - 2 * side, np.uint8(1 << side)
    distance = nearest
    while distance <= limit:
        orphan = first[distance]
        if orphan < 0:
            distance += 1
            continue
        p = np.uint64(orphan)
        first[distance] = after[p]
        way = _NONE
        if distance > 1:
            wanted = sign * (distance - 1)
            for k in range(8):
                q = p + steps[k]
                if (
                    label[q] == wanted
                    and (residual[q, k ^ 4] if side == _SOURCES else residual[p, k]) != 0
                ):
                    way = k
                    break
        if way != _NONE:
            parent[p] = way
            continue
        best = limit
        for k in range(8):
            q = p + steps[k]
            other = label[q] * sign
            if other <= 0:
                continue
            if parent[q] == k ^ 4 and other == distance + 1:
                _orphan(q, label, parent, first, after)
            if other < best and (residual[q, k ^ 4] if side == _SOURCES else residual[p, k]) != 0:
                best, way = other, k
        parent[p] = way
        if way == _NONE:
            label[p] = 0
            continue
        label[p] = sign * (best + 1)
        if best + 1 >= depth and not listed[p] & bit:
            if best + 1 == depth:
                now[side, now_count[side]] = p
                now_count[side] += 1
            else:
                later[side, later_count[side]] = p
                later_count[side] += 1
            listed[p] |= bit
