from __future__ import annotations

import numpy as np
import pytest

from fewclicks.backbones.plain_depth import (
    ConstantConfig,
    ConstantDepth,
    NoiseConfig,
    NoiseDepth,
    flip_averaged,
    normalised,
)
from fewclicks.errors import InputError

WIDE = np.zeros((120, 200, 3), dtype=np.uint8)


def test_inverse_depth_of_any_scale_is_brought_to_the_unit_range():
    values = normalised(np.array([[-4.0, 0.0], [4.0, 12.0]], dtype=np.float32)).values
    np.testing.assert_array_equal(values, [[0.0, 0.25], [0.5, 1.0]])
    assert values.dtype == np.float32


def test_where_all_is_equally_near_depth_is_zero():
    assert not normalised(np.full((3, 4), 7.0, dtype=np.float32)).values.any()


def test_a_constant_is_the_same_everywhere():
    values = ConstantDepth(ConstantConfig(value=0.25)).depth(WIDE).values
    assert values.shape == (120, 200)
    assert (values == 0.25).all()


def test_noise_is_the_same_for_one_seed_and_another_for_another():
    first = NoiseDepth(NoiseConfig(seed=3)).depth(WIDE).values
    np.testing.assert_array_equal(NoiseDepth(NoiseConfig(seed=3)).depth(WIDE).values, first)
    assert np.abs(NoiseDepth(NoiseConfig(seed=4)).depth(WIDE).values - first).mean() > 0.05


def test_noise_fills_the_unit_range_and_is_smooth():
    values = NoiseDepth().depth(WIDE).values
    assert (values.min(), values.max()) == (0.0, 1.0)
    steps = max(np.abs(np.diff(values, axis=axis)).max() for axis in (0, 1))
    assert steps < 0.1
    assert values.std() > 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (7, 3)])
def test_pictures_of_any_shape_have_noise(shape: tuple[int, int]):
    values = NoiseDepth().depth(np.zeros((*shape, 3), dtype=np.uint8)).values
    assert values.shape == shape
    assert np.isfinite(values).all()


def test_flips_are_averaged_in_the_pictures_own_frame():
    image = np.zeros((1, 3, 3), dtype=np.uint8)
    image[0, :, 0] = [10, 20, 60]

    def leaning(picture: np.ndarray) -> np.ndarray:
        return picture[..., 0] + np.float32([[0, 1, 2]])

    np.testing.assert_array_equal(flip_averaged(leaning, image), [[11, 21, 61]])


@pytest.mark.parametrize(
    ("config", "wrong", "said"),
    [
        (ConstantConfig, {"value": 1.5}, "value is 1.5"),
        (NoiseConfig, {"seed": -1}, "seed is -1"),
        (NoiseConfig, {"bumps": 0}, "bumps is 0"),
    ],
)
def test_settings_out_of_range_are_refused(config: type, wrong: dict[str, float], said: str):
    with pytest.raises(InputError, match=said):
        config(**wrong)
