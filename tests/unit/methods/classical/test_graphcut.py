"""Graph cut: colours, contrast and connection."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.masks import iou
from fewclicks.methods.classical.graphcut import GraphCut, GraphCutConfig, graded

TWO_BLOBS = enlarge(
    mask(
        "................",
        ".####......####.",
        ".####......####.",
        ".####......####.",
        "................",
    ),
    8,
)


def test_like_colours_are_on_the_object_wherever_they_are():
    method = GraphCut()

    answer = method.predict(method.prepare(paint(TWO_BLOBS)), [Click(x=24, y=20)])

    assert iou(answer.mask, TWO_BLOBS) > 0.98


def test_a_negative_click_takes_a_part_off():
    method = GraphCut()
    bridge = enlarge(mask("....", "####", "...."), 30)
    picture = paint(bridge)
    picture[:, 58:62] = 0  # an edge across the bridge, though not a gap in the likeness

    on = method.predict(
        method.prepare(picture), [Click(x=20, y=45), Click(x=100, y=45, is_positive=False)]
    )

    assert on.mask[45, 20]
    assert not on.mask[45, 70:].any()


def test_no_clicks_before_count_a_previous_answer_has_no_say():
    method = GraphCut()
    prepared = method.prepare(paint(TWO_BLOBS))
    first = method.predict(prepared, [Click(x=104, y=20)])

    with_it = method.predict(prepared, [Click(x=24, y=20)], first)
    without = method.predict(prepared, [Click(x=24, y=20)])

    assert np.array_equal(with_it.probability, without.probability)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"bins": 0}, "bins is 0; needs a number from 1 to 40"),
        ({"bins": 41}, "bins is 41"),
        ({"strength": -1.0}, "strength is -1.0; needs a number from 0 on"),
        ({"smoothing": float("nan")}, "smoothing is nan"),
        ({"radius": -1}, "radius is -1"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        GraphCutConfig(**setting)


def test_grades_never_move_a_pixel_over_the_threshold():
    unary = np.array([[-200.0, -1e-9, 0.0, 1e-9, 200.0]] * 2, dtype=np.float32)
    on = mask("#####", ".....")

    grades = graded(on, unary)

    assert grades.dtype == np.float32
    assert np.array_equal(grades > 0.5, on)
    assert (np.diff(grades, axis=1) >= 0).all()
