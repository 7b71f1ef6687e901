"""The grid's own maximum flow against SciPy's, and against all sides there are."""

import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from drawing import mask
from fewclicks.methods.energy.geodesic import WAYS
from fewclicks.methods.energy.max_flow import smallest_sink_side


def arcs(residual):
    """All arcs of a grid, (begin, end, capacity), pixels counted row by row; from (H, W, 8)."""
    height, width, _ = residual.shape
    for y, x, k in np.ndindex(residual.shape):
        v, u = y + WAYS[k][0], x + WAYS[k][1]
        if 0 <= v < height and 0 <= u < width:
            yield y * width + x, v * width + u, int(residual[y, x, k])


def sink_side(excess, residual):
    """Of the kernel, for a grid without its frame."""
    height, width = excess.shape
    framed = np.zeros((height + 2, width + 2), dtype=excess.dtype)
    framed[1:-1, 1:-1] = excess
    open_ways = np.zeros((height + 2, width + 2, 8), dtype=excess.dtype)
    open_ways[1:-1, 1:-1] = residual
    for k, (down, right) in enumerate(WAYS):  # nothing leaves the grid
        inner = np.pad(np.ones((height, width), dtype=bool), 1)
        into_frame = ~inner[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        open_ways[1:-1, 1:-1, k][into_frame] = 0
    side = smallest_sink_side(framed.ravel(), open_ways.reshape(-1, 8), width + 2)
    return side.reshape(framed.shape)[1:-1, 1:-1]


def scipy_sink_side(excess, residual):
    """What can still reach a lack once SciPy's maximum flow runs."""
    pixels = excess.size
    source, sink = pixels, pixels + 1
    edges = list(arcs(residual))
    for p, amount in enumerate(excess.ravel().tolist()):
        edges.append((source, p, amount) if amount > 0 else (p, sink, -amount))
    begin, end, capacity = np.array(edges, dtype=np.int32).T
    graph = sparse.csr_array((capacity, (begin, end)), shape=(pixels + 2, pixels + 2))
    left = graph - csgraph.maximum_flow(graph, source, sink).flow
    left.eliminate_zeros()
    reached = csgraph.breadth_first_order(left.T.tocsr(), sink, return_predecessors=False)
    side = np.zeros(pixels + 2, dtype=bool)
    side[reached] = True
    return side[:pixels].reshape(excess.shape)


def cost(side, excess, residual):
    """Of a side: what it has itself, what the other lacks, and the arcs into it."""
    flat = side.ravel()
    into = sum(c for p, q, c in arcs(residual) if not flat[p] and flat[q])
    return int(np.maximum(excess, 0)[side].sum() + np.maximum(-excess, 0)[~side].sum()) + into


@pytest.mark.parametrize("number", [np.int32, np.int64])
@pytest.mark.parametrize("most", [3, 60])
@pytest.mark.parametrize("seed", range(10))
def test_the_side_is_the_one_that_scipy_finds(seed, most, number):
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 24, 2))
    excess = random.integers(-40, 41, shape).astype(number)
    excess[random.random(shape) < 0.5] = 0
    residual = random.integers(0, most, (*shape, 8)).astype(number)

    side = sink_side(excess, residual)

    assert np.array_equal(side, scipy_sink_side(excess, residual))


@pytest.mark.parametrize("seed", range(8))
def test_no_side_costs_less_and_none_that_costs_the_same_is_smaller(seed):
    random = np.random.default_rng(seed)
    excess = random.integers(-3, 4, (3, 3)).astype(np.int32)
    residual = random.integers(0, 3, (3, 3, 8)).astype(np.int32)
    everything = [np.array(s).reshape(3, 3) for s in itertools.product([False, True], repeat=9)]
    costs = [cost(each, excess, residual) for each in everything]
    best = [each for each, price in zip(everything, costs, strict=True) if price == min(costs)]

    side = sink_side(excess, residual)

    assert np.array_equal(side, np.logical_and.reduce(best))


def test_a_narrow_way_is_where_the_side_ends():
    lacks = mask("......#")
    excess = np.where(lacks, -100, 0).astype(np.int32)
    excess[0, 0] = 100
    residual = np.full((1, 7, 8), 50, dtype=np.int32)
    residual[0, 3, WAYS.index((0, 1))] = 7

    assert np.array_equal(sink_side(excess, residual), mask("....###"))


def test_a_lack_that_is_met_exactly_leaves_nothing_on_its_side():
    excess = np.array([[5, 0, -5]], dtype=np.int32)

    assert not sink_side(excess, np.full((1, 3, 8), 5, dtype=np.int32)).any()
    assert np.array_equal(sink_side(excess, np.full((1, 3, 8), 4, dtype=np.int32)), mask("..#"))
