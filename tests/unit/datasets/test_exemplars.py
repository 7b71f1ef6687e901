"""Simulated clicks on an exemplar, against plain distances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from drawing import enlarge, mask
from fewclicks.clicks import Click
from fewclicks.datasets.exemplars import simulate_clicks

LARGE = enlarge(mask("..........", "..####....", "..####....", "..####....", ".........."), 40)
OTHER = enlarge(mask("..........", "........#.", "........#.", "..........", ".........."), 40)


def signs(clicks: tuple[Click, ...]) -> tuple[list[Click], list[Click]]:
    positive = [click for click in clicks if click.is_positive]
    return positive, [click for click in clicks if not click.is_positive]


@pytest.fixture(scope="module")
def many() -> list[tuple[Click, ...]]:
    return [simulate_clicks(LARGE, others=OTHER, name=str(k), seed=3) for k in range(60)]


def test_positive_clicks_lie_well_inside_and_apart(many):
    inside = distance_transform_edt(np.pad(LARGE, 1))[1:-1, 1:-1]
    for clicks in many:
        positive, _ = signs(clicks)
        assert positive
        assert all(inside[click.y, click.x] >= 20 for click in positive)
        for k, one in enumerate(positive):
            for other in positive[:k]:
                assert (one.x - other.x) ** 2 + (one.y - other.y) ** 2 >= 40**2


def test_negative_clicks_lie_around_the_object_or_on_others(many):
    outside = distance_transform_edt(~LARGE)
    places = set()
    for clicks in many:
        for click in signs(clicks)[1]:
            assert not LARGE[click.y, click.x]
            assert outside[click.y, click.x] >= 20
            assert outside[click.y, click.x] <= 40 or OTHER[click.y, click.x]
            places.add(bool(OTHER[click.y, click.x]))
    assert places == {True, False}


def test_there_are_one_to_twenty_clicks(many):
    counts = {len(clicks) for clicks in many}
    assert min(counts) >= 1
    assert max(counts) <= 20
    assert len(counts) > 5


def test_the_same_name_and_seed_give_the_same_clicks():
    again = simulate_clicks(LARGE, others=OTHER, name="7", seed=3)
    assert again == simulate_clicks(LARGE, others=OTHER, name="7", seed=3)
    assert again != simulate_clicks(LARGE, others=OTHER, name="7", seed=4)


def test_small_objects_have_room_for_a_click():
    for rows in (("#",), ("...", ".#.", "..."), ("##.", "##.")):
        clicks = simulate_clicks(mask(*rows))
        positive, negative = signs(clicks)
        assert positive
        assert all(mask(*rows)[click.y, click.x] for click in positive)
        assert not any(mask(*rows)[click.y, click.x] for click in negative)
