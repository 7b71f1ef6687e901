from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fake_method import BlobMethod
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.markov.m2n2v2 import M2N2V2
from fewclicks.session.clicks_file import read_clicks
from fewclicks.session.session import Session

ON = enlarge(mask("..........", "..####....", "..####....", "....####..", ".........."), 6)
METHOD = M2N2V2(ColourBackbone(ColourConfig(longest_side=20)))


@pytest.fixture
def session() -> Session:
    session = Session(METHOD, paint(ON, noise=40))
    session.click(x=18, y=10)
    return session


def _other_level(session: Session) -> int:
    levels = session.levels
    return levels.automatic + (1 if levels.automatic + 1 < len(levels.thresholds) else -1)


def test_a_level_is_chosen_as_a_step_that_can_be_undone(session: Session):
    automatic = session.mask
    other = _other_level(session)
    offered = session.levels

    answer = session.choose_level(other)

    assert answer.mask.sum() == pytest.approx(offered.areas[other], abs=2)
    assert not np.array_equal(session.mask, automatic)
    assert session.clicks == (Click(x=18, y=10, level=offered.thresholds[other]),)
    assert session.levels.chosen == other
    assert session.levels.automatic == offered.automatic
    chosen = session.mask
    session.undo()
    np.testing.assert_array_equal(session.mask, automatic)
    session.redo()
    np.testing.assert_array_equal(session.mask, chosen)


def test_a_chosen_level_stays_with_its_click(session: Session):
    session.choose_level(_other_level(session))
    level = session.clicks[0].level
    session.click(x=50, y=2, is_positive=False)
    assert session.clicks[0].level == level
    assert session.clicks[1].level is None
    session.choose_level(session.levels.automatic)
    assert session.clicks[0].level == level
    assert session.clicks[1].level is not None


def test_a_level_can_be_chosen_again_and_the_answer_is_that_of_the_last_choice(session: Session):
    session.click(x=40, y=20)
    levels = session.levels
    answers = [session.choose_level(k).probability.copy() for k in range(len(levels.thresholds))]
    for k in reversed(range(len(levels.thresholds))):
        np.testing.assert_array_equal(session.choose_level(k).probability, answers[k])


def test_levels_outlive_saving(session: Session):
    session.choose_level(_other_level(session))
    session.click(x=50, y=2, is_positive=False, level=0.25)
    text = session.to_json()
    again = Session.from_json(text, METHOD, session.image)
    assert again.steps == session.steps
    assert again.clicks == session.clicks
    np.testing.assert_array_equal(again.probability, session.probability)
    assert '"level"' not in json.dumps(json.loads(text)["steps"][0])


def test_levels_are_refused_where_there_are_none(session: Session):
    with pytest.raises(InputError, match=r"Level 9 is not offered; the newest click has levels 0"):
        session.choose_level(9)
    with pytest.raises(InputError, match="no click whose level could be chosen"):
        _ = Session(METHOD, paint(ON)).levels
    session.correct(ON)
    with pytest.raises(InputError, match="answer was corrected"):
        session.choose_level(0)
    session.click(x=40, y=20)
    assert session.levels.thresholds


def test_a_method_without_levels_or_maps_says_so():
    session = Session(BlobMethod(), paint(ON))
    session.click(x=18, y=10)
    with pytest.raises(InputError, match="no levels to choose; take one that has, such as m2n2"):
        session.choose_level(0)
    with pytest.raises(InputError, match="no levels"):
        session.click(x=18, y=10, level=0.5)
    with pytest.raises(InputError, match="no maps to show; choose one that has, such as m2n2"):
        _ = session.maps


def test_maps_are_those_of_the_answer_that_stands(session: Session):
    session.choose_level(_other_level(session))
    session.click(x=50, y=2, is_positive=False)
    first, second = session.maps
    assert first.threshold == session.clicks[0].level
    assert second.click == session.clicks[1]


def test_a_file_of_clicks_may_name_levels(tmp_path: Path):
    path = tmp_path / "clicks.json"
    path.write_text('[{"x": 3, "y": 4, "level": 0.5}, [1, 2]]', encoding="utf-8")
    assert read_clicks(path, picture="a.png") == [Click(x=3, y=4, level=0.5), Click(x=1, y=2)]
    path.write_text('[{"x": 3, "y": 4, "level": 1.5}]', encoding="utf-8")
    with pytest.raises(InputError, match="level"):
        read_clicks(path, picture="a.png")


@pytest.mark.parametrize("level", [0.0, -0.5, 1.1, float("nan")])
def test_a_level_outside_its_range_is_refused(level: float):
    with pytest.raises(InputError, match="needs a number in"):
        Click(x=1, y=2, level=level)


def test_a_click_is_written_with_its_level_if_it_has_one():
    assert repr(Click(x=1, y=2)) == "Click(x=1, y=2, is_positive=True)"
    assert repr(Click(x=1, y=2, level=0.5)) == "Click(x=1, y=2, is_positive=True, level=0.5)"
