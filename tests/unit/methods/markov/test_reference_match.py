from __future__ import annotations

import math

import numpy as np
import pytest

from drawing import enlarge, mask
from fewclicks.backbones.base import Features, Grid
from fewclicks.clicks import Click
from fewclicks.methods.markov.reference_match import (
    deepest_pixel,
    match_references,
    see_marks,
    votes_by_likeness,
)

PART = mask("......", ".##...", ".##...", "......")
REST = mask("......", "...##.", "...##.", "......")
PICTURE = np.zeros((4, 6, 3), np.uint8)


def _features(seed: int, height: int = 4, width: int = 6) -> Features:
    grid = Grid(height, width)
    tokens = np.random.default_rng(seed).normal(size=(grid.count, 5)).astype(np.float32)
    return Features(tokens=tokens, grid=grid, temperature=3.0)


def _plain_votes(here: Features, there: Features, on: list[float], off: list[float]) -> list[float]:
    """Equation by equation, token by token."""
    votes = []
    for token in here.tokens.astype(float):
        likely = [math.exp(-sum((token - t) ** 2) / 3.0) for t in there.tokens.astype(float)]
        for_it = sum(k * share for k, share in zip(likely, on, strict=True))
        against = sum(k * share for k, share in zip(likely, off, strict=True))
        votes.append(math.log(for_it + 1e-6) - math.log(against + 1e-6))
    return votes


def test_tokens_vote_as_a_plain_sum_over_the_reference_says():
    here, there = _features(1), _features(2)
    seen = see_marks(there, positive=PART, negative=REST)
    on = PART.ravel().astype(float)
    off = 1 - on + REST.ravel()

    expected = np.clip(_plain_votes(here, there, list(on), list(off)), -6, 6)
    assert np.allclose(votes_by_likeness(here, seen), expected, atol=1e-3)


def test_what_is_not_meant_alone_speaks_for_nothing():
    here, there = _features(1), _features(2)
    seen = see_marks(there, negative=REST)
    off = REST.ravel().astype(float)

    votes = votes_by_likeness(here, seen)

    expected = np.clip(_plain_votes(here, there, list(1 - off), list(off)), -6, 0)
    assert np.allclose(votes, expected, atol=1e-3)
    assert seen.place is None


def test_an_empty_mask_counts_as_none():
    nothing = np.zeros_like(PART)
    with_empty = see_marks(_features(2), positive=nothing, negative=REST)

    assert with_empty.place is None
    assert (with_empty.unmeant == REST.ravel()).all()


def test_a_mask_is_read_at_the_tokens_by_the_area_it_covers():
    coarse = _features(2, 2, 3)
    seen = see_marks(coarse, positive=PART)

    assert seen.meant.tolist() == [0.25, 0.25, 0.0, 0.25, 0.25, 0.0]
    assert np.allclose(seen.meant + seen.unmeant, 1)


def test_parts_are_expected_about_the_first_positive_click_as_on_the_reference():
    on = enlarge(PART, 16)
    seen = see_marks(_features(2), positive=on)
    match = match_references([seen], _features(1), likeness_weight=0.0, place_weight=1.0)
    at = np.array([[0.5, 0.5], [0.58, 0.5], [0.9, 0.5], [0.5, 0.05]])
    click = Click(x=48, y=32)

    told = match.log_odds(at, [Click(x=0, y=0, is_positive=False), click], on.shape)
    alone = match.log_odds(at, [click], on.shape)

    assert (told > 0).tolist() == [True, True, False, False]
    assert np.allclose(alone, 2 * told)
    assert not match.log_odds(at, [], on.shape).any()


def test_place_says_the_same_at_every_size_of_the_picture():
    on = enlarge(PART, 16)
    seen = see_marks(_features(2), positive=on)
    match = match_references([seen], _features(1), likeness_weight=0.0, place_weight=1.0)
    at = np.random.default_rng(0).random((20, 2))

    small = match.log_odds(at, [Click(x=10, y=10)], (40, 60))
    large = match.log_odds(at, [Click(x=105, y=105)], (400, 600))

    # The middles of pixel 10 of 60 and of pixel 105 of 600 are 0.0008 of the width apart.
    assert np.allclose(small, large, atol=0.2)


def test_what_several_references_say_is_averaged():
    here = _features(1)
    seen = [
        see_marks(_features(2), positive=PART),
        see_marks(_features(3), positive=REST),
    ]
    at = np.random.default_rng(0).random((20, 2))
    clicks = [Click(x=2, y=2)]

    def log_odds(*used: int) -> np.ndarray:
        match = match_references(
            [seen[k] for k in used], here, likeness_weight=0.7, place_weight=0.4
        )
        return match.log_odds(at, clicks, PART.shape)

    assert np.allclose(log_odds(0, 1), (log_odds(0) + log_odds(1)) / 2, atol=1e-5)


@pytest.mark.parametrize(
    ("drawn", "middle"),
    [
        (mask("....", ".##.", "...."), (1, 1)),
        (mask("#####", "#####", "#####"), (1, 1)),
        (mask("#......", "..###..", "..###..", "..###.."), (3, 2)),
    ],
)
def test_the_middle_is_the_first_of_the_deepest_pixels(drawn: np.ndarray, middle: tuple[int, int]):
    assert deepest_pixel(drawn)[0] == Click(x=middle[0], y=middle[1])
