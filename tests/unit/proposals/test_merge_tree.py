"""Merge trees: scikit-learn's and SciPy's children, and regions against plain sets of tokens."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import ward_tree
from sklearn.feature_extraction.image import grid_to_graph

from fewclicks.backbones.base import Grid
from fewclicks.errors import InputError, ShapeError
from fewclicks.proposals.merge_tree import MergeTree, build_merge_tree


def features(height: int, width: int, channels: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(height * width, channels))


def members(children: np.ndarray) -> list[frozenset[int]]:
    """Tokens of each node."""
    found = [frozenset([token]) for token in range(len(children) + 1)]
    for one, other in children.tolist():
        found.append(found[one] | found[other])
    return found


def tree_of(height: int, width: int, seed: int = 0) -> MergeTree:
    children = build_merge_tree(features(height, width, seed=seed), (height, width))
    return MergeTree.from_children(children, Grid(height, width))


@pytest.mark.parametrize(("height", "width"), [(12, 17), (1, 30), (25, 1), (2, 2), (20, 20)])
def test_children_are_scikit_learns_in_the_same_order(height, width):
    given = features(height, width)
    expected = ward_tree(given, connectivity=grid_to_graph(height, width))[0]
    found = build_merge_tree(given, (height, width), exact=True)
    np.testing.assert_array_equal(found, np.sort(expected, axis=1))


@pytest.mark.parametrize("exact", [True, False])
def test_without_the_grid_children_are_scipys(exact):
    given = features(9, 11)
    expected = linkage(given, "ward")[:, :2].astype(int)
    found = build_merge_tree(given, (9, 11), connectivity=False, exact=exact)
    np.testing.assert_array_equal(found, np.sort(expected, axis=1))


def test_single_precision_merges_what_is_plainly_alike_the_same_way():
    given = features(14, 14)
    exact = build_merge_tree(given, (14, 14), exact=True)
    np.testing.assert_array_equal(build_merge_tree(given.astype(np.float32), (14, 14)), exact)


def test_equal_tokens_tie_as_in_scikit_learn():
    given = np.ones((30, 2))
    expected = ward_tree(given, connectivity=grid_to_graph(5, 6))[0]
    np.testing.assert_array_equal(build_merge_tree(given, (5, 6)), np.sort(expected, axis=1))


def test_the_features_that_are_given_stay_as_they_are():
    given = features(4, 5).astype(np.float32)
    before = given.copy()
    for connectivity in (True, False):
        build_merge_tree(given, (4, 5), connectivity=connectivity)
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("connectivity", [True, False])
def test_one_token_is_a_tree_without_children(connectivity):
    children = build_merge_tree(np.ones((1, 3)), (1, 1), connectivity=connectivity)
    assert children.shape == (0, 2)
    tree = MergeTree.from_children(children, Grid(1, 1))
    assert tree.root == 0
    assert tree.region(0).tolist() == [[True]]
    assert tree.cut(1).tolist() == [[1]]


def test_features_of_another_grid_are_refused_with_both_sizes():
    with pytest.raises(ShapeError, match=r"\(20, 6\); needs \(24, channels\) for a grid of 4 x 6"):
        build_merge_tree(features(4, 5), (4, 6))


def test_a_feature_that_is_no_number_is_refused():
    given = features(3, 3)
    given[4, 2] = np.nan
    with pytest.raises(InputError, match="not finite"):
        build_merge_tree(given, (3, 3))


def test_the_region_of_every_node_is_the_union_of_its_childrens():
    tree = tree_of(7, 9)
    for node, tokens in enumerate(members(tree.children)):
        assert frozenset(np.flatnonzero(tree.region(node)).tolist()) == tokens
        assert tree.area(node) == len(tokens) / 63


@pytest.mark.parametrize("count", [1, 2, 3, 10, 62, 63])
def test_a_cut_is_what_was_left_when_so_many_regions_were(count):
    tree = tree_of(7, 9)
    everything = members(tree.children)
    alive = set(range(63))
    for step in range(63 - count):
        alive = alive - set(tree.children[step].tolist()) | {63 + step}
    labels = tree.cut(count).ravel()
    found = {frozenset(np.flatnonzero(labels == label).tolist()) for label in range(1, count + 1)}
    assert found == {everything[node] for node in alive}


@pytest.mark.parametrize("count", [0, 64])
def test_a_cut_into_more_regions_than_tokens_is_refused(count):
    with pytest.raises(InputError, match="from 1 to 63"):
        tree_of(7, 9).cut(count)


@pytest.mark.parametrize(
    "children",
    [
        [[0, 1], [0, 4], [3, 5]],  # a child of two parents
        [[0, 5], [1, 4], [2, 3]],  # a child before it is there
        [[0, 1], [2, 3], [4, 4]],
        [[-1, 1], [2, 3], [4, 5]],
    ],
)
def test_children_that_make_no_tree_are_refused(children):
    with pytest.raises(InputError, match="make no tree"):
        MergeTree.from_children(np.array(children), Grid(2, 2))


def test_children_of_another_grid_are_refused():
    with pytest.raises(InputError, match="has 3 rows; a grid of 3 x 2 needs 5"):
        MergeTree.from_children(np.array([[0, 1], [2, 3], [4, 5]]), Grid(3, 2))
