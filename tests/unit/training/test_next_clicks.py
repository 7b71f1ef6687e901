"""Clicks on errors: the simulated user's own distance, at places that vary."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from drawing import enlarge, mask
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.evaluation.clicker import next_click
from fewclicks.training.next_clicks import NextClicks, sample_next_click

TARGET = enlarge(
    mask(
        "..........",
        ".#####....",
        ".#####....",
        ".#####..##",
        "..........",
    ),
    4,
)
NOTHING = np.zeros(TARGET.shape, dtype=np.float32)


def draws(probability, count=300, *, target=TARGET, void=None, **settings):
    following = NextClicks(**settings)
    return [
        sample_next_click(target, probability, np.random.default_rng(seed), following, void=void)
        for seed in range(count)
    ]


def exact_depth(error):
    return distance_transform_edt(np.pad(error, 1))[1:-1, 1:-1]


def test_clicks_fall_evenly_where_the_larger_error_is_deeper_than_half():
    depth = exact_depth(TARGET)
    inner = depth > depth.max() / 2
    clicks = draws(NOTHING, 4000)
    seen = np.zeros(TARGET.shape)
    for click in clicks:
        assert click.is_positive
        seen[click.y, click.x] += 1
    assert (seen[~inner] == 0).all()
    expected = 4000 / inner.sum()
    chi_squared = ((seen[inner] - expected) ** 2 / expected).sum()
    assert chi_squared < inner.sum() + 5 * np.sqrt(2 * inner.sum())


def test_the_kind_of_a_click_is_the_one_that_the_simulated_user_would_make():
    chance = np.random.default_rng(0)
    for _ in range(40):
        answer = enlarge(chance.random((5, 10)) < 0.5, 4)
        users = next_click(TARGET, answer)
        ours = sample_next_click(TARGET, answer.astype(np.float32), chance, NextClicks())
        assert users is not None
        assert ours is not None
        assert ours.is_positive == users.is_positive


def test_an_answer_just_under_the_middle_counts_as_object():
    almost = np.where(TARGET, np.float32(0.495), np.float32(0.0))
    assert draws(almost, 1) == [None]
    assert draws(almost, 1, threshold=0.5)[0] is not None


def test_void_is_never_clicked():
    void = np.zeros_like(TARGET)
    void[:, :32] = True
    for click in draws(NOTHING, 30, void=void):
        assert click.x >= 32


def test_icmformer_clicks_the_centre_and_near_the_border_of_the_region_as_often():
    depth = exact_depth(TARGET)
    large = TARGET.copy()
    large[:, 28:] = False
    border = large & (depth <= np.quantile(depth[large], 0.25))
    centre = next_click(TARGET, TARGET & False)
    clicks = draws(NOTHING, 1000, rule="icmformer")
    at_centre = [click == centre for click in clicks]
    assert np.mean(at_centre) == pytest.approx(0.5, abs=0.05)
    rest = [click for click, is_centre in zip(clicks, at_centre, strict=True) if not is_centre]
    assert all(border[click.y, click.x] for click in rest)
    assert len(set(rest)) > 20


def test_impossible_settings_are_refused():
    with pytest.raises(UnknownEntryError, match="Did you mean 'ritm'"):
        NextClicks(rule="ritn")
    with pytest.raises(InputError, match="0 or more"):
        NextClicks(max_rounds=-1)
