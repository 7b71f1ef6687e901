from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.arrays import FloatMap
from fewclicks.methods.energy.region_graph import (
    FARTHEST,
    RegionGraph,
    path_distance,
    region_graph,
)
from fewclicks.methods.energy.superpixels import Superpixels


def _drawn(*rows: str) -> Superpixels:
    """Regions drawn as letters, A for 0."""
    labels = np.array([[ord(letter) - ord("A") for letter in row] for row in rows], dtype=np.int32)
    return Superpixels(labels=labels, areas=np.bincount(labels.ravel()).astype(np.float64))


@pytest.fixture
def superpixels() -> Superpixels:
    return _drawn("AAABBB", "AACCCB", "DDCCEB", "DFFEEE", "DFFEEG")


@pytest.fixture
def strength() -> FloatMap:
    return np.random.default_rng(0).random((5, 6)).astype(np.float32)


@pytest.fixture
def graph(superpixels: Superpixels, strength: FloatMap) -> RegionGraph:
    return region_graph(superpixels, strength)


def _slow_borders(
    superpixels: Superpixels, strength: FloatMap
) -> dict[tuple[int, int], list[float]]:
    """Larger strength of each pair of touching pixels, by pair of regions."""
    labels = superpixels.labels
    found: dict[tuple[int, int], list[float]] = defaultdict(list)
    for y, x in np.ndindex(labels.shape):
        for b, a in ((y + 1, x), (y, x + 1)):
            if b < labels.shape[0] and a < labels.shape[1] and labels[y, x] != labels[b, a]:
                pair = sorted((int(labels[y, x]), int(labels[b, a])))
                found[pair[0], pair[1]].append(max(float(strength[y, x]), float(strength[b, a])))
    return dict(sorted(found.items()))


def _slow_paths(
    graph: RegionGraph, costs: NDArray[np.float64], sources: list[int]
) -> NDArray[np.float64]:
    """Bellman-Ford: shorten along every border until nothing changes."""
    reached = np.full(graph.count, np.inf)
    reached[sources] = 0.0
    for _ in range(graph.count):
        for a, b, cost in zip(graph.first, graph.second, costs, strict=True):
            reached[b] = min(reached[b], reached[a] + cost)
            reached[a] = min(reached[a], reached[b] + cost)
    return reached


def test_borders_are_those_counted_pixel_by_pixel(
    superpixels: Superpixels, strength: FloatMap, graph: RegionGraph
):
    expected = _slow_borders(superpixels, strength)
    assert list(zip(graph.first.tolist(), graph.second.tolist(), strict=True)) == list(expected)
    assert graph.lengths.tolist() == [len(values) for values in expected.values()]
    means = [np.mean(values) for values in expected.values()]
    np.testing.assert_allclose(graph.strengths, means, rtol=1e-6)


def test_regions_that_share_a_corner_only_do_not_touch():
    graph = region_graph(_drawn("AB", "CD"), np.ones((2, 2), dtype=np.float32))
    pairs = set(zip(graph.first.tolist(), graph.second.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 2), (1, 3), (2, 3)}


def test_a_single_region_touches_nothing():
    graph = region_graph(_drawn("AA", "AA"), np.ones((2, 2), dtype=np.float32))
    assert graph.count == 1
    assert len(graph.first) == len(graph.second) == len(graph.lengths) == len(graph.strengths) == 0
    assert path_distance(graph.steps(np.empty(0)), np.array([0])).tolist() == [0.0]
    assert graph.neighbour_mean(np.empty(0), np.ones(1)).tolist() == [0.0]


def test_steps_cost_the_same_both_ways(graph: RegionGraph):
    costs = np.arange(1.0, len(graph.first) + 1)
    steps = graph.steps(costs).toarray()
    np.testing.assert_array_equal(steps, steps.T)
    np.testing.assert_array_equal(steps[graph.first, graph.second], costs)
    assert np.count_nonzero(steps) == 2 * len(costs)


@pytest.mark.parametrize("sources", [[0], [6], [2, 5], [0, 1, 2, 3, 4, 5, 6], [3, 3]])
def test_path_distances_are_those_of_bellman_and_ford(graph: RegionGraph, sources: list[int]):
    costs = np.random.default_rng(1).uniform(0.1, 5.0, len(graph.first))
    found = path_distance(graph.steps(costs), np.array(sources))
    np.testing.assert_allclose(found, _slow_paths(graph, costs, sources), rtol=1e-12)


def test_a_step_may_be_free(graph: RegionGraph):
    costs = np.random.default_rng(2).uniform(0.1, 5.0, len(graph.first))
    costs[::2] = 0.0
    found = path_distance(graph.steps(costs), np.array([0]))
    np.testing.assert_allclose(found, _slow_paths(graph, costs, [0]), rtol=1e-12)


def test_a_path_costs_no_more_than_farthest_even_where_there_is_none():
    graph = region_graph(_drawn("ABC"), np.ones((1, 3), dtype=np.float32))
    dear = path_distance(graph.steps(np.array([1.0, 5 * FARTHEST])), np.array([0]))
    assert dear.tolist() == [0.0, 1.0, FARTHEST]
    apart = RegionGraph(
        count=3,
        first=np.array([0]),
        second=np.array([1]),
        lengths=np.ones(1),
        strengths=np.ones(1),
    )
    assert path_distance(apart.steps(np.ones(1)), np.array([0])).tolist() == [0.0, 1.0, FARTHEST]


def test_the_mean_over_neighbours_is_that_of_a_double_loop(graph: RegionGraph):
    random = np.random.default_rng(3)
    weights, values = random.random(len(graph.first)), random.normal(size=graph.count)
    found = graph.neighbour_mean(weights, values)
    for region in range(graph.count):
        total, weight = 0.0, 0.0
        for a, b, share in zip(graph.first, graph.second, weights, strict=True):
            if region in (a, b):
                total += share * values[b if region == a else a]
                weight += share
        assert found[region] == pytest.approx(total / weight)


def test_neighbours_without_weight_have_no_say(graph: RegionGraph):
    found = graph.neighbour_mean(np.zeros(len(graph.first)), np.ones(graph.count))
    np.testing.assert_array_equal(found, np.zeros(graph.count))
