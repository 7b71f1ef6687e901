"""What a click's place says of the error that it corrects; masks as drawn, distances by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing import enlarge, mask
from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.base import Prediction
from fewclicks.methods.markov.local_refiner import (
    Looked,
    clearance_of,
    corrected_by_one,
    refine_locally,
)

NOTHING = {"bulge": 0.0, "one_way": False}


def _refined(
    answer: BoolMask, before: BoolMask, *clicks: Click, **switches: float | bool
) -> BoolMask:
    kept = answer.copy()
    refined = refine_locally(answer, before, clicks, **{**NOTHING, **switches})
    np.testing.assert_array_equal(answer, kept)  # left as it is
    return refined


def _clearance_by_hand(before: BoolMask, clicks: list[Click]) -> float:
    """Look at every pixel and every click."""
    *earlier, newest = clicks
    has = [(y, x) for y, x in np.ndindex(*before.shape) if before[y, x] == newest.is_positive]
    if not has or before[newest.y, newest.x] == newest.is_positive:
        return 0.0
    has += [(c.y, c.x) for c in earlier if c.is_positive != newest.is_positive]
    return min(float(np.hypot(y - newest.y, x - newest.x)) for y, x in has)


masks = st.lists(st.booleans(), min_size=108, max_size=108).map(
    lambda bits: np.array(bits).reshape(9, 12)
)
click_lists = st.lists(
    st.builds(Click, x=st.integers(0, 11), y=st.integers(0, 8), is_positive=st.booleans()),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(before=masks, clicks=click_lists)
def test_the_clearance_ends_at_the_old_outline_or_at_a_click_of_the_other_class(
    before: BoolMask, clicks: list[Click]
):
    assert clearance_of(before, clicks) == pytest.approx(
        _clearance_by_hand(before, clicks), abs=1e-3
    )


# A click on a bar of three pixels at the object's top turns a whole slab beyond it as well.
OBJECT = enlarge(mask(*["........"] * 5, *["########"] * 2), 3)
SPILLED = enlarge(mask(*["..######"] * 3, "..#.....", *["..#....."], *["########"] * 2), 3)
ON_BAR = Click(x=7, y=12)


def test_a_part_much_thicker_than_the_clearance_is_given_back_and_the_slender_one_stays():
    refined = _refined(SPILLED, OBJECT, ON_BAR, bulge=1.5)
    assert refined[9:15, 6:9].all()  # the bar
    assert not refined[:9, 12:].any()  # the slab
    np.testing.assert_array_equal(refined[15:], OBJECT[15:])


def test_what_hangs_on_a_thick_part_goes_with_it():
    tail = SPILLED.copy()
    tail[10:14, 22] = True
    assert not _refined(tail, OBJECT, ON_BAR, bulge=1.5)[10:14, 22].any()


def test_parts_as_thick_as_a_click_means_them_are_left():
    np.testing.assert_array_equal(_refined(SPILLED, OBJECT, ON_BAR, bulge=3.0), SPILLED)


def test_the_same_holds_for_a_click_off_the_object():
    off = Click(x=ON_BAR.x, y=ON_BAR.y, is_positive=False)
    np.testing.assert_array_equal(
        _refined(~SPILLED, ~OBJECT, off, bulge=1.5), ~_refined(SPILLED, OBJECT, ON_BAR, bulge=1.5)
    )


def test_a_single_click_corrects_an_answer_and_a_stroke_does_not():
    looked = Looked(box=Box(0, 0, 24, 21), clicks=1)
    previous = Prediction(probability=OBJECT.astype(np.float32), state=looked)
    first, second, third = ON_BAR, Click(x=3, y=3), Click(x=5, y=3)
    corrected = corrected_by_one([first, second], previous)
    assert corrected is not None
    np.testing.assert_array_equal(corrected, OBJECT)
    assert corrected_by_one([first, second, third], previous) is None
    assert corrected_by_one([first], previous) is None  # it is answered already
    assert corrected_by_one([first], None) is None


def test_a_mask_from_elsewhere_is_corrected_by_the_first_click():
    drawn = Prediction.from_mask(OBJECT)
    assert corrected_by_one([ON_BAR], drawn) is not None
    assert corrected_by_one([ON_BAR, ON_BAR], drawn) is None


def test_one_way_keeps_what_had_the_class_of_the_click():
    lost = SPILLED.copy()
    lost[17:, :3] = False
    np.testing.assert_array_equal(_refined(lost, OBJECT, ON_BAR), lost)
    np.testing.assert_array_equal(_refined(lost, OBJECT, ON_BAR, one_way=True), SPILLED)
    off = Click(x=ON_BAR.x, y=ON_BAR.y, is_positive=False)
    np.testing.assert_array_equal(_refined(~lost, ~OBJECT, off, one_way=True), ~SPILLED)


def test_a_click_that_corrects_nothing_says_nothing_of_its_place():
    inside = Click(x=12, y=18)
    refined = _refined(SPILLED, OBJECT, inside, bulge=0.1, one_way=True)
    np.testing.assert_array_equal(refined, SPILLED)


@settings(deadline=None)
@given(answer=masks, before=masks, clicks=click_lists)
def test_with_both_switches_off_the_answer_stands(
    answer: BoolMask, before: BoolMask, clicks: list[Click]
):
    np.testing.assert_array_equal(_refined(answer, before, *clicks), answer)


@settings(deadline=None)
@given(
    answer=masks,
    before=masks,
    clicks=click_lists,
    bulge=st.floats(0, 3),
    one_way=st.booleans(),
)
def test_each_pixel_is_as_it_was_or_as_it_was_answered_and_near_the_click_as_it_was_answered(
    answer: BoolMask, before: BoolMask, clicks: list[Click], bulge: float, one_way: bool
):
    newest = clicks[-1]
    refined = _refined(answer, before, *clicks, bulge=bulge, one_way=one_way)
    assert ((refined == answer) | (refined == before)).all()
    turned = (answer == newest.is_positive) & (before != newest.is_positive)
    ys, xs = np.ogrid[:9, :12]
    near = (ys - newest.y) ** 2 + (xs - newest.x) ** 2 <= clearance_of(before, clicks) ** 2
    np.testing.assert_array_equal(refined[near & turned], answer[near & turned])
    if one_way and clearance_of(before, clicks):
        assert (refined == newest.is_positive)[before == newest.is_positive].all()


@settings(deadline=None)
@given(answer=masks, before=masks, clicks=click_lists)
def test_what_turns_is_no_thicker_than_allowed_but_within_the_clearance(
    answer: BoolMask, before: BoolMask, clicks: list[Click]
):
    newest, bulge = clicks[-1], 1.2
    clearance = clearance_of(before, clicks)
    refined = _refined(answer, before, *clicks, bulge=bulge)
    turned = np.pad((refined != before) & (refined == newest.is_positive), 1)
    for y, x in np.argwhere(turned):
        off = np.argwhere(~turned)
        depth = np.hypot(*(off - (y, x)).T).min()
        away = np.hypot(y - 1 - newest.y, x - 1 - newest.x)
        assert clearance == 0 or depth <= bulge * clearance + 1e-3 or away <= clearance
