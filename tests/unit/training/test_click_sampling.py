"""The first clicks of a training picture: how many there are, and where they fall."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from drawing import enlarge, mask
from fewclicks.clicks import negatives, positives
from fewclicks.errors import InputError
from fewclicks.training.click_sampling import ClickSampling, sample_clicks

TWO = mask(
    "............",
    ".####...###.",
    ".####...###.",
    ".####...###.",
    ".####.......",
    "............",
)
LEFT = enlarge(TWO & (np.arange(12) < 6), 4)
RIGHT = enlarge(TWO & (np.arange(12) >= 6), 4)
ALL_AROUND = np.ones((3, 3), dtype=bool)


def draws(count, parts=(LEFT,), others=None, **settings):
    sampling = ClickSampling(**settings)
    return [
        sample_clicks(list(parts), np.random.default_rng(seed), sampling, others=others)
        for seed in range(count)
    ]


def on(place, clicks):
    return [bool(place[click.y, click.x]) for click in clicks]


def test_clicks_lie_on_their_own_side():
    for clicks in draws(50):
        assert all(on(LEFT, positives(clicks)))
        assert not any(on(LEFT, negatives(clicks)))
        assert positives(clicks)


def test_one_more_click_is_so_many_times_as_likely():
    counts = Counter(len(positives(clicks)) for clicks in draws(3000, max_clicks=4, decay=0.5))
    expected = np.array([8, 4, 2, 1]) / 15
    seen = np.array([counts[n] for n in (1, 2, 3, 4)]) / 3000
    assert np.abs(seen - expected).max() < 0.03


def test_there_may_be_no_negative_click_and_never_more_than_the_most():
    counts = Counter(len(negatives(clicks)) for clicks in draws(3000, max_clicks=2, decay=0.5))
    seen = np.array([counts[n] for n in (0, 1, 2)]) / 3000
    assert np.abs(seen - np.array([4, 2, 1]) / 7).max() < 0.03


def test_positive_clicks_keep_off_the_edge_as_often_as_asked():
    inner = binary_erosion(LEFT, ALL_AROUND, iterations=3)
    always = draws(100, erode_probability=1.0)
    assert all(all(on(inner, positives(clicks))) for clicks in always)
    never = [positives(clicks)[0] for clicks in draws(600, erode_probability=0.0)]
    assert np.mean(on(inner, never)) == pytest.approx(inner.sum() / LEFT.sum(), abs=0.06)


def test_an_object_too_thin_to_erode_is_clicked_where_it_is():
    thin = mask("......", ".####.", "......")
    (clicks,) = draws(1, parts=(thin,), erode_probability=1.0)
    assert all(on(thin, positives(clicks)))


def test_negative_clicks_fall_on_the_ring_others_and_anywhere_in_the_shares_asked():
    steps = int(np.ceil(0.1 * np.sqrt(LEFT.sum())))
    ring = binary_dilation(LEFT, ALL_AROUND, iterations=steps) & ~LEFT
    clicks = [
        click
        for each in draws(1500, others=RIGHT, border_probability=0.5, other_probability=0.4)
        for click in negatives(each)
    ]
    anywhere = 0.1 / (~LEFT).sum()
    assert np.mean(on(ring, clicks)) == pytest.approx(0.5 + anywhere * ring.sum(), abs=0.03)
    assert np.mean(on(RIGHT, clicks)) == pytest.approx(0.4 + anywhere * RIGHT.sum(), abs=0.03)


def test_without_other_objects_their_share_falls_anywhere():
    clicks = [
        c for each in draws(800, border_probability=0, other_probability=1) for c in negatives(each)
    ]
    far = np.zeros_like(LEFT)
    far[:, 24:] = True
    assert np.mean(on(far, clicks)) == pytest.approx(far.sum() / (~LEFT).sum(), abs=0.05)


def test_two_objects_taken_together_are_both_clicked_first():
    for clicks in draws(60, parts=(LEFT, RIGHT), max_clicks=5):
        first, second = clicks[:2]
        assert LEFT[first.y, first.x]
        assert RIGHT[second.y, second.x]
        assert len(positives(clicks)) <= 5


def test_the_same_chance_gives_the_same_clicks():
    assert draws(3) == draws(3)


def test_a_picture_that_is_all_object_gets_no_negative_click():
    for clicks in draws(20, parts=(np.ones((9, 9), dtype=bool),)):
        assert not negatives(clicks)


def test_an_empty_target_is_refused():
    with pytest.raises(InputError, match="empty"):
        draws(1, parts=(np.zeros((4, 4), dtype=bool),))


@pytest.mark.parametrize("bad", [{"max_clicks": 0}, {"decay": 0.0}, {"border_probability": 0.8}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(InputError, match="needs"):
        ClickSampling(**bad)
