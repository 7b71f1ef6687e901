from __future__ import annotations

import numpy as np
import pytest

from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.overlay import (
    FINISHED_COLOURS,
    NEGATIVE_COLOUR,
    OBJECT_COLOUR,
    POSITIVE_COLOUR,
    contact_sheet,
    draw_overlay,
)


@pytest.fixture
def grey():
    return np.full((120, 160, 3), 100, dtype=np.uint8)


@pytest.fixture
def square():
    drawn = np.zeros((120, 160), dtype=bool)
    drawn[30:90, 40:110] = True
    return drawn


def has_colour(picture, colour, *, within=12):
    return bool((np.abs(picture.astype(int) - colour).max(axis=-1) <= within).any())


def test_the_inside_is_tinted_and_the_outside_left_alone(grey, square):
    drawn = draw_overlay(grey, square, opacity=0.5)
    expected = np.rint((100 + np.array(OBJECT_COLOUR)) / 2)
    assert np.abs(drawn[60, 75] - expected).max() <= 1
    assert np.array_equal(drawn[:20], grey[:20])


def test_the_rim_shows_the_full_colour_on_both_of_its_pixels(grey, square):
    drawn = draw_overlay(grey, square, opacity=0)
    assert has_colour(drawn[28:32, 75], OBJECT_COLOUR)
    assert np.array_equal(drawn[60, 75], grey[60, 75])


def test_the_rim_fades_so_that_it_has_no_stairs(grey):
    y, x = np.mgrid[:120, :160]
    drawn = draw_overlay(grey, x > 0.7 * y + 20, opacity=0)
    assert len(np.unique(drawn[30:90].reshape(-1, 3), axis=0)) > 8


def test_the_border_of_the_picture_is_no_rim(grey):
    everything = np.full(grey.shape[:2], True)
    assert np.array_equal(draw_overlay(grey, everything, opacity=0), grey)


def test_without_tint_and_rim_nothing_changes(grey, square):
    assert np.array_equal(draw_overlay(grey, square, opacity=0, contour=False), grey)
    assert np.array_equal(draw_overlay(grey, square & False), grey)
    assert np.array_equal(draw_overlay(grey), grey)


def test_the_picture_given_is_not_drawn_upon(grey, square):
    before = grey.copy()
    draw_overlay(grey, square, [Click(5, 5)], finished=[(square, "one")])
    assert np.array_equal(grey, before)


@pytest.mark.parametrize(
    ("is_positive", "colour"), [(True, POSITIVE_COLOUR), (False, NEGATIVE_COLOUR)]
)
def test_clicks_are_marks_in_their_colour_with_a_white_ring(grey, is_positive, colour):
    drawn = draw_overlay(grey, clicks=[Click(80, 60, is_positive)])
    around = drawn[45:76, 65:96]
    assert has_colour(around, colour)
    assert has_colour(around, (255, 255, 255))
    changed = np.argwhere((drawn != grey).any(axis=2))
    assert np.abs(changed.mean(axis=0) - [60, 80]).max() < 0.6


def test_marks_carry_their_number(grey):
    one = draw_overlay(grey, clicks=[Click(80, 60)])
    two = draw_overlay(grey, clicks=[Click(10, 10), Click(80, 60)])
    assert not np.array_equal(one[45:76, 65:96], two[45:76, 65:96])


def test_a_mark_grows_with_its_picture():
    def extent(side):
        blank = np.zeros((side, side, 3), dtype=np.uint8)
        return int((draw_overlay(blank, clicks=[Click(side // 2, side // 2)]).any(axis=2)).sum())

    assert extent(2000) > 8 * extent(500)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (17, 23)])
def test_pictures_of_any_shape_can_be_drawn_upon(shape):
    blank = np.zeros((*shape, 3), dtype=np.uint8)
    everything = np.full(shape, True)
    clicks = [Click(0, 0), Click(shape[1] - 1, shape[0] - 1, is_positive=False)] * 60
    drawn = draw_overlay(blank, everything, clicks, finished=[(everything, "a long label")])
    assert drawn.shape == blank.shape
    assert drawn.dtype == np.uint8


def test_finished_objects_have_colours_of_their_own(grey):
    finished = []
    for index in range(len(FINISHED_COLOURS) + 1):
        part = np.zeros((120, 160), dtype=bool)
        part[10:110, index * 20 : index * 20 + 20] = True
        finished.append((part, ""))
    drawn = draw_overlay(grey, finished=finished, contour=False, opacity=1)
    seen = [tuple(drawn[60, index * 20 + 10].tolist()) for index in range(len(finished))]
    assert seen[:-1] == list(FINISHED_COLOURS)
    assert seen[-1] == seen[0]
    assert OBJECT_COLOUR not in seen


def test_a_label_stands_on_its_object(grey, square):
    bare = draw_overlay(grey, finished=[(square, "")])
    named = draw_overlay(grey, finished=[(square, "cup")])
    changed = np.argwhere((bare != named).any(axis=2))
    assert len(changed) > 50
    assert square[tuple(changed.T)].all()


def test_a_mask_of_another_size_is_refused(grey, square):
    with pytest.raises(ShapeError, match="needs the shape of the image"):
        draw_overlay(grey, square[1:])
    with pytest.raises(ShapeError, match="needs the shape of the image"):
        draw_overlay(grey, finished=[(square[1:], "x")])


def test_an_opacity_beyond_one_is_refused(grey, square):
    with pytest.raises(InputError, match=r"opacity is 1\.5; needs a number in \[0, 1\]"):
        draw_overlay(grey, square, opacity=1.5)


class TestContactSheet:
    def test_tiles_stand_in_rows_on_white(self, grey):
        sheet = contact_sheet([grey] * 5, ["a", "b", "c", "d", "e"], columns=2, tile_width=100)
        assert sheet.shape[1] == 2 * 100 + 3 * 4
        tiles = (sheet == 100).all(axis=2).sum() / (100 * 75)
        assert tiles == pytest.approx(5, abs=0.05)
        assert sheet[0, 0].tolist() == [255, 255, 255]

    def test_tall_wide_and_tiny_pictures_fit_their_cells(self, grey):
        tall, tiny = np.zeros((300, 20, 3), dtype=np.uint8), np.zeros((2, 3, 3), dtype=np.uint8)
        sheet = contact_sheet([grey, tall, tiny], ["one\nmore", "", "x" * 500], 3, tile_width=90)
        assert sheet.shape[1] == 3 * 90 + 4 * 4
        assert sheet.shape[0] < 200

    def test_captions_are_drawn(self, grey):
        assert not np.array_equal(contact_sheet([grey], ["one"]), contact_sheet([grey], ["two"]))

    @pytest.mark.parametrize(("tiles", "captions", "columns"), [(0, 0, 2), (2, 1, 2), (1, 1, 0)])
    def test_numbers_that_do_not_match_are_refused(self, grey, tiles, captions, columns):
        with pytest.raises(InputError, match="one caption for each tile"):
            contact_sheet([grey] * tiles, ["x"] * captions, columns)
