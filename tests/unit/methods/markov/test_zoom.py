from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.markov.zoom import choose_part

WHOLE = Box(0, 0, 200, 100)


def _drawn(x0: int, y0: int, x1: int, y1: int) -> BoolMask:
    """An object in a picture of 100 rows and 200 columns."""
    mask = np.zeros((100, 200), dtype=bool)
    mask[y0:y1, x0:x1] = True
    return mask


SMALL = _drawn(50, 40, 70, 50)
ON = [Click(x=60, y=45)]


def test_the_part_is_the_object_with_a_margin():
    # 0.4 of the mean of a side and the longer side: 8 to the sides, 6 up and down.
    assert choose_part(SMALL, ON, margin=0.4, kept=None) == Box(42, 34, 78, 56)


def test_a_larger_margin_looks_at_more():
    near = choose_part(SMALL, ON, margin=0.2, kept=None)
    far = choose_part(SMALL, ON, margin=0.8, kept=None)
    assert far.x0 < near.x0
    assert far.x1 > near.x1
    assert far.y0 < near.y0
    assert far.y1 > near.y1


@pytest.mark.parametrize("kept", [None, Box(42, 34, 78, 56)])
def test_without_a_margin_the_whole_picture_is_looked_at(kept: Box | None):
    assert choose_part(SMALL, ON, margin=0.0, kept=kept) == WHOLE


def test_an_object_that_is_nowhere_is_looked_for_everywhere():
    assert choose_part(np.zeros((100, 200), dtype=bool), ON, margin=0.4, kept=None) == WHOLE


def test_a_large_object_is_no_closer_look():
    assert choose_part(_drawn(40, 20, 160, 80), ON, margin=0.4, kept=None) == WHOLE


def test_the_part_ends_with_the_picture():
    part = choose_part(_drawn(0, 0, 20, 10), [Click(x=2, y=2)], margin=0.4, kept=None)
    assert part == Box(0, 0, 28, 16)


def test_positive_clicks_off_the_answer_are_looked_at_too_but_negative_ones_are_not():
    missed = Click(x=90, y=45)
    part = choose_part(SMALL, [*ON, missed], margin=0.4, kept=None)
    assert part.holds(90, 45)
    background = Click(x=90, y=45, is_positive=False)
    assert choose_part(SMALL, [*ON, background], margin=0.4, kept=None) == choose_part(
        SMALL, ON, margin=0.4, kept=None
    )


def test_a_part_is_kept_while_it_still_fits():
    kept = Box(42, 34, 78, 56)
    grown = _drawn(48, 39, 72, 51)
    assert choose_part(grown, ON, margin=0.4, kept=kept) == kept
    assert choose_part(grown, ON, margin=0.4, kept=None) != kept


@pytest.mark.parametrize(
    "object_now",
    [
        pytest.param(_drawn(50, 40, 78, 50), id="the object reaches its side"),
        pytest.param(_drawn(30, 40, 70, 50), id="the object has left it"),
        pytest.param(_drawn(58, 44, 62, 46), id="the object is much smaller"),
    ],
)
def test_a_part_that_no_longer_fits_is_chosen_anew(object_now: BoolMask):
    kept = Box(42, 34, 78, 56)
    found = choose_part(object_now, ON, margin=0.4, kept=kept)
    assert found == choose_part(object_now, ON, margin=0.4, kept=None) != kept


def test_the_whole_picture_is_not_kept_once_the_object_is_small():
    assert choose_part(SMALL, ON, margin=0.4, kept=WHOLE) == Box(42, 34, 78, 56)


@settings(deadline=None, max_examples=60)
@given(
    corner=st.tuples(st.integers(0, 199), st.integers(0, 99)),
    extent=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    where=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 99)), max_size=3),
    margin=st.sampled_from([0.1, 0.4, 0.8]),
)
def test_a_part_holds_the_object_and_its_clicks_and_choosing_again_keeps_it(
    corner: tuple[int, int],
    extent: tuple[int, int],
    where: list[tuple[int, int]],
    margin: float,
):
    (x, y), (width, height) = corner, extent
    answer = _drawn(x, y, x + width, y + height)
    clicks = [Click(x=x, y=y) for x, y in where]
    part = choose_part(answer, clicks, margin=margin, kept=None)
    assert part == part.clamped(height=100, width=200)
    assert part.crop(answer).sum() == answer.sum()
    assert all(part.holds(click.x, click.y) for click in clicks)
    assert part == WHOLE or part.width * part.height <= 10_000
    assert choose_part(answer, clicks, margin=margin, kept=part) == part
