"""ViT outputs: what the last layer puts out, at the picture's own size, as MIS merges it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from fewclicks.backbones.base import Grid
from fewclicks.backbones.vit import VitBackbone, VitConfig
from small_vits import LEADING, PATCH, save_vit

KINDS = ("vit", "dinov2", "vit_mae")
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: save_vit(kind, tmp_path_factory.mktemp("vits") / kind) for kind in KINDS}


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5 * PATCH, 7 * PATCH, 3), dtype=np.uint8)


def backbone(folder: Path, **settings) -> VitBackbone:
    plain = {"stride": PATCH, "longest_side": None, "device": "cpu"}
    return VitBackbone(VitConfig(weights=str(folder), **{**plain, **settings}))


@torch.no_grad()
def eager_outputs(folder: Path, image: np.ndarray) -> np.ndarray:
    kind = folder.name
    extra = {"mask_ratio": 0.0} if kind == "vit_mae" else {}
    options = {} if kind == "dinov2" else {"interpolate_pos_encoding": True}
    if kind == "vit_mae":
        options["noise"] = torch.arange(35)[None]
    model = AutoModel.from_pretrained(folder, attn_implementation="eager", **extra)
    pixels = torch.from_numpy(((image / 255.0 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].copy())
    return model(pixels.float(), **options).last_hidden_state[0, LEADING[kind] :].numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_the_eager_models_last_layer_with_its_norm(folders, picture, kind):
    found = backbone(folders[kind], kind="outputs").features(picture)
    expected = eager_outputs(folders[kind], picture)
    assert found.grid == Grid(5, 7)
    np.testing.assert_allclose(found.tokens, expected, rtol=0, atol=2e-5)


def test_the_temperature_of_outputs_makes_up_for_their_length(folders, picture):
    found = backbone(folders["vit"], kind="outputs", temperature=0.1).features(picture)
    lengths = (found.tokens**2).sum(axis=1)
    assert found.temperature == pytest.approx(0.2 * lengths.mean(), rel=1e-5)
    matrix = backbone(folders["vit"], kind="outputs", temperature=0.1).attention(picture).matrix
    squares = ((found.tokens[:, None] - found.tokens[None]) ** 2).sum(axis=-1)
    affinity = np.exp(-squares / found.temperature)
    expected = affinity / affinity.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "grid"), [((40, 56), (5, 7)), ((41, 57), (6, 8)), ((47, 8), (6, 1)), ((3, 5), (1, 1))]
)
def test_a_picture_of_its_own_size_is_rounded_up_to_whole_patches(folders, size, grid):
    image = np.zeros((*size, 3), dtype=np.uint8)
    assert backbone(folders["vit"]).features(image).grid == Grid(*grid)


def test_keys_keep_their_mean_if_asked_to(folders, picture):
    plain = backbone(folders["vit"], centred=False).features(picture).tokens
    centred = backbone(folders["vit"]).features(picture).tokens
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 1.0, atol=1e-5)
    assert np.linalg.norm(plain.mean(axis=0)) > 2 * np.linalg.norm(centred.mean(axis=0))
