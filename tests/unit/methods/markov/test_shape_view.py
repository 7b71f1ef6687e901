from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask
from fewclicks.clicks import Click
from fewclicks.methods.markov.shape_view import CHANNELS, SIDE, Square, see, square_around

WHOLE = Square(x=SIDE / 2, y=SIDE / 2, side=SIDE)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_a_square_as_large_as_the_picture_shows_the_picture():
    picture = _noise(SIDE, SIDE, 3)
    np.testing.assert_array_equal(WHOLE.read(picture), picture)


def test_a_mirrored_square_exchanges_left_and_right():
    picture = _noise(SIDE, SIDE, 3)
    mirrored = Square(x=SIDE / 2, y=SIDE / 2, side=SIDE, is_mirrored=True)
    np.testing.assert_array_equal(mirrored.read(picture), picture[:, ::-1])


@pytest.mark.parametrize("times", [3, 5])
def test_where_a_square_shrinks_the_picture_each_pixel_is_a_mean(times: int):
    picture = _noise(times * SIDE, times * SIDE, 3).astype(np.float32)
    middle = times * SIDE / 2
    seen = Square(x=middle, y=middle, side=times * SIDE).read(picture)
    means = picture.reshape(SIDE, times, SIDE, times, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(seen, means, atol=0.01)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_place_is_seen_where_the_picture_shows_it(is_mirrored: bool):
    picture = np.zeros((300, 400, 1), dtype=np.float32)
    picture[120, 250] = 1.0
    square = Square(x=240.0, y=130.0, side=100.0, is_mirrored=is_mirrored)
    row, column = np.unravel_index(square.read(picture).argmax(), (SIDE, SIDE))
    x, y = square.seen_at(250.5, 120.5)
    assert abs(column + 0.5 - x) <= 0.5
    assert abs(row + 0.5 - y) <= 0.5


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_what_is_put_back_lies_where_it_was_seen_and_nowhere_else(is_mirrored: bool):
    y, x = np.mgrid[:300, :400].astype(np.float32)
    smooth = 2.0 + x / 400 - y / 300
    square = Square(x=200.0, y=140.0, side=100.0, is_mirrored=is_mirrored)
    back = square.put_back(square.read(smooth[..., None]), height=300, width=400)
    inside = np.s_[95:185, 155:245]
    np.testing.assert_allclose(back[inside], smooth[inside], atol=0.01)
    back[85:196, 145:256] = 0.0
    assert not back.any()


def test_a_square_holds_the_answer_and_the_clicks_with_a_margin():
    answer = np.zeros((400, 600), dtype=bool)
    answer[150:250, 200:300] = True
    square = square_around(answer, [Click(x=329, y=200)], margin=0.25)
    assert square.side == pytest.approx(1.5 * 129.5)
    assert (square.x, square.y) == (pytest.approx((200 + 329.5) / 2), 200.0)


def test_a_square_moves_into_the_picture_and_is_not_too_small():
    clicks = [Click(x=1, y=398)]
    square = square_around(np.zeros((400, 600), dtype=bool), clicks)
    assert square == Square(x=60.0, y=340.0, side=120.0)


def test_a_square_that_does_not_fit_stands_in_the_middle():
    square = square_around(np.ones((400, 600), dtype=bool), [])
    assert (square.x, square.y, square.side) == (300.0, 200.0, pytest.approx(630.0))


def test_the_network_is_shown_the_picture_the_opinion_the_answer_before_and_the_clicks():
    before = enlarge(mask(".#", ".."), SIDE // 2)
    opinion = np.where(before, 2.0, -4.0).astype(np.float32)
    picture = _noise(SIDE, SIDE, 3)
    clicks = [Click(x=100, y=20), Click(x=20, y=100, is_positive=False)]
    seen = see(picture, opinion, before, clicks, WHOLE)
    assert seen.shape == (CHANNELS, SIDE, SIDE)
    np.testing.assert_allclose(seen[:3], np.moveaxis(picture, -1, 0) / 127.5 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(seen[3], opinion / 4)
    np.testing.assert_array_equal(seen[4], np.where(before, 1.0, -1.0))
    assert seen[5, 20, 100] == seen[6, 100, 20] == 1.0
    assert seen[5, 100, 20] == seen[6, 20, 100] == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_array_equal(seen[7], -seen[6])  # the newest click is the negative one
    assert seen[8].all()


def test_what_lies_beyond_the_picture_is_marked():
    square = Square(x=0.0, y=50.0, side=100.0)
    inside = square.covers(height=100, width=100)
    assert not inside[:, : SIDE // 2].any()
    assert inside[:, SIDE // 2 :].all()
