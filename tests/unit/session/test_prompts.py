from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing import mask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.session.prompts import (
    STROKE_MAX_CLICKS,
    PackedMask,
    Point,
    read_stroke,
    stroke_clicks,
)


def test_a_dot_is_one_click():
    assert stroke_clicks([Point(4, 7)]) == [Click(x=4, y=7)]


def test_a_short_stroke_is_one_click_in_its_middle():
    assert stroke_clicks([Point(0, 0), Point(10, 4)]) == [Click(x=5, y=2)]


def test_a_long_stroke_is_sampled_at_equal_steps_of_its_length():
    corner = [Point(0, 0), Point(60, 0), Point(60, 60)]

    assert stroke_clicks(corner, is_positive=False) == [
        Click(x=x, y=y, is_positive=False)
        for x, y in [(0, 0), (24, 0), (48, 0), (60, 12), (60, 36), (60, 60)]
    ]


def test_corners_close_together_weigh_no_more_than_far_ones():
    dense = [Point(x / 10, 0) for x in range(300)] + [Point(120, 0)]

    assert stroke_clicks(dense) == stroke_clicks([Point(0, 0), Point(120, 0)])


def test_a_stroke_that_stands_still_is_one_click():
    assert stroke_clicks([Point(3, 3)] * 50) == [Click(x=3, y=3)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.builds(Point, st.floats(0, 5000, width=32), st.floats(0, 5000, width=32)), min_size=1
    )
)
def test_any_stroke_gives_a_bounded_number_of_clicks_within_its_bounds(corners):
    clicks = stroke_clicks(corners)

    assert 1 <= len(clicks) <= STROKE_MAX_CLICKS
    assert len(set(clicks)) == len(clicks)
    for click in clicks:
        assert int(min(c.x for c in corners)) <= click.x <= max(c.x for c in corners)
        assert int(min(c.y for c in corners)) <= click.y <= max(c.y for c in corners)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "no points"),
        ([(1, 2), (3,)], r"point 2 is \(3,\); needs two numbers"),
        ([7], "point 1 is 7"),
        ([("a", "b")], "needs two numbers"),
        ([(1, float("nan"))], "finite"),
    ],
)
def test_what_is_no_stroke_is_refused(points, message):
    with pytest.raises(InputError, match=message):
        read_stroke(points)


def test_a_packed_mask_comes_back_whole():
    drawn = mask("..#", "###", "#..")

    assert (PackedMask.pack(drawn).unpack() == drawn).all()
    assert PackedMask.pack(drawn) == PackedMask.pack(drawn.copy())


def test_a_damaged_packed_mask_is_refused():
    with pytest.raises(InputError):
        PackedMask(height=3, width=3, counts="~~~").unpack()
    assert PackedMask.pack(np.zeros((2, 2), dtype=bool)).unpack().shape == (2, 2)
