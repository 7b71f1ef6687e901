"""Stable Diffusion: a tiny one, saved and loaded as the real one is, against its eager self."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

from drawing import BLOB, paint
from fewclicks.arrays import FloatMatrix, RgbImage
from fewclicks.backbones.base import Grid
from fewclicks.backbones.latent_diffusion import LatentDiffusion
from fewclicks.backbones.registry import create_backbone
from fewclicks.backbones.stable_diffusion import (
    StableDiffusionBackbone,
    StableDiffusionConfig,
    read_blocks,
    stretch,
)
from fewclicks.errors import InputError, UnknownEntryError, WeightsError

PICTURE = paint(BLOB)
SIDE = 64  # 8x8 tokens on the finest grid, 4x4 on the next
FINEST = "up_blocks.3.attentions.0", "up_blocks.3.attentions.1"
COARSER = "up_blocks.2.attentions.1"
PROMPT = [1, 2, 0, 0, 0, 0]  # start, end, then what fills a prompt up


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published network's parts with a few channels each, in the published files."""
    folder = tmp_path_factory.mktemp("stable-diffusion")
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16, 16, 16),
        layers_per_block=2,
        norm_num_groups=4,
        cross_attention_dim=12,
        attention_head_dim=(2, 4, 4, 4),
        use_linear_projection=True,
    )
    for name, weight in unet.named_parameters():
        if name.endswith(("attn1.to_q.weight", "attn1.to_k.weight")):
            weight.data *= 1.25  # else tokens look everywhere alike; more would blow rounding up
    unet.save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=2,
        scaling_factor=0.18215,
    ).save_pretrained(folder / "vae")
    CLIPTextModel(
        CLIPTextConfig(
            vocab_size=4,
            hidden_size=12,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=len(PROMPT),
            initializer_range=1.0,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    ).save_pretrained(folder / "text_encoder")
    tokenizer = {
        "vocab.json": json.dumps({"!": 0, "<|startoftext|>": 1, "<|endoftext|>": 2, "a</w>": 3}),
        "merges.txt": "#version: 0.2\n",
        "tokenizer_config.json": json.dumps({"tokenizer_class": "CLIPTokenizer", "pad_token": "!"}),
    }
    (folder / "tokenizer").mkdir()
    for name, content in tokenizer.items():
        (folder / "tokenizer" / name).write_text(content)
    return folder


def backbone(folder: Path, **settings: object) -> StableDiffusionBackbone:
    return StableDiffusionBackbone(
        StableDiffusionConfig(**{"weights": str(folder), "side": SIDE, "device": "cpu", **settings})
    )


def eager_scores(folder: Path, square: RgbImage, timestep: int) -> dict[str, torch.Tensor]:
    """Each self-attention layer's (heads, n, n), as the plain processor has it."""
    vae = AutoencoderKL.from_pretrained(folder / "vae")
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    text = CLIPTextModel.from_pretrained(folder / "text_encoder")
    unet.set_attn_processor(AttnProcessor())
    seen = {}

    def record(name: str, layer: torch.nn.Module) -> None:
        scores = layer.get_attention_scores

        def recording(*args):
            seen[name] = scores(*args)
            return seen[name]

        layer.get_attention_scores = recording

    for name, module in unet.named_modules():
        if name.endswith("attn1"):
            record(name.removesuffix(".transformer_blocks.0.attn1"), module)
    pixels = torch.tensor(square).float().permute(2, 0, 1)[None] / 127.5 - 1.0
    with torch.no_grad():
        latents = vae.encode(pixels).latent_dist.mean * 0.18215
        unet(latents, timestep, text(torch.tensor([PROMPT])).last_hidden_state)
    return seen


def enlarged(coarse: FloatMatrix, side: int, fine: int) -> FloatMatrix:
    """Bilinear on both axes, one line of tokens after another; rows sum to 1."""
    old, new = (np.arange(side) + 0.5) / side, (np.arange(fine) + 0.5) / fine
    values = coarse.reshape(side, side, side, side)
    for axis in (2, 3):
        values = np.apply_along_axis(lambda line: np.interp(new, old, line), axis, values)
    values /= values.sum(axis=(2, 3), keepdims=True)
    for axis in (0, 1):
        values = np.apply_along_axis(lambda line: np.interp(new, old, line), axis, values)
    return values.reshape(fine * fine, fine * fine)


def test_attention_is_that_of_the_eager_network(tiny: Path):
    scores = eager_scores(tiny, stretch(PICTURE, SIDE), timestep=100)
    expected = sum(0.5 * scores[name].mean(dim=0) for name in FINEST)
    found = backbone(tiny).attention(PICTURE)
    assert found.grid == Grid(8, 8)
    assert found.matrix.dtype == np.float32
    assert found.matrix.std() > 0.003
    np.testing.assert_allclose(found.matrix, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    "name", [COARSER, "down_blocks.0.attentions.1", "up_blocks.1.attentions.1"]
)
def test_any_block_can_be_asked(tiny: Path, name: str):
    scores = eager_scores(tiny, stretch(PICTURE, SIDE), timestep=400)
    found = backbone(tiny, blocks=f"{name}=2", timestep=400).attention(PICTURE)
    np.testing.assert_allclose(found.matrix, scores[name].mean(dim=0).numpy(), atol=1e-6)


def test_weights_count_relative_to_each_other(tiny: Path):
    halves = backbone(tiny).attention(PICTURE)
    threes = backbone(tiny, blocks=f"{FINEST[0]}=3, {FINEST[1]}=3").attention(PICTURE)
    one = backbone(tiny, blocks=f"{FINEST[0]}=1,{FINEST[1]}=0").attention(PICTURE)
    np.testing.assert_allclose(threes.matrix, halves.matrix, atol=1e-6)
    assert np.abs(one.matrix - halves.matrix).max() > 1e-3


def test_a_coarser_block_is_enlarged_to_the_finest_grid(tiny: Path):
    scores = eager_scores(tiny, stretch(PICTURE, SIDE), timestep=100)
    coarse = scores[COARSER].mean(dim=0).double().numpy()
    assert coarse.shape == (16, 16)
    fine = scores[FINEST[0]].mean(dim=0).double().numpy()
    expected = 0.75 * enlarged(coarse, 4, 8) + 0.25 * fine
    found = backbone(tiny, blocks=f"{COARSER}=0.75,{FINEST[0]}=0.25").attention(PICTURE)
    np.testing.assert_allclose(found.matrix, expected, atol=1e-6)


def test_rows_sum_to_one(tiny: Path):
    for blocks in (f"{FINEST[0]}=1", f"{FINEST[0]}=1,{COARSER}=1,mid_block.attentions.0=1"):
        matrix = backbone(tiny, blocks=blocks, flip=True).attention(PICTURE).matrix
        assert matrix.min() >= 0
        np.testing.assert_allclose(matrix.sum(axis=1, dtype=np.float64), 1.0, atol=1e-6)


def test_flipping_averages_the_picture_with_its_mirror_image(tiny: Path):
    mirrored = np.ascontiguousarray(PICTURE[:, ::-1])
    of_mirrored = backbone(tiny).attention(mirrored).matrix.reshape(8, 8, 8, 8)
    turned = of_mirrored[:, ::-1, :, ::-1].reshape(64, 64)
    plain = backbone(tiny).attention(PICTURE).matrix
    both = backbone(tiny, flip=True).attention(PICTURE).matrix
    assert np.abs(turned - plain).max() > 1e-4
    np.testing.assert_allclose(both, (plain + turned) / 2, atol=1e-6)


def test_a_symmetric_picture_has_symmetric_attention_once_flipped(tiny: Path):
    symmetric = np.maximum(PICTURE, PICTURE[:, ::-1])
    matrix = backbone(tiny, flip=True).attention(symmetric).matrix.reshape(8, 8, 8, 8)
    np.testing.assert_allclose(matrix, matrix[:, ::-1, :, ::-1], atol=1e-6)


def test_the_prompt_is_embedded_once(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    calls = []
    forward = CLIPTextModel.forward

    def counted(self, *args, **kwargs):
        calls.append(1)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(CLIPTextModel, "forward", counted)
    network = backbone(tiny)
    assert not calls
    network.attention(PICTURE)
    network.attention(PICTURE[:, ::-1])
    network.features(PICTURE)
    assert len(calls) == 1


def test_the_network_stops_after_the_last_chosen_block(tiny: Path):
    ran = []
    network = backbone(tiny, blocks=f"{COARSER}=1")
    network.attention(PICTURE)
    unet = network._network._unet
    for name in ("up_blocks.1", "up_blocks.3"):
        unet.get_submodule(name).register_forward_hook(lambda *_, name=name: ran.append(name))
    network.attention(PICTURE)
    assert ran == ["up_blocks.1"]


def test_two_threads_share_one_network(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    loaded = []
    load = LatentDiffusion.__init__

    def counted(self, *args, **kwargs):
        loaded.append(1)
        load(self, *args, **kwargs)

    monkeypatch.setattr(LatentDiffusion, "__init__", counted)
    shared = backbone(tiny)
    pictures = [PICTURE, np.ascontiguousarray(PICTURE[::-1])]
    answers: dict[int, FloatMatrix] = {}

    def look(index: int) -> None:
        answers[index] = shared.attention(pictures[index]).matrix

    threads = [threading.Thread(target=look, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 1
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(answers[index], backbone(tiny).attention(picture).matrix)
    assert np.abs(answers[0] - answers[1]).max() > 1e-4


def test_a_look_that_failed_leaves_the_network_as_it_was(tiny: Path):
    network = backbone(tiny)
    expected = network.attention(PICTURE).matrix
    with pytest.raises(AttributeError):
        network.attention(None)
    np.testing.assert_array_equal(network.attention(PICTURE).matrix, expected)


def test_features_are_the_keys_of_the_finest_block(tiny: Path):
    network = backbone(tiny, blocks=f"{COARSER}=1,{FINEST[1]}=1")
    features = network.features(PICTURE)
    assert features.grid == Grid(8, 8)
    assert features.temperature == 0.14
    layer = network._network._unet.get_submodule(f"{FINEST[1]}.transformer_blocks.0.attn1")
    seen = []
    layer.to_k.register_forward_hook(lambda *call: seen.append(call[-1][0]))
    network.attention(PICTURE)
    keys = seen[0].double().numpy()
    keys -= keys.mean(axis=0)
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    np.testing.assert_allclose(features.tokens, keys, atol=1e-5)


def test_half_precision_comes_near(tiny: Path):
    full = backbone(tiny).attention(PICTURE).matrix
    half = backbone(tiny, precision="bf16").attention(PICTURE).matrix
    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 0.02
    np.testing.assert_allclose(half.sum(axis=1), 1.0, atol=1e-5)


def test_old_names_of_the_encoders_attention_are_read(tiny: Path, tmp_path: Path):
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    folder = shutil.copytree(tiny, tmp_path / "old")
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    renamed = {}
    for name, value in load_file(file).items():
        for new_name, old_name in old.items():
            name = name.replace(f"attentions.0.{new_name}.", f"attentions.0.{old_name}.")
        renamed[name] = value
    assert any("proj_attn" in name for name in renamed)
    save_file(renamed, file, metadata={"format": "pt"})
    found = backbone(folder).attention(PICTURE).matrix
    np.testing.assert_array_equal(found, backbone(tiny).attention(PICTURE).matrix)


def test_a_weight_that_is_missing_is_not_made_up(tiny: Path, tmp_path: Path):
    folder = shutil.copytree(tiny, tmp_path / "less")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    kept = {name: value for name, value in load_file(file).items() if "conv_in" not in name}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="lacks 2 tensors"):
        backbone(folder).attention(PICTURE)


def test_an_unknown_block_is_answered_with_a_near_one(tiny: Path):
    with pytest.raises(UnknownEntryError, match=r"Did you mean 'up_blocks\.3\.attentions\.[012]'"):
        backbone(tiny, blocks="up_blocks.3.attention.0=1").attention(PICTURE)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"side": 100}, "side is 100"),
        ({"side": 0}, "side is 0"),
        ({"timestep": 1000}, "timestep is 1000"),
        ({"timestep": -1}, "timestep is -1"),
        ({"features_temperature": 0.0}, "features_temperature is 0.0"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"blocks": ""}, "blocks has ''"),
        ({"blocks": "up_blocks.3.attentions.0"}, "needs NAME=WEIGHT"),
        ({"blocks": "a=1,a=2"}, "each block once"),
        ({"blocks": "a=-1"}, "from 0 on"),
        ({"blocks": "a=nan"}, "from 0 on"),
        ({"blocks": "a=inf"}, "from 0 on"),
        ({"blocks": "a=0,b=0"}, "needs a weight above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        StableDiffusionConfig(**settings)


def test_blocks_are_read_as_typed():
    assert read_blocks(" a = 1 ,b=0.5,c=0") == {"a": 1.0, "b": 0.5}


def test_stretching_takes_means_of_areas():
    columns = np.zeros((2, 8, 3), dtype=np.uint8)
    columns[:, ::2] = 200
    square = stretch(columns, 4)
    assert square.shape == (4, 4, 3)
    assert (square == 100).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_pictures_of_any_shape_are_looked_at(tiny: Path, shape: tuple[int, int]):
    picture = np.full((*shape, 3), 90, dtype=np.uint8)
    matrix = backbone(tiny).attention(picture).matrix
    assert matrix.shape == (64, 64)
    assert np.isfinite(matrix).all()


def test_a_name_builds_it_with_typed_settings(tiny: Path):
    built = create_backbone(
        "stable-diffusion-1", weights=str(tiny), side="64", flip="yes", device="cpu"
    )
    assert built.config.side == 64
    assert built.config.flip
    np.testing.assert_array_equal(
        built.attention(PICTURE).matrix, backbone(tiny, flip=True).attention(PICTURE).matrix
    )


def test_building_it_imports_nothing_heavy(tiny: Path):
    script = (
        "import sys\n"
        "from fewclicks.backbones.registry import create_backbone\n"
        f"create_backbone('stable-diffusion-2', weights={str(tiny)!r})\n"
        "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["stable-diffusion-1", "stable-diffusion-2"])
def test_missing_weights_are_told_at_once(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=f"fewclicks weights fetch {name}"):
        create_backbone(name)
