"""NoC, NoF and mIoU@k on curves that can be counted by hand."""

from __future__ import annotations

import pytest

from fewclicks.errors import InputError
from fewclicks.evaluation.scores import first_success, number_of_clicks, score


def curve_reaching_90_at(click: int) -> list[float]:
    return [0.5] * (click - 1) + [0.9]


def test_reaching_a_target_exactly_is_enough():
    assert number_of_clicks([0.1, 0.85], 85) == 2
    assert number_of_clicks([0.1, 0.8499999], 85) == 20


def test_the_first_success_counts_even_if_it_is_lost_again():
    assert number_of_clicks([0.95, 0.2, 0.96], 90) == 1


def test_an_object_that_never_gets_there_costs_all_clicks():
    assert first_success([0.5] * 20, 90) is None
    assert number_of_clicks([0.5] * 20, 90) == 20
    assert number_of_clicks([], 80, max_clicks=7) == 7


def test_success_on_the_last_click_is_a_failure_of_the_literature_only():
    scores = score(
        [curve_reaching_90_at(20), [0.5] * 20, curve_reaching_90_at(19)], ["a", "b", "c"]
    )
    assert scores.noc["90"] == pytest.approx((20 + 20 + 19) / 3)
    assert scores.nof["90"] == 1
    assert scores.nof_at_20["90"] == 2


def test_fewer_clicks_than_twenty_move_the_literatures_failure_too():
    scores = score([curve_reaching_90_at(5), [0.5] * 5], ["a", "b"], max_clicks=5)
    assert (scores.nof["90"], scores.nof_at_20["90"]) == (1, 2)
    assert scores.noc["90"] == 5
    assert list(scores.miou) == ["1", "2", "3", "4", "5"]


def test_a_picture_fails_once_however_many_of_its_objects_do():
    failed, done = [0.1] * 20, [0.99]
    scores = score([failed, failed, done, failed, done], ["a", "a", "a", "b", "c"])
    assert scores.nof["90"] == 3
    assert scores.nofi["90"] == 2


def test_an_object_that_ended_early_keeps_its_last_iou():
    scores = score([[0.2, 0.96], [0.4, 0.5, 0.6]], ["a", "b"], max_clicks=4)
    assert list(scores.miou.values()) == pytest.approx([0.3, 0.73, 0.78, 0.78])


def test_an_object_without_any_click_counts_as_nothing():
    scores = score([[], [1.0]], ["a", "b"], max_clicks=2)
    assert scores.miou == {"1": 0.5, "2": 0.5}
    assert scores.nof["80"] == 1


def test_every_target_of_the_protocol_is_reported():
    scores = score([[0.8, 0.85, 0.9, 0.95]], ["a"])
    assert scores.noc == {"80": 1, "85": 2, "90": 3, "95": 4}


def test_no_object_cannot_be_scored():
    with pytest.raises(InputError, match="no object to score"):
        score([], [])
