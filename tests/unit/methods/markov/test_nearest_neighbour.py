from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.methods.markov.nearest_neighbour import (
    NearestNeighbour,
    truncated_nearest_neighbour,
)

Map = NDArray[np.float32]


def _slow(distances: Sequence[Map], thresholds: Sequence[float], clicks: Sequence[Click]):
    """Equations 1 and 2, as they stand."""
    scaled = np.stack([each / np.float32(t) for each, t in zip(distances, thresholds, strict=True)])
    nearest = scaled.argmin(axis=0)
    classes = np.array([click.is_positive for click in clicks])
    return np.asarray(classes[nearest] & (scaled.min(axis=0) <= 1.0))


def _maps(seed: int, count: int, *, coarse: bool) -> list[Map]:
    """With few values, ties and distances of exactly 0 and 1 occur; with many, roundings do."""
    chance = np.random.default_rng(seed)
    if coarse:
        return [chance.integers(0, 5, (6, 7)).astype(np.float32) / 4 for _ in range(count)]
    return [chance.random((6, 7), dtype=np.float32) for _ in range(count)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    coarse=st.booleans(),
    classes=st.lists(st.booleans(), min_size=1, max_size=4),
    data=st.data(),
)
def test_the_mask_is_the_truncated_nearest_neighbour_exactly(
    seed: int, coarse: bool, classes: list[bool], data: st.DataObject
):
    distances = _maps(seed, len(classes), coarse=coarse)
    thresholds = [data.draw(st.sampled_from([0.25, 0.5, 1.0])) for _ in classes]
    clicks = [Click(x=0, y=0, is_positive=is_positive) for is_positive in classes]
    nearest = truncated_nearest_neighbour(distances, thresholds, clicks)
    expected = _slow(distances, thresholds, clicks)
    np.testing.assert_array_equal(nearest.mask, expected)
    probability = nearest.probability
    np.testing.assert_array_equal(probability > 0.5, expected)
    assert ((probability >= 0.0) & (probability <= 1.0)).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    coarse=st.booleans(),
    classes=st.lists(st.booleans(), min_size=1, max_size=4),
    data=st.data(),
)
def test_areas_for_all_thresholds_are_those_of_masks_made_one_by_one(
    seed: int, coarse: bool, classes: list[bool], data: st.DataObject
):
    distances = _maps(seed, len(classes), coarse=coarse)
    earlier = [data.draw(st.sampled_from([0.25, 0.4, 1.0])) for _ in classes[:-1]]
    clicks = [Click(x=0, y=0, is_positive=is_positive) for is_positive in classes]
    thresholds = np.unique(distances[-1])
    excluded: BoolMask = np.random.default_rng(seed).random((6, 7)) < data.draw(
        st.sampled_from([0.0, 0.5])
    )
    nearest = NearestNeighbour((6, 7))
    for each, threshold, is_positive in zip(distances, earlier, classes, strict=False):
        nearest.take(each, threshold, is_positive=is_positive)

    found = nearest.areas_with(
        distances[-1], thresholds, is_positive=classes[-1], excluded=excluded
    )

    expected = [
        (_slow(distances, [*earlier, max(float(t), 1e-7)], clicks) & ~excluded).sum()
        for t in thresholds
    ]
    assert found.tolist() == expected


def test_the_probability_falls_with_the_distance_of_the_click():
    distances = np.array([[0.0, 0.1, 0.4, 0.5, 0.6, 1.0]], dtype=np.float32)
    nearest = truncated_nearest_neighbour([distances], [0.5], [Click(x=0, y=0)])
    probability = nearest.probability[0]
    assert probability[0] == 1.0
    assert (np.diff(probability) < 0.0).all()
    assert (probability > 0.5).tolist() == [True, True, True, True, False, False]


def test_a_pixel_as_near_to_two_clicks_stays_with_the_earlier_one():
    distances = np.array([[0.5]], dtype=np.float32)
    for first in (True, False):
        clicks = [Click(x=0, y=0, is_positive=first), Click(x=0, y=0, is_positive=not first)]
        nearest = truncated_nearest_neighbour([distances] * 2, [1.0, 1.0], clicks)
        assert nearest.mask[0, 0] == first
