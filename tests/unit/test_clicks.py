from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fewclicks.clicks import Click, check_clicks, negatives, positives
from fewclicks.errors import InputError


def test_a_click_is_positive_unless_it_says_otherwise():
    assert Click(x=3, y=5) == Click(x=3, y=5, is_positive=True)
    assert Click(3, 5, False) != Click(3, 5)


@pytest.mark.parametrize("three", [3, 3.0, np.int64(3), np.float32(3), np.uint8(3)])
def test_any_whole_number_is_a_pixel(three):
    click = Click(x=three, y=three)

    assert type(click.x) is int
    assert type(click.y) is int
    assert click == Click(3, 3)


@pytest.mark.parametrize(
    "wrong", [0.5, float("nan"), float("inf"), True, "3", "dog", None, [1], 10**400]
)
def test_what_is_no_whole_number_is_no_pixel(wrong):
    if wrong == 10**400:
        with pytest.raises(InputError, match="Click has y="):
            Click(x=1, y=wrong)
        return
    with pytest.raises(InputError, match=r"Click has x=.*; needs a whole number of pixels\."):
        Click(x=wrong, y=1)


def test_a_numpy_bool_does_not_turn_a_click_round():
    assert Click(1, 1, np.bool_(True)).is_positive is True
    assert Click(1, 1, np.bool_(False)).is_positive is False
    assert Click(1, 1, np.uint8(0)).is_positive is False  # type: ignore[arg-type]


def test_a_click_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Click(1, 1).x = 2  # type: ignore[misc]


def test_corners_are_inside_and_their_neighbours_are_not():
    inside = [Click(0, 0), Click(639, 0), Click(0, 479), Click(639, 479)]
    check_clicks(inside, height=480, width=640)
    for outside in (Click(640, 12), Click(3, 480), Click(-1, 0), Click(0, -1)):
        with pytest.raises(InputError, match=f"Click at x={outside.x}, y={outside.y} is outside"):
            check_clicks([*inside, outside], height=480, width=640)


def test_the_message_gives_the_size_and_the_directions():
    with pytest.raises(InputError) as caught:
        check_clicks([Click(640, 12)], height=480, width=640)
    assert str(caught.value) == (
        "Click at x=640, y=12 is outside the image (width 640, height 480); "
        "x runs right, y runs down, both from 0."
    )


def test_clicks_are_sorted_by_kind_in_their_order():
    clicks = [Click(1, 1), Click(2, 2, False), Click(3, 3), Click(4, 4, False)]

    assert positives(clicks) == [Click(1, 1), Click(3, 3)]
    assert negatives(clicks) == [Click(2, 2, False), Click(4, 4, False)]
