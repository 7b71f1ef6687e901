from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Attention, Depth, Features, Grid
from fewclicks.backbones.mirror import mirrored_attention, mirrored_depth


@dataclass(frozen=True)
class _NoSettings:
    pass


class _Lopsided:
    """Sees more on the left than on the right of whatever it is shown."""

    name = "lopsided"
    config_type: ClassVar = _NoSettings
    config: ClassVar = _NoSettings()

    def __init__(self, *, is_read_only: bool = False) -> None:
        self.is_read_only = is_read_only

    def features(self, image: RgbImage) -> Features:
        raise NotImplementedError

    def attention(self, image: RgbImage) -> Attention:
        grid = Grid(2, 3)
        seen = image[::4, ::4, 0].reshape(-1).astype(np.float32)
        matrix = seen[:, None] * 10 + seen + np.arange(6, dtype=np.float32) ** 2
        matrix.flags.writeable = not self.is_read_only
        return Attention(matrix=matrix, grid=grid)

    def depth(self, image: RgbImage) -> Depth:
        return Depth(values=image[..., 0].astype(np.float32) + np.arange(12, dtype=np.float32))


PICTURE = np.random.default_rng(0).integers(0, 9, (8, 12, 3)).astype(np.uint8)


def test_attention_of_the_mirror_image_is_brought_back_and_averaged():
    backbone = _Lopsided()
    plain = backbone.attention(PICTURE).matrix.reshape(2, 3, 2, 3)
    turned = backbone.attention(np.ascontiguousarray(PICTURE[:, ::-1])).matrix.reshape(2, 3, 2, 3)
    expected = np.zeros((2, 3, 2, 3))
    for y, x, v, u in np.ndindex(2, 3, 2, 3):
        expected[y, x, v, u] = (plain[y, x, v, u] + turned[y, 2 - x, v, 2 - u]) / 2
    found = mirrored_attention(backbone, PICTURE)
    np.testing.assert_allclose(found.matrix, expected.reshape(6, 6))
    assert found.grid == Grid(2, 3)


def test_attention_that_a_backbone_keeps_is_left_alone():
    found = mirrored_attention(_Lopsided(is_read_only=True), PICTURE)
    np.testing.assert_array_equal(found.matrix, mirrored_attention(_Lopsided(), PICTURE).matrix)


def test_depth_of_the_mirror_image_is_brought_back_and_averaged():
    found = mirrored_depth(_Lopsided(), PICTURE).values
    np.testing.assert_allclose(found, PICTURE[..., 0] + 5.5)
