"""Results of one method that differ in how was clicked, or in one number."""

from __future__ import annotations

from typing import Any

from fewclicks.evaluation.reports.rows import ReportRow
from fewclicks.evaluation.reports.variations import click_places, degradations
from made_results import made_row

FOUND = {"a": (0.96,), "b": (0.5, 0.96)}


def row(method: str = "graphcut", rule: str = "ritm", **config: Any) -> ReportRow:
    return made_row(FOUND, method=method, rule=rule, config={"backbone": None, **config})


def test_ways_of_clicking_stand_in_one_order_with_words_for_each():
    rows = [row(jitter=10.0), row(rule="random", curve=True, seed=3), row(), row(method="gsc")]
    (found,) = click_places(rows)
    assert found.title == "graphcut on grabcut"
    assert found.names() == ["centre", "random", "centre, jittered by 10 px"]
    assert [each.result.rule for each in found.rows] == ["ritm", "random", "ritm"]


def test_other_settings_or_other_objects_are_no_way_of_clicking():
    assert not click_places([row(settings={"radius": 3}), row(rule="random")])
    other = made_row({"a": (0.96,)}, rule="random", config={"backbone": None})
    assert not click_places([row(), other])
    assert not click_places([row(), row(seed=5)])


def test_three_values_of_one_number_make_a_curve_with_a_line_for_each_method():
    rows = [row(method, jitter=value) for method in ("graphcut", "gsc") for value in (9.0, 0.0, 3)]
    (found,) = degradations(rows)
    assert (found.setting, found.dataset) == ("jitter", "grabcut, rule ritm")
    assert {name: [value for value, _ in line] for name, line in found.lines.items()} == {
        "graphcut": [0, 3, 9],
        "gsc": [0, 3, 9],
    }


def test_a_setting_within_settings_is_found_by_its_full_name():
    rows = [row(settings={"radius": value, "bins": 8}) for value in (1, 2, 5)]
    (found,) = degradations(rows)
    assert found.setting == "settings.radius"


def test_two_values_or_two_things_that_differ_make_no_curve():
    assert not degradations([row(settings={"radius": value}) for value in (1, 2)])
    both = [row(settings={"radius": value, "bins": value}) for value in (1, 2, 3)]
    assert not degradations(both)
    truths = [row(settings={"flip": value}) for value in (False, True, 2)]
    assert not degradations(truths)
