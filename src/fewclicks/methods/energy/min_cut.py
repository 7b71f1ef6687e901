"""Min cut: the labelling of a picture that costs least.

The energy of an object is the sum of ``-unary`` over its pixels plus the weights of the edges
that leave it. Pixels whose class is known beforehand take no part in the search, so a cut that
may only move in a band costs as much as the band is large.
"""

from __future__ import annotations

import numba
import numpy as np

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.errors import ShapeError
from fewclicks.methods.energy.edges import EdgeMap
from fewclicks.methods.energy.geodesic import WAYS, ParentMap
from fewclicks.methods.energy.max_flow import Amounts, smallest_sink_side

_UNITS = 1000.0  # capacities are whole thousandths: sums are exact, no rounding residue flows
_INFINITE = np.int64(10**12)  # beyond any sum of capacities
_SHORT = 2e6  # sums below this many units fit 32 bits in thousandths


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
    """
    for name, array in (("unary", unary), ("positive", positive), ("negative", negative)):
        if array.shape != weights.shape[1:]:
            raise ShapeError.differs(name, array.shape, needed=weights.shape[1:], of="the weights")
    mask = positive & ~negative
    if (positive | negative).all():
        return mask
    height, width = mask.shape
    framed = (height + 2) * (width + 2)
    most = 8.0 * float(weights.max()) + max(float(unary.max()), -float(unary.min()))
    # Half the memory is a good part of the time.
    number: type[np.int32 | np.int64] = np.int32 if parents is None and most < _SHORT else np.int64
    excess: Amounts = np.zeros(framed, dtype=number)
    residual: Amounts = np.zeros((framed, 8), dtype=number)
    ways = parents if parents is not None else np.full((0, 0), -1, dtype=np.int8)
    _fill(excess, residual, unary, weights, mask, negative, ways)
    on = smallest_sink_side(excess, residual, width + 2)
    mask |= on.reshape(height + 2, width + 2)[1:-1, 1:-1]
    return mask


@numba.njit(cache=True, nogil=True)
def _fill(
    excess: Amounts,
    residual: Amounts,
    unary: FloatMap,
    weights: EdgeMap,
    positive: BoolMask,
    negative: BoolMask,
    parents: ParentMap,
) -> None:
    """Write the arcs between free pixels; those to settled pixels go into the excess.

    The background has, the object lacks: what the flow leaves undecided is not of the object.
    """
    height, width = positive.shape
    for y in range(height):
        for x in range(width):
            if positive[y, x] or negative[y, x]:
                continue
            p = (y + 1) * (width + 2) + x + 1
            gain = np.int64(np.rint(unary[y, x] * _UNITS))
            for k in range(8):
                v, u = y + WAYS[k][0], x + WAYS[k][1]
                if v < 0 or v >= height or u < 0 or u >= width:
                    continue
                weight = weights[k, y, x] if k < 4 else weights[k - 4, v, u]
                capacity = np.int64(np.rint(weight * _UNITS))
                # An arc p -> q is cut when q alone is object. It is infinite from a pixel's parent
                # to the pixel: the child alone costs too much.
                if negative[v, u]:
                    is_parent = parents.size and parents[y, x] == k
                    gain -= _INFINITE if is_parent else capacity
                elif positive[v, u]:
                    gain += capacity
                else:
                    is_child = parents.size and parents[v, u] == k ^ 4
                    residual[p, k] = _INFINITE if is_child else capacity
            excess[p] = -gain
