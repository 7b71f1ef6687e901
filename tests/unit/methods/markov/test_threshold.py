from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.methods.markov.threshold import LEAST_THRESHOLD, Scores, score_thresholds

CROSS = ndimage.generate_binary_structure(2, 1)


def _slow(
    distances: NDArray[np.float32],
    threshold: float,
    same: Sequence[Click],
    other: Sequence[Click],
    scores: Scores,
) -> float:
    """Score one segment by equation 9, drawn as a mask."""
    segment = distances <= threshold
    score = 1.0
    if scores.prior:
        score *= segment.mean() < scores.max_segment_area
    if scores.edge:
        padded = np.pad(distances.astype(np.float64), 1, mode="reflect")
        steepness = np.hypot(ndimage.sobel(padded, axis=0), ndimage.sobel(padded, axis=1))
        border = ndimage.binary_dilation(segment, CROSS) & ~segment
        score *= steepness[1:-1, 1:-1][border].mean() if border.any() else 0.0
    if scores.same_class:
        score *= sum(bool(segment[click.y, click.x]) for click in same) / len(same)
    if scores.other_class:
        score *= not any(segment[click.y, click.x] for click in other)
    return float(score)


@pytest.fixture
def distances() -> NDArray[np.float32]:
    noise = np.random.default_rng(0).random((50, 70)).astype(np.float32)
    hills = cv2.GaussianBlur(noise, (0, 0), 4.0)
    hills = np.abs(hills - hills[20, 30])
    return hills / hills.max()


SAME = [Click(x=30, y=20), Click(x=33, y=24), Click(x=60, y=40)]
OTHER = [Click(x=5, y=45), Click(x=50, y=5)]


@pytest.mark.parametrize("switches", list(itertools.product([True, False], repeat=4))[:-1])
def test_each_candidate_scores_as_the_plain_sum_says(
    distances: NDArray[np.float32], switches: tuple[bool, bool, bool, bool]
):
    prior, edge, same_class, other_class = switches
    scores = Scores(prior=prior, edge=edge, same_class=same_class, other_class=other_class)
    found = score_thresholds(distances, same_class=SAME, other_class=OTHER, scores=scores)
    expected = np.array([_slow(distances, t, SAME, OTHER, scores) for t in found.thresholds])
    np.testing.assert_allclose(found.scores, expected, rtol=1e-4, atol=1e-7)
    areas = [(distances <= threshold).sum() for threshold in found.thresholds]
    np.testing.assert_array_equal(found.areas, areas)
    first = expected.argmax() if expected.max() > 0.0 else 0
    assert expected[found.thresholds == np.float32(found.best)] == pytest.approx(expected[first])


def test_a_step_in_the_map_is_found_and_cut_exactly(disk_mask: BoolMask):
    click = Click(x=32, y=25)
    slope = ndimage.distance_transform_edt(~disk_mask) + np.arange(80) / 80.0
    distances = np.where(disk_mask, 0.2, 0.5 + slope / slope.max() / 2.0).astype(np.float32)
    distances[click.y, click.x] = 0.0
    found = score_thresholds(distances, same_class=[click], other_class=[], scores=Scores())
    np.testing.assert_array_equal(distances <= found.best, disk_mask)


def test_the_whole_picture_is_no_candidate(distances: NDArray[np.float32]):
    scores = Scores(prior=False, edge=False)
    found = score_thresholds(distances, same_class=SAME, other_class=[], scores=scores)
    assert found.areas.max() < distances.size


def test_ties_go_to_the_smallest_segment(distances: NDArray[np.float32]):
    scores = Scores(prior=True, edge=False, same_class=False, other_class=False)
    found = score_thresholds(distances, same_class=SAME, other_class=OTHER, scores=scores)
    assert found.best == max(found.thresholds[0], LEAST_THRESHOLD)


def test_where_every_score_is_zero_the_segment_is_the_click_alone(
    distances: NDArray[np.float32],
):
    here = Click(x=30, y=20)
    found = score_thresholds(distances, same_class=[here], other_class=[here], scores=Scores())
    assert found.scores.max() == 0.0
    assert found.best == LEAST_THRESHOLD
    assert np.argwhere(distances <= found.best).tolist() == [[20, 30]]


def test_without_any_score_the_threshold_is_half(distances: NDArray[np.float32]):
    off = Scores(prior=False, edge=False, same_class=False, other_class=False)
    found = score_thresholds(distances, same_class=SAME, other_class=OTHER, scores=off)
    assert found.best == 0.5


def test_a_flat_map_offers_nothing():
    flat = np.zeros((4, 5), dtype=np.float32)
    found = score_thresholds(flat, same_class=[Click(x=0, y=0)], other_class=[], scores=Scores())
    assert found.thresholds.size == 0
    assert found.best == LEAST_THRESHOLD
