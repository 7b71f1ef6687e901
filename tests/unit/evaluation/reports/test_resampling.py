"""Bootstrap intervals, against a plain loop and against SciPy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import bootstrap

from fewclicks.evaluation.reports.resampling import Interval, bootstrap_band, bootstrap_interval

VALUES = np.array([1.0, 2, 2, 3, 5, 8, 13, 20, 20, 4, 6, 1, 1, 2, 9, 7])
PICTURES = ["a", "a", "a", "b", "c", "c", "d", "e", "e", "e", "e", "f", "g", "h", "h", "i"]


def plain_interval(values: list[float], pictures: list[str], draws: int) -> tuple[float, float]:
    """Draw pictures one by one, take all their objects, average, sort, cut off both ends."""
    chance = random.Random(7)
    names = sorted(set(pictures))
    means = []
    for _ in range(draws):
        drawn: list[float] = []
        for _ in names:
            name = chance.choice(names)
            drawn += [value for value, own in zip(values, pictures, strict=True) if own == name]
        means.append(sum(drawn) / len(drawn))
    means.sort()
    return means[round(0.025 * draws)], means[round(0.975 * draws)]


def test_an_interval_is_that_of_a_plain_loop():
    found = bootstrap_interval(VALUES, PICTURES)
    low, high = plain_interval(VALUES.tolist(), PICTURES, 20_000)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.12)


def test_with_one_object_a_picture_it_is_that_of_scipy():
    own = [str(number) for number in range(VALUES.size)]
    found = bootstrap_interval(VALUES, own)
    theirs = bootstrap(
        (VALUES,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.12)


def test_objects_of_one_picture_move_together_and_widen_the_interval():
    values = np.repeat([0.0, 10.0, 0.0, 10.0], 25)
    together = bootstrap_interval(values, [str(number // 25) for number in range(100)])
    apart = bootstrap_interval(values, [str(number) for number in range(100)])
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_a_band_is_an_interval_for_each_column():
    columns = np.stack([VALUES, -VALUES], axis=1)
    band = bootstrap_band(columns, PICTURES)
    found = bootstrap_interval(VALUES, PICTURES)
    assert band[:, 0].tolist() == [found.low, found.high]
    assert band[:, 1].tolist() == [-found.high, -found.low]


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    values = np.sqrt(VALUES)
    first, second, other = (bootstrap_interval(values, PICTURES, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_many_pictures_are_drawn_in_several_goes(monkeypatch: pytest.MonkeyPatch):
    at_once = bootstrap_interval(VALUES, PICTURES)
    monkeypatch.setattr("fewclicks.evaluation.reports.resampling._AT_ONCE", 100)
    assert bootstrap_interval(VALUES, PICTURES) == at_once


def test_values_that_are_all_alike_leave_no_doubt():
    found = bootstrap_interval(np.full(4, 3.0), ["a", "b", "c", "d"])
    assert found == Interval(3.0, 3.0)
    assert found.holds(3.0)
    assert not found.holds(2.9)
