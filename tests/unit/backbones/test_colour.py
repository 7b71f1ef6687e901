from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.colour import ColourBackbone, ColourConfig, gaussian_affinity
from fewclicks.errors import InputError


def test_the_grid_keeps_the_aspect_and_is_never_finer_than_the_picture():
    backbone = ColourBackbone()
    sizes = {(480, 854): (36, 64), (854, 480): (64, 36), (30, 50): (30, 50), (1, 1): (1, 1)}
    for (height, width), expected in sizes.items():
        grid = backbone.features(np.zeros((height, width, 3), dtype=np.uint8)).grid
        assert (grid.height, grid.width) == expected


def test_the_first_channels_are_the_mean_lab_of_each_cell(disk_image: RgbImage):
    backbone = ColourBackbone(ColourConfig(longest_side=16))
    features = backbone.features(disk_image)
    expected = rgb2lab(disk_image).reshape(12, 5, 16, 5, 3).mean(axis=(1, 3)) / 100.0
    np.testing.assert_allclose(features.tokens[:, :3], expected.reshape(-1, 3), atol=0.005)


def test_spread_is_the_standard_deviation_inside_a_cell(disk_image: RgbImage):
    backbone = ColourBackbone(ColourConfig(longest_side=16, spread=1.0))
    tokens = backbone.features(disk_image).tokens
    expected = rgb2lab(disk_image).reshape(12, 5, 16, 5, 3).std(axis=(1, 3)) / 100.0
    np.testing.assert_allclose(tokens[:, 3:6], expected.reshape(-1, 3), atol=0.005)


def test_texture_tells_stripes_from_a_plain_wall_and_their_direction():
    plain = np.full((64, 64, 3), 128, dtype=np.uint8)
    upright = plain.copy()
    upright[:, ::4] = 255
    lying = np.ascontiguousarray(upright.transpose(1, 0, 2))
    backbone = ColourBackbone(ColourConfig(longest_side=4, texture=1.0))
    middle = [backbone.features(image).tokens[5, 6:12] for image in (plain, upright, lying)]
    assert np.abs(middle[0]).max() == 0.0
    assert middle[1][0] > 0.01
    assert middle[2][0] == pytest.approx(middle[1][0], rel=1e-3)
    assert middle[1][1] == pytest.approx(-middle[2][1], rel=1e-3)


def test_place_is_the_centre_of_the_cell_in_longest_sides():
    config = ColourConfig(longest_side=4, position=1.0)
    places = ColourBackbone(config).features(np.zeros((10, 20, 3), dtype=np.uint8)).tokens[:, -2:]
    np.testing.assert_allclose(places[:4, 0], [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(places[::4, 1], [0.125, 0.375])


def test_a_picture_too_large_for_its_cells_is_described_like_its_smaller_self():
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (4, 4, 3)).astype(np.uint8)
    config = ColourConfig(longest_side=4, texture=0.0, spread=0.0)
    small, large = (
        ColourBackbone(config).features(blocks.repeat(times, axis=0).repeat(times, axis=1))
        for times in (16, 100)
    )
    np.testing.assert_allclose(small.tokens, large.tokens, atol=0.01)


def test_affinity_equals_the_plain_formula():
    tokens = np.random.default_rng(0).normal(0.5, 0.2, (80, 14)).astype(np.float32)
    expected = np.exp(-cdist(tokens, tokens, "sqeuclidean") / 0.3)
    affinity = gaussian_affinity(tokens, temperature=0.3)
    np.testing.assert_allclose(affinity, expected, rtol=1e-4)
    np.testing.assert_array_equal(np.diag(affinity), 1.0)


def test_attention_rows_sum_to_one_and_look_at_their_own_kind(
    disk_image: RgbImage, disk_mask: BoolMask
):
    attention = ColourBackbone().attention(disk_image)
    np.testing.assert_allclose(attention.matrix.sum(axis=1), 1.0, rtol=1e-5)
    assert attention.matrix.min() > 0.0
    rows = (np.arange(attention.grid.height) + 0.5) * disk_mask.shape[0] / attention.grid.height
    columns = (np.arange(attention.grid.width) + 0.5) * disk_mask.shape[1] / attention.grid.width
    inside = disk_mask[np.ix_(rows.astype(int), columns.astype(int))].ravel()
    assert attention.matrix[inside][:, inside].sum(axis=1).mean() > 0.95


@pytest.mark.parametrize(
    ("setting", "needed"),
    [
        ({"longest_side": 0}, "at least 1 token"),
        ({"temperature": 0.0}, "above 0"),
        ({"features_temperature": 0.0}, "above 0"),
        ({"temperature": float("nan")}, "above 0"),
        ({"position": -1.0}, "from 0 on"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, float], needed: str):
    with pytest.raises(InputError, match=needed):
        ColourConfig(**setting)
