from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from fewclicks.methods.energy.region_tree import RegionTree
from fewclicks.methods.markov.diffusion import NEVER
from fewclicks.methods.markov.distances import (
    DISTANCES,
    FAR,
    FEATURE_WALK,
    OWN_WALK,
    PATHS,
    TOKEN_WALK,
    distances_from,
)
from fewclicks.methods.markov.regions import Regions

COLUMN = {name: k for k, name in enumerate(DISTANCES)}
AREAS = [k for name, k in COLUMN.items() if name.startswith("area")]
WALKS = [OWN_WALK, FEATURE_WALK]


@pytest.fixture(scope="module")
def between(regions: Regions) -> NDArray[np.float64]:
    """(n, n, 15), of all pairs."""
    from_each = []
    for region in range(regions.count):
        log_steps = np.log1p(regions.walks[1].saturation_steps(region))
        from_each.append(distances_from(regions, region, log_steps=log_steps))
    return np.stack(from_each)


def _union(tree: RegionTree, one: int, other: int) -> int:
    """Climb from both until the two ways join."""
    way = {one}
    while tree.parents[one] >= 0:
        one = int(tree.parents[one])
        way.add(one)
    while other not in way:
        other = int(tree.parents[other])
    return other


def _leaves_under(tree: RegionTree, node: int) -> list[int]:
    return [leaf for leaf in range(tree.leaves) if _union(tree, leaf, node) == node]


def test_every_distance_has_a_name_and_a_stand_in(between: NDArray[np.float64], regions: Regions):
    assert between.shape == (regions.count, regions.count, len(DISTANCES))
    assert FAR.shape == (len(DISTANCES),)
    assert (FAR > 0).all()
    assert [k for name, k in COLUMN.items() if name.startswith("path")] == list(range(PATHS))
    assert COLUMN["steps of a walk over colours"] == OWN_WALK
    assert COLUMN["steps of a walk over the backbone's features"] == FEATURE_WALK


def test_a_region_is_at_no_distance_from_itself_but_its_own_areas(
    between: NDArray[np.float64], regions: Regions
):
    own = between[np.arange(regions.count), np.arange(regions.count)]
    np.testing.assert_allclose(own[:, AREAS], np.stack([regions.shares] * 2, axis=1))
    np.testing.assert_allclose(np.delete(own, AREAS, axis=1), 0.0, atol=1e-6)


def test_no_other_region_is_nearer_than_the_region_itself(between: NDArray[np.float64]):
    own = np.einsum("iik->ik", between)
    assert (between >= own[:, None] - 1e-9).all()
    assert np.isfinite(between).all()


def test_all_distances_but_those_of_walks_are_the_same_both_ways(between: NDArray[np.float64]):
    both_ways = np.delete(between, [*WALKS, TOKEN_WALK], axis=2)
    np.testing.assert_allclose(both_ways, both_ways.transpose(1, 0, 2), atol=1e-6)


def test_paths_are_the_shortest_ones(between: NDArray[np.float64], regions: Regions):
    for k, steps in enumerate(regions.paths):
        np.testing.assert_allclose(between[..., k], shortest_path(steps, method="FW"), atol=1e-9)


def test_unions_are_found_by_climbing_the_trees(between: NDArray[np.float64], regions: Regions):
    colour, barrier, features = regions.trees
    for one, other in np.random.default_rng(0).integers(0, regions.count, (30, 2)):
        found = between[one, other]
        height = barrier.heights[_union(barrier, int(one), int(other))]
        assert found[COLUMN["lowest barrier"]] == height
        for tree, by in ((colour, "colour"), (features, "features")):
            union = _union(tree, int(one), int(other))
            expected = np.log(1 + tree.heights[union])
            assert found[COLUMN[f"height of the smallest union by {by}"]] == pytest.approx(expected)
            area = regions.shares[_leaves_under(tree, union)].sum()
            assert found[COLUMN[f"area of the smallest union by {by}"]] == pytest.approx(area)


def test_colour_features_and_place_are_those_of_the_regions(
    between: NDArray[np.float64], regions: Regions
):
    np.testing.assert_array_equal(between[..., COLUMN["colour"]], regions.colour_distance)
    seen = between[..., COLUMN["the backbone's features"]]
    np.testing.assert_array_equal(seen, regions.feature_distance)
    offsets = regions.places[:, None] - regions.places[None]
    np.testing.assert_allclose(between[..., COLUMN["place"]], np.linalg.norm(offsets, axis=2))


def test_walks_are_counted_in_logarithms_of_steps(between: NDArray[np.float64], regions: Regions):
    for k, walk in zip(WALKS, regions.walks, strict=True):
        np.testing.assert_allclose(np.expm1(between[5, :, k]), walk.saturation_steps(5), atol=1e-9)
        assert between[..., k].max() <= np.log1p(NEVER)


def test_distances_are_finite_where_there_is_little_to_measure(extreme: Regions):
    for region in {0, extreme.count // 2, extreme.count - 1}:
        found = distances_from(extreme, region)
        assert found.shape == (extreme.count, len(DISTANCES))
        assert np.isfinite(found).all()
        assert found.min() >= 0.0


def test_without_a_walk_over_tokens_all_are_far_by_it(regions: Regions):
    assert (distances_from(regions, 3)[:, TOKEN_WALK] == FAR[TOKEN_WALK]).all()


def test_steps_over_tokens_are_taken_as_they_come(regions: Regions):
    steps = np.linspace(0.0, 5.0, regions.count)
    found = distances_from(regions, 3, log_steps=steps)
    np.testing.assert_array_equal(found[:, TOKEN_WALK], steps)
