"""Ward: what the trees of regions and of tokens do not show between them."""

from __future__ import annotations

import numpy as np
import pytest

from fewclicks.errors import InputError
from fewclicks.methods.energy.ward import merge_any, merge_touching


def test_a_graph_in_two_parts_is_refused_with_their_number():
    first, second = np.array([0, 2]), np.array([1, 3])
    with pytest.raises(InputError, match="has 2 parts"):
        merge_touching(first, second, np.ones((4, 2)), np.ones(4))


def test_a_pair_may_be_given_either_way_round():
    means = np.random.default_rng(0).normal(size=(5, 2))
    first, second = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4])
    found = merge_touching(first, second, means, np.ones(5))
    turned = merge_touching(second, first, means, np.ones(5))
    np.testing.assert_array_equal(found[0], turned[0])
    np.testing.assert_array_equal(found[1], turned[1])


def test_costs_are_the_variance_that_each_union_adds():
    means = np.random.default_rng(1).normal(size=(8, 3))
    places = np.arange(7)
    touching = merge_touching(places, places + 1, means, np.ones(8))
    for children, costs in (touching, merge_any(means)):
        inside = [[token] for token in range(8)]
        for (one, other), cost in zip(children.tolist(), costs.tolist(), strict=True):
            union = inside[one] + inside[other]
            added = 0.0
            for tokens, sign in ((union, 1), (inside[one], -1), (inside[other], -1)):
                away = means[tokens] - means[tokens].mean(axis=0)
                added += sign * float((away**2).sum())
            assert cost == pytest.approx(added, rel=1e-9, abs=1e-12)
            inside.append(union)


def test_merging_any_two_gives_costs_that_never_fall():
    costs = merge_any(np.random.default_rng(2).normal(size=(60, 4)).astype(np.float32))[1]
    assert (np.diff(costs) >= 0).all()
