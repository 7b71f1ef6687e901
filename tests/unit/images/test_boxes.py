from __future__ import annotations

import numpy as np
import pytest

from drawing import mask
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box


def test_ends_are_not_part_of_a_box():
    box = Box(2, 1, 5, 3)
    assert (box.width, box.height) == (3, 2)
    assert box.crop(np.arange(24).reshape(4, 6)).tolist() == [[8, 9, 10], [14, 15, 16]]


@pytest.mark.parametrize("sides", [(3, 0, 3, 2), (0, 2, 4, 2), (5, 0, 1, 2)])
def test_an_empty_box_is_refused(sides):
    with pytest.raises(InputError, match="is empty; needs x0 below x1 and y0 below y1"):
        Box(*sides)


@pytest.mark.parametrize("side", [1.5, True])
def test_parts_of_pixels_are_refused(side):
    with pytest.raises(InputError, match="needs a whole number of pixels"):
        Box(0, 0, side, 4)


def test_numpy_numbers_become_plain_ones():
    assert type(Box(*np.array([0, 1, 2, 3])).x1) is int


def test_a_box_stands_tight_around_a_mask():
    assert Box.around(mask("......", "..##..", "...#..", "......")) == Box(2, 1, 4, 3)


def test_a_margin_ends_at_the_picture():
    assert Box.around(mask("......", "..##..", "...#..", "......"), margin=2) == Box(0, 0, 6, 4)


def test_there_is_no_box_around_nothing():
    with pytest.raises(InputError, match="mask is empty"):
        Box.around(mask("...."))


def test_a_negative_margin_is_refused():
    with pytest.raises(InputError, match="margin is -1"):
        Box.around(mask("#"), margin=-1)


def test_a_box_is_clamped_to_its_picture():
    assert Box(-3, 2, 50, 60).clamped(height=20, width=30) == Box(0, 2, 30, 20)


@pytest.mark.parametrize("box", [Box(30, 0, 31, 1), Box(-5, 0, 0, 9), Box(0, 20, 1, 30)])
def test_a_box_outside_its_picture_is_refused(box):
    with pytest.raises(InputError, match=r"is outside the image \(width 30, height 20\)"):
        box.clamped(height=20, width=30)


def test_cropping_beyond_the_picture_is_refused():
    with pytest.raises(InputError, match=r"Box 0,0,9,2 reaches outside .* clamped\(\)"):
        Box(0, 0, 9, 2).crop(np.zeros((2, 8)))


def test_what_was_cropped_is_pasted_back_into_a_copy():
    picture, box = np.arange(36).reshape(3, 4, 3), Box(1, 0, 3, 2)
    pasted = box.paste(box.crop(picture) * 10, picture)
    assert np.array_equal(box.crop(pasted), box.crop(picture) * 10)
    pasted[box.y0 : box.y1, box.x0 : box.x1] = box.crop(picture)
    assert np.array_equal(pasted, picture)


def test_a_patch_of_another_size_is_refused():
    with pytest.raises(ShapeError, match=r"patch has shape \(1, 2\).*Box 0,0,2,2, \(2, 2\)"):
        Box(0, 0, 2, 2).paste(np.zeros((1, 2)), np.zeros((4, 4)))
