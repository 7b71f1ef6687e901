"""Sampling: how often each node is drawn, against its probability by going through the tree."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fewclicks.backbones.base import Grid
from fewclicks.errors import InputError
from fewclicks.proposals.merge_tree import MergeTree, build_merge_tree
from fewclicks.proposals.sampling import draw_node, draw_top_down, draw_uniform

DRAWN = 20_000


@pytest.fixture(scope="module")
def tree() -> MergeTree:
    given = np.random.default_rng(3).normal(size=(12, 4))
    return MergeTree.from_children(build_merge_tree(given, (3, 4)), Grid(3, 4))


def stopping_chances(tree: MergeTree, alpha: float) -> np.ndarray:
    """Of each node, by walking all ways down at once."""
    leaves = tree.grid.count
    chances = np.zeros(2 * leaves - 1)

    def walk(node: int, arriving: float, going_on: float) -> None:
        if node < leaves:
            chances[node] += arriving
            return
        chances[node] += arriving * (1 - going_on)
        for child in tree.children[node - leaves].tolist():
            walk(child, arriving * going_on / 2, going_on * alpha)

    walk(tree.root, 1.0, 1.0)
    return chances


def frequencies(draw, nodes: int) -> np.ndarray:
    return np.bincount([draw() for _ in range(DRAWN)], minlength=nodes) / DRAWN


def assert_alike(found: np.ndarray, expected: np.ndarray) -> None:
    """Five standard deviations off, at the most, and ten draws of what is rarely drawn."""
    spread = np.sqrt(expected * (1 - expected) / DRAWN)
    assert (np.abs(found - expected) <= 5 * spread + 10 / DRAWN * (expected > 0)).all()


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.8, 0.9, 0.95, 1.0])
def test_top_down_stops_at_each_node_as_often_as_the_walk_says(tree, alpha):
    rng = np.random.default_rng(0)
    expected = stopping_chances(tree, alpha)
    assert expected.sum() == pytest.approx(1.0)
    assert_alike(frequencies(lambda: draw_top_down(tree, rng, alpha=alpha), 23), expected)


def test_with_alpha_0_exactly_a_child_of_the_root_is_drawn(tree):
    rng = np.random.default_rng(1)
    drawn = {draw_top_down(tree, rng, alpha=0.0) for _ in range(200)}
    assert drawn == set(tree.children[-1].tolist())


def test_uniform_draws_all_regions_but_single_tokens_alike(tree):
    rng = np.random.default_rng(2)
    expected = np.concatenate([np.zeros(12), np.full(11, 1 / 11)])
    assert_alike(frequencies(lambda: draw_uniform(tree, rng), 23), expected)


def test_small_regions_are_refused_and_the_others_keep_their_share(tree):
    rng = np.random.default_rng(4)
    large = np.array([tree.area(node) >= 0.2 for node in range(23)])
    expected = stopping_chances(tree, 0.9) * large
    expected /= expected.sum()
    assert 0 < large.sum() < 23
    assert_alike(frequencies(lambda: draw_node(tree, rng, least_area=0.2), 23), expected)


@pytest.mark.parametrize("scheme", ["top-down", "uniform"])
def test_the_hundredth_draw_is_taken_as_it_is(tree, scheme):
    counted = []

    def area(node: int) -> float:
        counted.append(node)
        return 0.0

    stubborn = SimpleNamespace(grid=tree.grid, root=tree.root, children=tree.children, area=area)
    node = draw_node(stubborn, np.random.default_rng(5), scheme=scheme)
    assert len(counted) == 99
    assert 0 <= node < 23


def test_one_token_is_all_that_there_is_to_draw():
    tree = MergeTree.from_children(np.empty((0, 2)), Grid(1, 1))
    rng = np.random.default_rng(0)
    assert draw_node(tree, rng) == draw_node(tree, rng, scheme="uniform") == 0


def test_an_unknown_scheme_is_refused_with_those_there_are(tree):
    with pytest.raises(InputError, match="'sideways'; needs one of top-down, uniform"):
        draw_node(tree, np.random.default_rng(0), scheme="sideways")


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_an_alpha_that_is_no_share_is_refused(tree, alpha):
    with pytest.raises(InputError, match="alpha is"):
        draw_node(tree, np.random.default_rng(0), alpha=alpha)
