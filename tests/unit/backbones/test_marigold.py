"""Marigold: a tiny one, saved and loaded as the real one is, against its own pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, LCMScheduler, MarigoldDepthPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from drawing import BLOB, paint
from fewclicks.backbones.marigold import MarigoldConfig, MarigoldSource
from fewclicks.errors import InputError, StorageError, WeightsError

PICTURE = paint(BLOB)
QUICK = {"steps": 2, "ensemble": 3, "longest_side": 128, "device": "cpu"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published network's parts with a few channels each."""
    folder = tmp_path_factory.mktemp("marigold")
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
    )
    text = CLIPTextConfig(
        vocab_size=3,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
    )
    MarigoldDepthPipeline(
        unet=unet,
        vae=vae,
        scheduler=LCMScheduler(clip_sample=False),
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        prediction_type="depth",
        default_denoising_steps=1,
        default_processing_resolution=768,
    ).save_pretrained(folder / "weights")
    return folder / "weights"


def source(folder: Path, **settings) -> MarigoldSource:
    return MarigoldSource(MarigoldConfig(weights=str(folder), **{**QUICK, **settings}))


def test_depth_is_the_pipelines_own_turned_over(tiny: Path):
    pipeline = MarigoldDepthPipeline.from_pretrained(tiny)
    pipeline.set_progress_bar_config(disable=True)
    far = pipeline(
        PICTURE,
        num_inference_steps=2,
        ensemble_size=3,
        processing_resolution=128,
        generator=torch.Generator().manual_seed(5),
    ).prediction[0, :, :, 0]
    near = 1 / (far + 0.25)
    expected = (near - near.min()) / (near.max() - near.min())
    values = source(tiny, seed=5).depth(PICTURE).values
    assert values.shape == BLOB.shape
    assert values.std() > 0.05
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_a_picture_and_its_mirror_image_have_mirrored_depth(tiny: Path):
    marigold = source(tiny, flip=True)
    flipped = marigold.depth(np.ascontiguousarray(PICTURE[:, ::-1])).values
    np.testing.assert_array_equal(marigold.depth(PICTURE).values, flipped[:, ::-1])


def test_the_seed_decides(tiny: Path):
    marigold = source(tiny, ensemble=1)
    first = marigold.depth(PICTURE).values
    np.testing.assert_array_equal(marigold.depth(PICTURE).values, first)
    other = source(tiny, ensemble=1, seed=1).depth(PICTURE).values
    assert np.abs(other - first).max() > 0.01


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1)])
def test_pictures_of_any_shape_have_a_depth(tiny: Path, shape: tuple[int, int]):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    values = source(tiny, ensemble=1).depth(noise).values
    assert values.shape == shape
    assert np.isfinite(values).all()


def test_a_folder_of_something_else_is_refused(tmp_path: Path, tiny: Path):
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(StorageError, match="cannot be loaded"):
        source(tmp_path).depth(PICTURE)
    with pytest.raises(WeightsError, match="There is no folder"):
        source(tmp_path / "nothing")
    with pytest.raises(WeightsError, match=r"holds no \.safetensors file"):
        source(tiny / "tokenizer")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps": 0}, "needs 1 to 50"),
        ({"steps": 51}, "needs 1 to 50"),
        ({"ensemble": 0}, "at least 1 drawing"),
        ({"offset": 0.0}, "above 0"),
        ({"longest_side": 100}, "a multiple of 8"),
        ({"seed": -1}, "from 0"),
        ({"device": "abacus"}, "device is 'abacus'"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        MarigoldConfig(**wrong)
