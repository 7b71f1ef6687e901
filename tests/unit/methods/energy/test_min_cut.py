"""Min cut against SciPy's maximum flow, and against all objects there are."""

import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from drawing import mask
from fewclicks.errors import ShapeError
from fewclicks.methods.energy.edges import NEIGHBOURS, step_lengths
from fewclicks.methods.energy.geodesic import WAYS, geodesic_forest
from fewclicks.methods.energy.min_cut import min_cut

SURE = 10_000_000


def energy(on, unary, weights):
    """Of an object, in thousandths, straight from the definition."""
    total = -np.rint(unary[on].astype(np.float64) * 1000).sum()
    for k, (down, right) in enumerate(NEIGHBOURS):
        for y, x in np.ndindex(on.shape):
            is_inside = y + down < on.shape[0] and 0 <= x + right < on.shape[1]
            if is_inside and on[y, x] != on[y + down, x + right]:
                total += np.rint(weights[k, y, x] * np.float64(1000))
    return total


def least_energy(unary, weights, positive, negative):
    """Of any object, by SciPy's maximum flow over the same graph."""
    height, width = unary.shape
    number = np.arange(height * width).reshape(height, width)
    gains = np.rint(unary.astype(np.float64) * 1000).astype(np.int64)
    # A settled pixel gets a gain that nothing outweighs; what it adds is taken off again below.
    offset = gains[positive].sum()
    gains = np.where(positive, SURE, np.where(negative, -SURE, gains)).ravel()
    begin, end, capacity = [], [], []
    for k, (down, right) in enumerate(NEIGHBOURS):
        for y, x in np.ndindex(height, width):
            if y + down < height and 0 <= x + right < width:
                for p, q in itertools.permutations([number[y, x], number[y + down, x + right]]):
                    begin.append(p)
                    end.append(q)
                    capacity.append(round(float(weights[k, y, x]) * 1000))
    source, sink = height * width, height * width + 1
    for node, gain in enumerate(gains):
        begin.append(source if gain > 0 else node)
        end.append(node if gain > 0 else sink)
        capacity.append(abs(gain))
    size = height * width + 2
    graph = sparse.csr_array((np.array(capacity, dtype=np.int32), (begin, end)), shape=(size, size))
    flow = csgraph.maximum_flow(graph, source, sink).flow_value
    return flow - gains[(gains > 0) & ~positive.ravel()].sum() - offset


def problem(seed, shape):
    """A random cut problem with a few settled pixels."""
    random = np.random.default_rng(seed)
    unary = random.normal(0, 1, shape).astype(np.float32)
    weights = random.uniform(0, 1.5, (4, *shape)).astype(np.float32)
    settled = random.choice([0, 0, 0, 0, 1, 2], shape)
    return unary, weights, settled == 1, settled == 2


@pytest.mark.parametrize("seed", range(12))
def test_the_cut_has_the_least_energy_that_scipy_finds(seed):
    unary, weights, positive, negative = problem(seed, (11, 14))

    cut = min_cut(unary, weights, positive=positive, negative=negative)

    assert cut[positive].all()
    assert not cut[negative].any()
    assert energy(cut, unary, weights) == least_energy(unary, weights, positive, negative)


@pytest.mark.parametrize("seed", range(12))
def test_a_star_convex_cut_is_the_best_of_all_objects_that_hold_their_parents(seed):
    unary, weights, positive, negative = problem(seed, (3, 4))
    sources = np.zeros((3, 4), dtype=bool)
    sources[seed % 3, seed % 4] = True
    length = np.random.default_rng(seed).random((3, 4, 1)).astype(np.float32)
    _, parents = geodesic_forest(step_lengths(length), sources)

    cut = min_cut(unary, weights, positive=positive, negative=negative, parents=parents)

    def is_allowed(on):
        if not on[positive].all() or on[negative].any():
            return False
        return all(
            on[y + WAYS[way][0], x + WAYS[way][1]]
            for y, x in np.argwhere(on & ~positive)
            if (way := parents[y, x]) >= 0
        )

    everything = (
        np.array(bits).reshape(3, 4) for bits in itertools.product([False, True], repeat=12)
    )
    best = min(energy(on, unary, weights) for on in everything if is_allowed(on))
    assert is_allowed(cut)
    assert energy(cut, unary, weights) == best


def test_of_equally_good_objects_the_smallest_is_taken():
    unary = np.zeros((3, 5), dtype=np.float32)
    weights = np.zeros((4, 3, 5), dtype=np.float32)
    positive = mask(".....", ".#...", ".....")

    cut = min_cut(unary, weights, positive=positive, negative=~mask("#####", "#####", "####."))

    assert np.array_equal(cut, positive)


def test_dear_edges_are_summed_as_exactly_as_cheap_ones():
    unary, weights, positive, negative = problem(0, (11, 14))
    cheap, dear = np.round(unary * 8) / 8, np.round(weights * 8) / 8  # whole thousandths

    cut = min_cut(cheap, dear, positive=positive, negative=negative)
    scaled = min_cut(cheap * 2**30, dear * 2**30, positive=positive, negative=negative)

    assert np.array_equal(scaled, cut)
    assert cut.any()


def test_a_pixel_settled_both_ways_is_negative():
    both = mask(".#.")

    cut = min_cut(
        np.ones((1, 3), dtype=np.float32),
        np.zeros((4, 1, 3), dtype=np.float32),
        positive=both,
        negative=both,
    )

    assert np.array_equal(cut, mask("#.#"))


def test_a_band_gives_the_cut_that_the_whole_picture_gives_when_it_holds_the_edge():
    unary, weights, _, _ = problem(0, (20, 20))
    nothing = np.zeros((20, 20), dtype=bool)
    whole = min_cut(unary, weights, positive=nothing, negative=nothing)
    window = nothing.copy()
    window[5:15, 5:15] = True

    inside = min_cut(unary, weights, positive=whole & ~window, negative=~whole & ~window)

    assert energy(inside, unary, weights) == energy(whole, unary, weights)


def test_all_settled_leaves_nothing_to_search():
    on = mask("##", "..")

    cut = min_cut(
        np.zeros((2, 2), dtype=np.float32),
        np.ones((4, 2, 2), dtype=np.float32),
        positive=on,
        negative=~on,
    )

    assert np.array_equal(cut, on)


def test_maps_of_different_sizes_are_refused():
    nothing = np.zeros((2, 3), dtype=bool)

    with pytest.raises(ShapeError, match=r"unary has shape \(3, 2\)"):
        min_cut(
            np.zeros((3, 2), dtype=np.float32),
            np.zeros((4, 2, 3), dtype=np.float32),
            positive=nothing,
            negative=nothing,
        )
