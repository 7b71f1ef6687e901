"""Depth Anything: a tiny one against the model called directly; the published sizes, once each."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from transformers import DepthAnythingConfig as NetworkConfig
from transformers import DepthAnythingForDepthEstimation, Dinov2Config, Dinov2Model

from drawing import BLOB, paint
from fewclicks.backbones.depth_anything import DepthAnythingConfig, DepthAnythingSource, seen_size
from fewclicks.errors import InputError, MissingExtraError, StorageError, WeightsError

PICTURE = paint(BLOB)


def build(folder: Path, *, width: int, heads: int, layers: list[int], channels: list[int]) -> Path:
    """Save a network with random weights; channels of the neck, then of the fusion."""
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=width,
        num_attention_heads=heads,
        num_hidden_layers=layers[-1],
        image_size=518,
        patch_size=14,
        out_indices=layers,
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = NetworkConfig(
        backbone_config=backbone,
        reassemble_hidden_size=width,
        neck_hidden_sizes=channels[:4],
        fusion_hidden_size=channels[4],
        head_hidden_size=32,
        patch_size=14,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("depth-anything")
    return build(folder, width=24, heads=2, layers=[1, 2, 3, 4], channels=[8, 8, 8, 8, 8])


def source(folder: Path, **settings) -> DepthAnythingSource:
    chosen = {"shortest_side": 56, "device": "cpu", **settings}
    return DepthAnythingSource(DepthAnythingConfig(weights=str(folder), **chosen))


def test_depth_is_the_models_own_brought_to_the_picture(tiny: Path):
    model = DepthAnythingForDepthEstimation.from_pretrained(tiny, attn_implementation="eager")
    seen = cv2.resize(PICTURE[::3, ::3], (112, 84), interpolation=cv2.INTER_CUBIC)
    standard = (seen / 255.0 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    pixels = torch.tensor(standard.transpose(2, 0, 1)[None], dtype=torch.float32)
    with torch.no_grad():
        near = model.eval()(pixels).predicted_depth[0].numpy()
    near = cv2.resize(near, (27, 20), interpolation=cv2.INTER_AREA)
    expected = (near - near.min()) / (near.max() - near.min())

    values = source(tiny, shortest_side=84).depth(PICTURE[::3, ::3]).values

    assert values.shape == (20, 27)
    assert values.dtype == np.float32
    assert values.std() > 0.05
    np.testing.assert_allclose(values, expected, atol=2e-5)


def test_a_picture_and_its_mirror_image_have_mirrored_depth(tiny: Path):
    flipped = np.ascontiguousarray(PICTURE[:, ::-1])
    averaging, plain = source(tiny, flip=True), source(tiny)
    values = averaging.depth(PICTURE).values
    np.testing.assert_array_equal(averaging.depth(flipped).values[:, ::-1], values)
    assert np.abs(plain.depth(flipped).values[:, ::-1] - plain.depth(PICTURE).values).max() > 0.01


def test_half_precision_moves_depth_a_little(tiny: Path):
    values = source(tiny).depth(PICTURE).values
    assert values.min() == 0.0
    assert values.max() == 1.0
    coarse = source(tiny, precision="bf16").depth(PICTURE).values
    assert 0.0 < np.abs(coarse - values).mean() < 0.05


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(480, 854, (518, 924)), (854, 480, (924, 518)), (5, 5, (518, 518)), (1, 900, (518, 2072))],
)
def test_a_picture_is_seen_in_whole_tokens_of_its_own_aspect(
    height: int, width: int, expected: tuple[int, int]
):
    assert seen_size(height, width, 518) == expected


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1)])
def test_pictures_of_any_shape_have_a_depth(tiny: Path, shape: tuple[int, int]):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    values = source(tiny).depth(noise).values
    assert values.shape == shape
    assert np.isfinite(values).all()


def test_weights_that_are_missing_or_of_another_network_are_refused(tmp_path: Path):
    Dinov2Model(
        Dinov2Config(hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
    ).save_pretrained(tmp_path)
    with pytest.raises(StorageError, match="lacks"):
        source(tmp_path).depth(PICTURE)
    with pytest.raises(WeightsError, match="There is no folder"):
        source(tmp_path / "nothing")


def test_weights_of_the_table_that_are_not_here_are_told_how_to_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    with pytest.raises(WeightsError, match="fewclicks weights fetch depth-anything-v2-small"):
        DepthAnythingSource()


def test_without_torch_the_command_to_type_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[torch\]'"):
        DepthAnythingSource()


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="shortest_side is 13"):
        DepthAnythingConfig(shortest_side=13)
    with pytest.raises(InputError, match="device is 'abacus'"):
        DepthAnythingConfig(device="abacus")


@pytest.mark.long
@pytest.mark.parametrize(
    ("width", "heads", "layers", "channels", "millions"),
    [
        (384, 6, [3, 6, 9, 12], [48, 96, 192, 384, 64], 24.8),
        (768, 12, [3, 6, 9, 12], [96, 192, 384, 768, 128], 97.5),
        (1024, 16, [5, 12, 18, 24], [256, 512, 1024, 1024, 256], 335.3),
    ],
    ids=["small", "base", "large"],
)
def test_each_published_size_is_saved_loaded_and_run(
    tmp_path: Path,
    width: int,
    heads: int,
    layers: list[int],
    channels: list[int],
    millions: float,
):
    folder = build(tmp_path, width=width, heads=heads, layers=layers, channels=channels)
    depth_anything = source(folder, shortest_side=518)

    values = depth_anything.depth(PICTURE).values

    count = sum(weight.numel() for weight in depth_anything._loaded().parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.05)
    assert values.shape == BLOB.shape
    assert values.max() == 1.0
