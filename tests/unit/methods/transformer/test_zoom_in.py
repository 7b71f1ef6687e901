from __future__ import annotations

import numpy as np
import pytest

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.methods.transformer.zoom_in import ZoomIn, overlap

WHOLE = Box(0, 0, 600, 400)


def answer(box: Box | None) -> BoolMask:
    found = np.zeros((400, 600), dtype=bool)
    if box is not None:
        found[box.y0 : box.y1, box.x0 : box.x1] = True
    return found


def test_without_an_answer_the_whole_picture_is_looked_at():
    assert ZoomIn().choose(answer(None), [Click(x=3, y=4)], kept=None) == WHOLE


def test_a_region_is_longer_than_the_object_by_the_expansion():
    found = Box(101, 51, 401, 301)  # 300 x 250 about the middle (250.5, 175.5)

    part = ZoomIn().choose(answer(found), [], kept=None)

    # 1.4 times 300 is 420, 1.4 times 250 is 350; ends are counted as the field counts them.
    assert part == Box(40, 0, 461, 351)


def test_a_small_object_gets_a_region_of_the_least_side():
    part = ZoomIn(least_side=100).choose(answer(Box(200, 150, 203, 152)), [], kept=None)

    assert (part.width, part.height) == (101, 101)
    assert part.holds(200, 150)


def test_positive_clicks_stretch_the_region_and_negative_ones_do_not():
    found = answer(Box(200, 150, 210, 160))
    near = ZoomIn(expansion=1, least_side=0)
    away = Click(x=300, y=155)

    assert near.choose(found, [], kept=None).x1 < 220
    assert near.choose(found, [away], kept=None).holds(300, 155)
    negative = Click(x=300, y=155, is_positive=False)
    assert near.choose(found, [negative], kept=None) == near.choose(found, [], kept=None)


def test_a_region_is_kept_while_it_fits_and_left_when_it_does_not():
    found = answer(Box(200, 100, 400, 300))
    new = ZoomIn().choose(found, [], kept=None)
    nearly = Box(new.x0 + 20, new.y0 + 10, new.x1, new.y1)

    assert ZoomIn().choose(found, [], kept=nearly) == nearly
    assert ZoomIn(keep=0.99).choose(found, [], kept=nearly) == new
    assert ZoomIn().choose(found, [], kept=WHOLE) == new  # less than half of it


def test_a_positive_click_outside_leaves_the_region():
    found = answer(Box(200, 100, 400, 300))
    kept = Box(180, 80, 420, 320)
    outside = Click(x=450, y=200)

    moved = ZoomIn().choose(found, [outside], kept=kept)

    assert ZoomIn().choose(found, [], kept=kept) == kept
    assert moved != kept
    assert moved.holds(450, 200)
    negative = Click(x=450, y=200, is_positive=False)
    assert ZoomIn().choose(found, [negative], kept=kept) == kept


def test_the_overlap_of_nested_boxes_is_their_intersection_over_union():
    inner, outer = Box(10, 10, 30, 40), Box(0, 0, 50, 60)

    assert overlap(inner, outer) == pytest.approx(20 * 30 / (50 * 60))
    assert overlap(inner, inner) == 1
    assert overlap(inner, Box(30, 10, 40, 40)) == 0
    # Crossed boxes: 10 of 30 columns and 10 of 30 rows are common.
    assert overlap(Box(0, 0, 20, 20), Box(10, 10, 30, 30)) == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("setting", "value"), [("expansion", 0.9), ("least_side", -1), ("keep", 1.5)]
)
def test_settings_out_of_range_are_refused(setting: str, value: float):
    with pytest.raises(InputError, match=f"{setting} is {value}"):
        ZoomIn(**{setting: value})
