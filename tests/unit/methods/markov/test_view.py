from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from drawing import enlarge, mask, paint
from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Features, Grid
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.images.masks import iou
from fewclicks.methods.markov.distances import FAR, TOKEN_WALK
from fewclicks.methods.markov.token_walk import WalkedMaps, walk_over
from fewclicks.methods.markov.view import View, ViewConfig, look_at, part_of

CONFIG = ViewConfig(regions=60, longest_side=64, bins=16, strength=20.0, levels=1)
WHOLE = Box(0, 0, 64, 48)
PART = Box(4, 6, 36, 30)  # the red blob; 32 x 24, enlarged twice


@pytest.fixture(scope="module")
def walked(features: Features) -> WalkedMaps:
    return walk_over(replace(features, temperature=0.5))


@pytest.fixture(scope="module")
def part(picture: RgbImage, features: Features, walked: WalkedMaps) -> View:
    return look_at(picture, features, PART, walked=walked, config=CONFIG)


def _look(
    picture: RgbImage, features: Features, box: Box, *, longest_side: int, regions: int = 20
) -> View:
    config = replace(CONFIG, longest_side=longest_side, regions=regions)
    return look_at(picture, features, box, walked=None, config=config)


def _read(values: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """Read a grid at one place, given as shares of the picture, between the centres of cells."""
    height, width = values.shape[:2]
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    at = [[np.clip(y, rows[0], rows[-1]), np.clip(x, columns[0], columns[-1])]]
    return np.asarray(RegularGridInterpolator((rows, columns), values)(at)[0])


@pytest.mark.parametrize(
    "box", [PART, WHOLE, Box(60, 40, 64, 48), Box(0, 0, 64, 2), Box(9, 9, 10, 10)], ids=str
)
def test_tokens_of_a_part_are_read_between_those_of_the_picture(features: Features, box: Box):
    found = part_of(features, box, height=48, width=64)
    assert max(found.grid.height, found.grid.width) == 64
    assert found.tokens.shape == (found.grid.count, features.tokens.shape[1])
    assert found.tokens.dtype == np.float32
    assert found.temperature == features.temperature
    tokens = features.tokens.astype(np.float64).reshape(12, 16, -1)
    for token in np.random.default_rng(0).integers(0, found.grid.count, 40):
        row, column = divmod(int(token), found.grid.width)
        x = (box.x0 + (column + 0.5) * box.width / found.grid.width) / 64
        y = (box.y0 + (row + 0.5) * box.height / found.grid.height) / 48
        np.testing.assert_allclose(found.tokens[token], _read(tokens, x, y), atol=1e-5)


def test_a_picture_of_one_token_says_the_same_in_all_its_parts():
    one = Features(
        tokens=np.array([[1.0, 2.0]], dtype=np.float32), grid=Grid(1, 1), temperature=0.1
    )
    found = part_of(one, PART, height=48, width=64)
    np.testing.assert_array_equal(found.tokens, np.tile([1.0, 2.0], (found.grid.count, 1)))


def test_a_small_part_is_enlarged_but_not_beyond_the_longest_side(
    picture: RgbImage, features: Features, part: View
):
    assert part.shape == (48, 64)
    assert part.box == PART
    assert _look(picture, features, PART, longest_side=1000).shape == (300, 400)
    assert _look(picture, features, PART, longest_side=16).shape == (12, 16)


def test_the_whole_picture_is_shrunk_to_the_longest_side_but_never_enlarged(
    picture: RgbImage, features: Features
):
    assert _look(picture, features, WHOLE, longest_side=1000).shape == (48, 64)
    assert _look(picture, features, WHOLE, longest_side=32).shape == (24, 32)


def test_places_are_centres_of_regions_as_shares_of_the_whole_picture(part: View):
    labels = part.regions.superpixels.labels
    for region in range(part.regions.count):
        ys, xs = np.nonzero(labels == region)
        x = 4 + (xs + 0.5).mean() * 32 / 64
        y = 6 + (ys + 0.5).mean() * 24 / 48
        np.testing.assert_allclose(part.places[region], (x / 64, y / 48), atol=1e-9)


def test_clicks_off_the_part_are_left_out_and_the_others_keep_order_and_kind(part: View):
    clicks = [
        Click(x=50, y=20),
        Click(x=4, y=6),
        Click(x=36, y=10, is_positive=False),
        Click(x=35, y=29, is_positive=False),
        Click(x=10, y=30),
    ]
    located = part.locate(clicks)
    assert located == [Click(x=0, y=0), Click(x=62, y=46, is_positive=False)]


@pytest.mark.parametrize("longest_side", [13, 32, 45, 100])
def test_a_click_is_located_where_its_pixel_begins(
    picture: RgbImage, features: Features, longest_side: int
):
    view = _look(picture, features, PART, longest_side=longest_side)
    height, width = view.shape
    for x in range(PART.x0, PART.x1):
        (located,) = view.locate([Click(x=x, y=PART.y1 - 1)])
        assert located.x / width <= (x - PART.x0) / 32 < (located.x + 1) / width
        assert located.y / height <= 23 / 24 < (located.y + 1) / height


def test_steps_over_tokens_are_read_at_the_regions_of_the_part(part: View, walked: WalkedMaps):
    seen = part.seen(Click(x=20, y=20))
    assert seen.region == part.regions.superpixels.labels[20, 20]
    steps = walked.log_steps(*part.places[seen.region]).astype(np.float64)
    expected = [_read(steps, x, y) for x, y in part.places]
    assert np.ptp(expected) > 1.0
    np.testing.assert_allclose(seen.distances[:, TOKEN_WALK], expected, atol=1e-5)
    assert part.seen(Click(x=20, y=20, is_positive=False)).distances is seen.distances


def test_without_walks_all_regions_are_far_by_them(picture: RgbImage, features: Features):
    view = _look(picture, features, PART, longest_side=32)
    assert (view.seen(Click(x=3, y=3)).distances[:, TOKEN_WALK] == FAR[TOKEN_WALK]).all()


def test_a_mask_is_cropped_and_brought_to_the_size_worked_at(part: View):
    drawn = np.zeros((48, 64), dtype=bool)
    drawn[10:20, 8:20] = drawn[40:, 50:] = True
    expected = drawn[6:30, 4:36].repeat(2, axis=0).repeat(2, axis=1)
    assert iou(part.shrink(drawn), expected) > 0.9


def test_an_answer_of_the_size_of_the_part_is_put_into_its_place(
    picture: RgbImage, features: Features
):
    view = _look(picture, features, PART, longest_side=32)
    inside = np.random.default_rng(0).random((24, 32)).astype(np.float32)
    found = view.enlarge(inside, picture)
    expected = np.zeros((48, 64), dtype=np.float32)
    expected[6:30, 4:36] = inside
    np.testing.assert_array_equal(found, expected)


def test_an_answer_of_the_whole_picture_is_the_answer(picture: RgbImage, features: Features):
    view = _look(picture, features, WHOLE, longest_side=1000)
    inside = np.random.default_rng(0).random((48, 64)).astype(np.float32)
    np.testing.assert_array_equal(view.enlarge(inside, picture), inside)


@pytest.mark.parametrize("longest_side", [16, 64], ids=["shrunk", "enlarged"])
def test_an_answer_of_another_size_fills_the_part_and_is_0_outside(
    picture: RgbImage, features: Features, longest_side: int
):
    view = _look(picture, features, PART, longest_side=longest_side)
    found = view.enlarge(np.full(view.shape, 0.75, dtype=np.float32), picture)
    assert found.shape == (48, 64)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[6:30, 4:36], 0.75, atol=1e-6)
    found[6:30, 4:36] = 0.0
    assert not found.any()


def test_the_border_of_a_shrunk_answer_follows_the_edges_of_the_picture(features: Features):
    small = mask("........", "..####..", ".######.", ".#####..", "...##...", "........")
    drawn = np.roll(enlarge(small, 16), (3, 5), axis=(0, 1))  # (96, 128), between small pixels
    drawn = np.pad(drawn, ((0, 40), (0, 60)))
    image = paint(drawn)
    view = look_at(image, features, Box(0, 0, 128, 96), walked=None, config=CONFIG)
    assert view.shape == (48, 64)
    coarse = drawn[:96:2, :128:2]
    found = view.enlarge(coarse.astype(np.float32), image) > 0.5
    plain = np.pad(coarse.repeat(2, axis=0).repeat(2, axis=1), ((0, 40), (0, 60)))
    assert iou(found, drawn) > max(iou(plain, drawn), 0.98)
