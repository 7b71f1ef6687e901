from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import ward_tree as sklearn_ward_tree

from fewclicks.methods.energy.region_graph import RegionGraph
from fewclicks.methods.energy.region_tree import RegionTree, bottleneck_tree, ward_tree

Members = frozenset[int]


def _graph(count: int, pairs: Iterable[tuple[int, int]]) -> RegionGraph:
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    ones = np.ones(len(ordered))
    return RegionGraph(
        count=count, first=ordered[:, 0], second=ordered[:, 1], lengths=ones, strengths=ones
    )


def _grid(height: int, width: int) -> RegionGraph:
    places = np.arange(height * width).reshape(height, width)
    right = zip(places[:, :-1].ravel(), places[:, 1:].ravel(), strict=True)
    down = zip(places[:-1].ravel(), places[1:].ravel(), strict=True)
    return _graph(places.size, [*right, *down])


def _complete(count: int) -> RegionGraph:
    return _graph(count, itertools.combinations(range(count), 2))


GRAPHS = {"grid": _grid(6, 7), "complete": _complete(30), "chain": _grid(1, 40)}
every_graph = pytest.mark.parametrize("kind", GRAPHS)


def _members(tree: RegionTree) -> list[Members]:
    """Regions under each node, from the parents alone."""
    found: list[set[int]] = [set() for _ in tree.parents]
    for leaf in range(tree.leaves):
        node = leaf
        while node >= 0:
            found[node].add(leaf)
            node = int(tree.parents[node])
    return [frozenset(members) for members in found]


def _ward_random(graph: RegionGraph) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(graph.count)
    return random.normal(size=(graph.count, 3)), random.uniform(0.2, 4.0, graph.count)


def _slow_ward(
    graph: RegionGraph, descriptors: NDArray[np.float64], masses: NDArray[np.float64]
) -> dict[Members, float]:
    """Try every touching pair of clusters each time; height of each union, never falling."""

    def variance(members: Members) -> float:
        """Mass times squared distance from the mean, over all members."""
        chosen = sorted(members)
        mean = np.average(descriptors[chosen], axis=0, weights=masses[chosen])
        return float((masses[chosen, None] * (descriptors[chosen] - mean) ** 2).sum())

    pairs = list(zip(graph.first.tolist(), graph.second.tolist(), strict=True))
    heights = {frozenset([leaf]): 0.0 for leaf in range(graph.count)}
    alive = list(heights)
    while len(alive) > 1:
        owner = {leaf: cluster for cluster in alive for leaf in cluster}
        touching = {frozenset([owner[a], owner[b]]) for a, b in pairs if owner[a] != owner[b]}
        costs = []
        for one, other in touching:
            added = variance(one | other) - variance(one) - variance(other)
            costs.append((added, sorted(one), sorted(other), one, other))
        added, _, _, one, other = min(costs)
        heights[one | other] = max(added, heights[one], heights[other])
        alive = [cluster for cluster in alive if cluster not in (one, other)] + [one | other]
    return heights


def _assert_heights(tree: RegionTree, expected: dict[Members, float]) -> None:
    found = dict(zip(_members(tree), tree.heights.tolist(), strict=True))
    assert found.keys() == expected.keys()
    for members, height in expected.items():
        assert found[members] == pytest.approx(height, rel=1e-6, abs=1e-9)


@every_graph
@pytest.mark.parametrize("shape_of", ["ward", "bottleneck"])
def test_a_tree_is_binary_with_children_before_parents_and_heights_never_falling(
    kind: str, shape_of: str
):
    graph = GRAPHS[kind]
    if shape_of == "ward":
        tree = ward_tree(graph, *_ward_random(graph))
    else:
        tree = bottleneck_tree(graph, np.random.default_rng(0).random(len(graph.first)))
    count = 2 * graph.count - 1
    assert tree.leaves == graph.count
    assert tree.parents.shape == tree.heights.shape == (count,)
    assert tree.parents[-1] == -1
    assert (tree.parents[:-1] > np.arange(count - 1)).all()
    children = np.bincount(tree.parents[:-1], minlength=count)
    assert not children[: graph.count].any()
    assert (children[graph.count :] == 2).all()
    assert not tree.heights[: graph.count].any()
    assert (tree.heights[tree.parents[:-1]] >= tree.heights[:-1]).all()


@every_graph
def test_equal_masses_merge_as_in_scikit_learn(kind: str):
    graph = GRAPHS[kind]
    descriptors, _ = _ward_random(graph)
    shape = (graph.count, graph.count)
    touching = sparse.coo_matrix((graph.lengths, (graph.first, graph.second)), shape=shape)
    children, *_, distances = sklearn_ward_tree(
        descriptors, connectivity=(touching + touching.T).tocsr(), return_distance=True
    )
    members = [frozenset([leaf]) for leaf in range(graph.count)]
    heights = [0.0] * graph.count
    for (a, b), distance in zip(children, distances, strict=True):
        members.append(members[a] | members[b])
        # Its distance is the root of twice the added variance, and may fall from child to parent.
        heights.append(max(distance**2 / 2, heights[a], heights[b]))

    tree = ward_tree(graph, descriptors, np.ones(graph.count))

    _assert_heights(tree, dict(zip(members, heights, strict=True)))


@every_graph
def test_masses_merge_as_in_a_plain_greedy_search(kind: str):
    graph = GRAPHS[kind]
    descriptors, masses = _ward_random(graph)
    _assert_heights(ward_tree(graph, descriptors, masses), _slow_ward(graph, descriptors, masses))


def test_equal_regions_merge_at_height_zero_and_always_alike():
    graph = _grid(4, 5)
    trees = [ward_tree(graph, np.ones((20, 2)), np.ones(20)) for _ in range(2)]
    assert not trees[0].heights.any()
    np.testing.assert_array_equal(trees[0].parents, trees[1].parents)


@every_graph
def test_regions_meet_at_the_lowest_barrier_that_every_way_must_cross(kind: str):
    graph = GRAPHS[kind]
    barriers = np.random.default_rng(2).random(len(graph.first))
    minimax = np.full((graph.count, graph.count), np.inf)
    minimax[graph.first, graph.second] = minimax[graph.second, graph.first] = barriers
    np.fill_diagonal(minimax, 0.0)
    for via in range(graph.count):  # as Floyd and Warshall, with the largest step for the sum
        minimax = np.minimum(minimax, np.maximum(minimax[:, via, None], minimax[None, via, :]))

    tree = bottleneck_tree(graph, barriers)

    for leaf in range(graph.count):
        np.testing.assert_array_equal(tree.heights[tree.meetings(leaf)], minimax[leaf])


def test_equal_barriers_are_taken_in_the_order_of_the_borders():
    tree = bottleneck_tree(_grid(1, 4), np.ones(3))
    assert tree.parents.tolist() == [4, 4, 5, 6, 5, 6, -1]
    assert tree.heights.tolist() == [0, 0, 0, 0, 1, 1, 1]


@pytest.fixture(scope="module", params=["ward", "bottleneck"])
def tree(request: pytest.FixtureRequest) -> RegionTree:
    graph = GRAPHS["grid"]
    if request.param == "ward":
        return ward_tree(graph, *_ward_random(graph))
    return bottleneck_tree(graph, np.random.default_rng(3).random(len(graph.first)))


def test_a_meeting_is_the_smallest_node_that_holds_both(tree: RegionTree):
    members = _members(tree)
    for leaf in (0, 17, tree.leaves - 1):
        meetings = tree.meetings(leaf)
        assert meetings[leaf] == leaf
        for other in range(tree.leaves):
            holding = [n for n, inside in enumerate(members) if {leaf, other} <= inside]
            assert meetings[other] == min(holding, key=lambda node: len(members[node]))


def test_sums_are_those_of_the_regions_under_each_node(tree: RegionTree):
    values = np.random.default_rng(4).normal(size=tree.leaves)
    expected = [values[sorted(inside)].sum() for inside in _members(tree)]
    np.testing.assert_allclose(tree.sums(values), expected, atol=1e-12)


@pytest.mark.parametrize("least", [0.0, 1.0, 1.5, 4.0, 12.0, 42.0, 1e6])
def test_an_ancestor_is_the_smallest_node_with_enough_regions(tree: RegionTree, least: float):
    members = _members(tree)
    root = len(members) - 1
    found = tree.ancestors(least)
    for leaf in range(tree.leaves):
        enough = [n for n, inside in enumerate(members) if leaf in inside and len(inside) >= least]
        assert found[leaf] == min(enough, key=lambda node: len(members[node]), default=root)


def test_a_single_region_is_its_own_root():
    graph = _graph(1, [])
    for tree in (
        ward_tree(graph, np.ones((1, 2)), np.ones(1)),
        bottleneck_tree(graph, np.empty(0)),
    ):
        assert tree.leaves == 1
        assert tree.parents.tolist() == [-1]
        assert tree.heights.tolist() == [0.0]
        assert tree.meetings(0).tolist() == [0]
        assert tree.ancestors(5).tolist() == [0]
        assert tree.sums(np.array([3.0])).tolist() == [3.0]
