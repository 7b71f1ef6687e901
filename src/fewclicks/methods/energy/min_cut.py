"""Min cut: the labelling of a picture that costs least.

The energy of an object is the sum of ``-unary`` over its pixels plus the weights of the edges
that leave it. Pixels whose class is known beforehand take no part in the search, so a cut that
may only move in a band costs as much as the band is large.
"""

from __future__ import annotations

import maxflow
import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.errors import ShapeError
from fewclicks.methods.energy.edges import NEIGHBOURS, EdgeMap
from fewclicks.methods.energy.geodesic import ParentMap

_UNITS = 1000.0  # capacities are whole thousandths: sums are exact, no rounding residue flows
_INFINITE = 1e12  # beyond any sum of capacities, yet still exact to a thousandth
_NEGATIVE, _POSITIVE = -1, -2


def min_cut(
    unary: FloatMap,
    weights: EdgeMap,
    *,
    positive: BoolMask,
    negative: BoolMask,
    parents: ParentMap | None = None,
) -> BoolMask:
    """Find the object of least energy.

    Parameters
    ----------
    unary : (H, W)
        What is gained by taking a pixel into the object; below 0 is a loss. Finite.
    weights : (4, H, W)
        Price of a cut through each edge, from 0 on.
    positive, negative : (H, W)
        Pixels whose class is settled; where both hold, the pixel is negative.
    parents : (H, W), optional
        Of a geodesic forest. A free pixel is on the object only if its parent is, which makes
        the object star-convex towards the forest's sources.

    Returns
    -------
    (H, W) bool
        Of all objects with the least energy the smallest; energies count to a thousandth per
        pixel and edge.

    Raises
    ------
    ShapeError
        If the maps differ in size.

    References
    ----------
    .. [1] Boykov & Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow Algorithms",
       TPAMI 2004.
    """
    for name, array in (("unary", unary), ("positive", positive), ("negative", negative)):
        if array.shape != weights.shape[1:]:
            raise ShapeError.differs(name, array.shape, needed=weights.shape[1:], of="the weights")
    mask = positive & ~negative
    nodes, count = _number_free(mask, negative)
    if count == 0:
        return mask
    gains = np.rint(unary[nodes >= 0].astype(np.float64) * _UNITS)
    ways = parents if parents is not None else np.full((0, 0), -1, dtype=np.int8)
    begin, end, there, back = _arcs(nodes, gains, weights, ways)
    graph = maxflow.GraphFloat(count, len(begin))
    ids = graph.add_grid_nodes(count)
    graph.add_edges(begin, end, there, back)
    # The background is the source: what the flow leaves undecided falls to its side.
    graph.add_grid_tedges(ids, np.maximum(-gains, 0), np.maximum(gains, 0))
    graph.maxflow()
    mask[nodes >= 0] = graph.get_grid_segments(ids)
    return mask


@numba.njit(cache=True, nogil=True)
def _number_free(positive: BoolMask, negative: BoolMask) -> tuple[NDArray[np.int32], int]:
    """Count the pixels that are to be decided through; the others hold their class."""
    height, width = positive.shape
    nodes = np.empty((height, width), dtype=np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            if negative[y, x]:
                nodes[y, x] = _NEGATIVE
            elif positive[y, x]:
                nodes[y, x] = _POSITIVE
            else:
                nodes[y, x] = count
                count += 1
    return nodes, count


@numba.njit(cache=True, nogil=True)
def _arcs(
    nodes: NDArray[np.int32], gains: NDArray[np.float64], weights: EdgeMap, parents: ParentMap
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """List the edges between free pixels; edges to settled ones go into the gains instead."""
    height, width = nodes.shape
    most = 4 * gains.size
    begin, end = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    there, back = np.empty(most, dtype=np.float64), np.empty(most, dtype=np.float64)
    count = 0
    for y in range(height):
        for x in range(width):
            for k in range(4):
                down, right = NEIGHBOURS[k]
                if y + down >= height or x + right < 0 or x + right >= width:
                    continue
                p, q = nodes[y, x], nodes[y + down, x + right]
                if p < 0 and q < 0:
                    continue
                capacity = np.rint(weights[k, y, x] * _UNITS)
                # Flow runs from the background: an arc p -> q is cut when q alone is object.
                forth = back_ = capacity
                if parents.size:
                    # Infinite from a pixel's parent to the pixel: the child alone costs too much.
                    if parents[y, x] == k:
                        back_ = _INFINITE
                    if parents[y + down, x + right] == k + 4:
                        forth = _INFINITE
                if p >= 0 and q >= 0:
                    begin[count], end[count] = p, q
                    there[count], back[count] = forth, back_
                    count += 1
                elif p >= 0:
                    _settle(gains, p, q, back_ if q == _NEGATIVE else capacity)
                else:
                    _settle(gains, q, p, forth if p == _NEGATIVE else capacity)
    return begin[:count], end[:count], there[:count], back[:count]


@numba.njit(cache=True, nogil=True)
def _settle(gains: NDArray[np.float64], node: int, label: int, capacity: float) -> None:
    """Let a settled neighbour pull a free pixel to its class."""
    gains[node] += capacity if label == _POSITIVE else -capacity
