from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Grid
from fewclicks.backbones.builtin import BuiltInBackbone, BuiltInConfig
from fewclicks.backbones.colour import ColourBackbone, ColourConfig, describe_cells
from fewclicks.backbones.registry import create_backbone, find_backbone
from fewclicks.errors import InputError, WeightsError
from fewclicks.images.resizing import resize_image
from fewclicks.methods.registry import create_method

PACKAGED = Path(sys.modules[BuiltInBackbone.__module__].__file__ or "").parent / "builtin.onnx"


@pytest.fixture(scope="module")
def network_alone() -> BuiltInBackbone:
    return BuiltInBackbone(BuiltInConfig(colour=0.0))


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((480, 854), Grid(67, 120)),
        ((333, 500), Grid(80, 120)),
        ((300, 400), Grid(75, 100)),
        ((61, 47), Grid(60, 46)),
        ((1, 1), Grid(60, 60)),
        ((3, 900), Grid(1, 120)),
    ],
)
def test_a_token_is_eight_pixels_of_a_picture_brought_to_960_or_if_small_doubled_or_brought_to_480(
    network_alone: BuiltInBackbone, size: tuple[int, int], grid: Grid
):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    features = network_alone.features(picture)
    assert features.grid == grid
    assert np.isfinite(features.tokens).all()


def test_tokens_are_what_the_file_says_without_its_mean_and_of_length_one(
    network_alone: BuiltInBackbone, disk_image: RgbImage
):
    shown = resize_image(disk_image, height=360, width=480).astype(np.float32) / 255.0
    session = onnxruntime.InferenceSession(PACKAGED.read_bytes())
    (found,) = session.run(None, {"colours": shown.transpose(2, 0, 1)[None]})
    expected = found[0].transpose(1, 2, 0).reshape(45 * 60, -1)
    expected = expected - expected.mean(axis=0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    features = network_alone.features(disk_image)
    np.testing.assert_allclose(features.tokens, expected, atol=1e-4)
    assert features.temperature == 2 * network_alone.config.temperature


def test_the_same_picture_gives_the_same_tokens(disk_image: RgbImage):
    first, second = (BuiltInBackbone().features(disk_image).tokens for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_colours_stand_beside_the_network_at_their_weight(
    network_alone: BuiltInBackbone, disk_image: RgbImage
):
    alone = network_alone.features(disk_image)
    both = BuiltInBackbone(BuiltInConfig(colour=3.0)).features(disk_image)
    channels = alone.tokens.shape[1]
    np.testing.assert_array_equal(both.tokens[:, :channels], alone.tokens)
    colours = describe_cells(disk_image, alone.grid, ColourConfig())
    np.testing.assert_allclose(both.tokens[:, channels:], 3.0 * colours, rtol=1e-6)
    assert both.temperature == alone.temperature


def test_with_flip_a_mirrored_picture_has_mirrored_tokens(disk_image: RgbImage):
    backbone = BuiltInBackbone(BuiltInConfig(colour=0.0, flip=True))
    straight = backbone.features(disk_image)
    turned = backbone.features(np.ascontiguousarray(disk_image[:, ::-1]))
    shape = (straight.grid.height, straight.grid.width, -1)
    np.testing.assert_allclose(
        straight.tokens.reshape(shape), turned.tokens.reshape(shape)[:, ::-1], atol=1e-4
    )


def test_attention_is_the_softmax_of_cosines_over_the_temperature(disk_image: RgbImage):
    backbone = BuiltInBackbone(BuiltInConfig(colour=0.0, longest_side=64, temperature=0.2))
    tokens = backbone.features(disk_image).tokens.astype(np.float64)
    expected = np.exp(tokens @ tokens.T / 0.2)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(backbone.attention(disk_image).matrix, expected, rtol=1e-3)


def test_tokens_tell_the_blob_from_its_ground(disk_image: RgbImage, disk_mask: RgbImage):
    features = create_backbone("builtin").features(disk_image)
    inside = resize_image(
        np.repeat(disk_mask[..., None].astype(np.uint8) * 255, 3, axis=2),
        height=features.grid.height,
        width=features.grid.width,
    )[..., 0].ravel()
    blob, ground = features.tokens[inside == 255], features.tokens[inside == 0]
    affinity = np.exp(-np.square(blob[:, None] - blob[None]).sum(2) / features.temperature)
    across = np.exp(-np.square(blob[:, None] - ground[None]).sum(2) / features.temperature)
    assert affinity.mean() > 3 * across.mean()


def test_it_needs_no_torch():
    program = (
        "import sys, numpy; from fewclicks.backbones.registry import create_backbone\n"
        "create_backbone('builtin').features(numpy.zeros((32, 48, 3), numpy.uint8))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_it_lies_in_the_package_and_is_small():
    entry = find_backbone("builtin")
    assert entry.found() == "in the package"
    assert entry.size == PACKAGED.stat().st_size <= 6_000_000


def test_a_missing_or_damaged_file_is_told_in_one_line(tmp_path: Path, disk_image: RgbImage):
    with pytest.raises(WeightsError, match=r"There is no file .*none\.onnx"):
        create_backbone("builtin", weights=str(tmp_path / "none.onnx"))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(PACKAGED.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="is no network that onnxruntime can run"):
        create_backbone("builtin", weights=str(damaged)).features(disk_image)


@pytest.mark.parametrize(
    "settings", [{"longest_side": 0}, {"threads": 0}, {"temperature": 0.0}, {"colour": -1.0}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]):
    with pytest.raises(InputError, match=f"{next(iter(settings))} is"):
        BuiltInConfig(**settings)  # type: ignore[arg-type]


def test_colour_tokens_of_its_own_grid_are_those_of_the_colour_backbone(disk_image: RgbImage):
    backbone = ColourBackbone(ColourConfig(longest_side=40))
    features = backbone.features(disk_image)
    found = describe_cells(disk_image, features.grid, backbone.config)
    np.testing.assert_array_equal(found, features.tokens)


def test_a_method_takes_the_network_that_a_training_wrote(tmp_path: Path):
    trained = tmp_path / "trained.onnx"
    trained.write_bytes(PACKAGED.read_bytes())
    settings = {"backbone.weights": str(trained)}
    method = create_method("fewclicks", backbone="builtin", **settings)
    assert method.backbone.config.weights == str(trained)
