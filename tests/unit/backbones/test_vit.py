"""ViT: small networks against the eager model, plain formulas and each other."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    BeitConfig,
    Data2VecVisionConfig,
    DINOv3ViTConfig,
    ViTConfig,
    ViTMAEModel,
    ViTModel,
)

from fewclicks.backbones import vit_network
from fewclicks.backbones.base import Grid
from fewclicks.backbones.colour import gaussian_affinity
from fewclicks.backbones.registry import create_backbone
from fewclicks.backbones.vit import VitBackbone, VitConfig
from fewclicks.errors import InputError, UnknownEntryError, WeightsError
from small_vits import BLOCKS, LEADING, PATCH, save_vit, small_vit

KINDS = tuple(LEADING)
PLAIN = {"stride": PATCH, "longest_side": 56, "device": "cpu"}
GRID = Grid(height=5, width=7)  # not the 4 x 4 that the places were learnt on
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: save_vit(kind, tmp_path_factory.mktemp(kind)) for kind in KINDS}


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Of the very size that the network sees, so that nothing is resized."""
    height, width = GRID.height * PATCH, GRID.width * PATCH
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def backbone(folder: Path, **settings) -> VitBackbone:
    return VitBackbone(VitConfig(weights=str(folder), **{**PLAIN, **settings}))


def pixel_values(image: np.ndarray) -> torch.Tensor:
    standard = (image / 255.0 - MEAN) / DEVIATION
    return torch.from_numpy(standard.transpose(2, 0, 1)[None].copy()).float()


def eager_model(folder: Path):
    extra = {"mask_ratio": 0.0} if "vit_mae" in folder.name else {}
    return AutoModel.from_pretrained(folder, attn_implementation="eager", **extra)


@torch.no_grad()
def eager_run(folder: Path, image: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """(heads, n, n) attention and (n, c) keys of a layer, each with the leading tokens."""
    model = eager_model(folder)
    found = []
    keys = [part for name, part in model.named_modules() if name.endswith("k_proj")]
    keys[block].register_forward_hook(lambda _part, _given, out: found.append(out[0].numpy()))
    options = {} if "dinov2" in folder.name else {"interpolate_pos_encoding": True}
    if "vit_mae" in folder.name:
        options["noise"] = torch.arange(GRID.count)[None]
    run = model(pixel_values(image), output_attentions=True, **options)
    return run.attentions[block][0].numpy(), found[0]


def unit_keys(keys: np.ndarray) -> np.ndarray:
    centred = keys - keys.mean(axis=0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("block", [0, 1, -1])
@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_the_eager_models(folders, picture, kind, block):
    heads, _ = eager_run(folders[kind], picture, block)
    lead = LEADING[kind]
    expected = heads.mean(axis=0)[lead:, lead:]
    expected /= expected.sum(axis=1, keepdims=True)

    found = backbone(folders[kind], kind="attention", block=block).attention(picture)

    assert found.grid == GRID
    assert found.matrix.dtype == np.float32
    np.testing.assert_allclose(found.matrix, expected, rtol=0, atol=1e-6)
    assert expected.max() > 5 * expected.mean()  # else any even matrix would pass


@pytest.mark.parametrize("kind", KINDS)
def test_attention_by_keys_is_the_softmax_of_their_cosines(folders, picture, kind):
    _, keys = eager_run(folders[kind], picture, 1)
    keys = unit_keys(keys[LEADING[kind] :])

    found = backbone(folders[kind], temperature=0.1).attention(picture)

    np.testing.assert_allclose(found.matrix, softmax(keys @ keys.T / 0.1), rtol=0, atol=2e-6)


def test_features_are_the_keys_and_their_affinity_is_the_attention(folders, picture):
    _, keys = eager_run(folders["vit"], picture, 1)
    network = backbone(folders["vit"], temperature=0.2)
    features = network.features(picture)

    np.testing.assert_allclose(features.tokens, unit_keys(keys[1:]), rtol=0, atol=1e-5)
    assert features.temperature == 0.4
    affinity = gaussian_affinity(features.tokens, temperature=features.temperature)
    affinity /= affinity.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(affinity, network.attention(picture).matrix, rtol=0, atol=1e-5)


def test_attention_defaults_to_the_last_layer_and_keys_to_the_one_before(folders, picture):
    folder = folders["dinov2"]

    for kind, block in (("attention", BLOCKS - 1), ("keys", BLOCKS - 2)):
        default = backbone(folder, kind=kind).attention(picture).matrix
        chosen = backbone(folder, kind=kind, block=block).attention(picture).matrix
        np.testing.assert_array_equal(default, chosen)


def test_a_masked_autoencoder_sees_what_a_plain_vit_with_its_weights_sees(
    folders, picture, tmp_path
):
    autoencoder = ViTMAEModel.from_pretrained(folders["vit_mae"])
    settings = {key: getattr(autoencoder.config, key) for key in ("hidden_size", "image_size")}
    plain = ViTModel(
        ViTConfig(
            **settings,
            num_hidden_layers=BLOCKS,
            num_attention_heads=2,
            intermediate_size=48,
            patch_size=PATCH,
        ),
        add_pooling_layer=False,
    )
    plain.load_state_dict(autoencoder.state_dict())
    plain.save_pretrained(tmp_path)

    masked, unmasked = (
        backbone(folder, kind="attention").attention(picture).matrix
        for folder in (folders["vit_mae"], tmp_path)
    )

    np.testing.assert_array_equal(masked, unmasked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stride", [2, 3, 4, PATCH])
def test_overlapping_patches_are_the_patches_around_each_cell(folders, kind, stride):
    """The first layer's keys, from patches cut out one by one, on a picture with a margin."""
    grid = Grid(height=5, width=7)
    image = np.random.default_rng(0).integers(
        0, 256, (grid.height * stride, grid.width * stride, 3), dtype=np.uint8
    )
    margin = PATCH - stride
    before, after = margin // 2, margin - margin // 2
    wide = np.pad(image, ((before, after), (before, after), (0, 0)), mode="reflect")
    model = eager_model(folders[kind])
    parts = dict(model.named_modules())
    projection = parts["embeddings.patch_embeddings.projection"]
    block = next(name for name in parts if name.endswith(("layers.0", "layer.0")))
    norm = parts.get(f"{block}.layernorm_before") or parts[f"{block}.norm1"]
    with torch.no_grad():
        pixels = pixel_values(wide)
        cut = [
            pixels[0, :, y * stride :, x * stride :][:, :PATCH, :PATCH]
            for y in range(grid.height)
            for x in range(grid.width)
        ]
        patches = projection(torch.stack(cut))[..., 0, 0]
        learnt = model.embeddings.position_embeddings[:, 1:].unflatten(1, (4, 4)).movedim(-1, 1)
        spread = torch.nn.functional.interpolate(
            learnt,
            size=(grid.height, grid.width),
            mode="bicubic",
            antialias=kind == "dinov2_with_registers",
        )
        tokens = patches + spread[0].flatten(1).T
        expected = unit_keys(parts[f"{block}.attention.k_proj"](norm(tokens)).numpy())

    settings = {"stride": stride, "longest_side": grid.width * stride, "block": 0}
    found = backbone(folders[kind], **settings).features(image)

    assert found.grid == grid
    np.testing.assert_allclose(found.tokens, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("stride", [2, 4, PATCH])
def test_a_token_stands_for_the_middle_of_its_cell(tmp_path, stride):
    """A spot in the middle of a cell is seen by the tokens around it, evenly on all sides."""
    network = small_vit("vit")
    with torch.no_grad():
        network.embeddings.position_embeddings.zero_()
        network.embeddings.patch_embeddings.projection.weight.copy_(
            torch.randn(32, 1, 1, 1).expand(-1, 3, PATCH, PATCH) / 100.0
        )
    network.save_pretrained(tmp_path)
    row, column = 6, 9
    image = np.full((12 * stride, 16 * stride, 3), 100, dtype=np.uint8)
    middle = slice(stride // 2 - 1, stride // 2 + 1)
    cell = image[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
    cell[middle, middle] = 255

    seen = backbone(tmp_path, block=0, stride=stride, longest_side=16 * stride).features(image)

    assert (seen.grid.height, seen.grid.width) == (12, 16)
    away = np.linalg.norm(seen.tokens - np.median(seen.tokens, axis=0), axis=1)
    rows, columns = np.nonzero(away.reshape(12, 16) > away.max() / 2)
    assert (rows.mean(), columns.mean()) == (row, column)


@pytest.mark.parametrize(
    ("size", "settings", "grid"),
    [
        ((480, 854), {"longest_side": 480, "stride": 8}, (34, 60)),
        ((854, 480), {"longest_side": 480, "stride": 8}, (60, 34)),
        ((30, 20), {"longest_side": 48, "stride": 4}, (12, 8)),
        ((9, 300), {"longest_side": 64, "stride": 8}, (1, 8)),
        ((1, 1), {"longest_side": 24, "stride": 4}, (6, 6)),
        ((48, 85), {"side": 64, "stride": 8}, (8, 8)),
        ((48, 85), {"side": 30, "stride": 4}, (8, 8)),
        ((40, 40), {"longest_side": 1, "stride": 8}, (1, 1)),
    ],
)
def test_the_grid_keeps_the_aspect_unless_a_square_is_asked_for(folders, size, settings, grid):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)

    found = backbone(folders["vit"], **settings).attention(image)

    assert (found.grid.height, found.grid.width) == grid
    np.testing.assert_allclose(found.matrix.sum(axis=1), 1.0, atol=1e-5)


def test_half_a_patch_is_the_stride_if_none_is_given(folders, picture):
    assert backbone(folders["vit"], stride=None).features(picture).grid == Grid(10, 14)


@pytest.mark.parametrize("kind", ["attention", "keys"])
def test_with_flip_a_mirrored_picture_is_seen_as_the_mirror_image(folders, picture, kind):
    numbers = np.arange(GRID.count).reshape(GRID.height, GRID.width)[:, ::-1].ravel()

    def apart(flip: bool) -> float:
        network = backbone(folders["vit"], kind=kind, flip=flip)
        straight = network.attention(picture).matrix
        mirrored = network.attention(np.ascontiguousarray(picture[:, ::-1])).matrix
        return float(np.abs(mirrored - straight[numbers][:, numbers]).max())

    assert apart(flip=True) < 1e-6
    assert apart(flip=False) > 1e-3


def test_with_flip_the_attention_is_the_mean_of_both_looks(folders, picture):
    numbers = np.arange(GRID.count).reshape(GRID.height, GRID.width)[:, ::-1].ravel()
    plain = backbone(folders["dinov2"], kind="attention")
    straight = plain.attention(picture).matrix
    mirrored = plain.attention(picture[:, ::-1]).matrix[numbers][:, numbers]

    found = backbone(folders["dinov2"], kind="attention", flip=True).attention(picture).matrix

    np.testing.assert_allclose(found, (straight + mirrored) / 2, rtol=0, atol=1e-7)


def test_with_flip_the_cosines_of_keys_are_averaged(folders, picture):
    numbers = np.arange(GRID.count).reshape(GRID.height, GRID.width)[:, ::-1].ravel()
    plain = backbone(folders["vit"])
    straight = plain.features(picture).tokens
    mirrored = plain.features(picture[:, ::-1]).tokens[numbers]
    cosines = (straight @ straight.T + mirrored @ mirrored.T) / 2

    found = backbone(folders["vit"], flip=True).attention(picture).matrix

    np.testing.assert_allclose(found, softmax(cosines / 0.07), rtol=0, atol=2e-6)


def test_locality_keeps_tokens_to_their_neighbourhood(folders, picture):
    keys = backbone(folders["vit"]).features(picture).tokens
    rows, columns = np.indices((GRID.height, GRID.width)).reshape(2, -1)
    squares = np.subtract.outer(rows, rows) ** 2 + np.subtract.outer(columns, columns) ** 2
    expected = softmax(keys @ keys.T / 0.07 - squares / (2 * 1.5**2))

    found = backbone(folders["vit"], locality=1.5)

    np.testing.assert_allclose(found.attention(picture).matrix, expected, rtol=0, atol=2e-6)
    features = found.features(picture)
    affinity = gaussian_affinity(features.tokens, temperature=features.temperature)
    affinity /= affinity.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(affinity, expected, rtol=0, atol=1e-5)


def test_half_precision_sees_about_the_same(folders, picture):
    full = backbone(folders["vit"], kind="attention").attention(picture).matrix
    half = backbone(folders["vit"], kind="attention", precision="bf16").attention(picture).matrix

    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 0.05


def test_colours_are_normalised_as_the_folder_says(tmp_path, folders, picture):
    save_vit("vit", tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(
        '{"do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.5, 0.5]}'
    )
    # The same numbers reach the network if the picture's are moved the other way.
    as_imagenet = (picture / 255.0 - [0.5, 0.5, 0.5]) / [0.25, 0.5, 0.5] * DEVIATION + MEAN
    _, keys = eager_run(folders["vit"], as_imagenet * 255.0, 1)

    found = backbone(tmp_path).features(picture).tokens

    np.testing.assert_allclose(found, unit_keys(keys[1:]), rtol=0, atol=1e-5)


def test_only_the_layers_up_to_the_wanted_one_are_loaded(folders, picture):
    network = backbone(folders["dinov2"], block=0)
    network.features(picture)

    loaded = network._loaded()._model
    names = {name.split(".")[2] for name, _ in loaded.named_parameters() if "encoder" in name}
    assert names == {"0"}


def test_building_loads_nothing_heavy(folders):
    program = (
        "import sys\n"
        "from fewclicks.backbones.registry import create_backbone\n"
        f"create_backbone({str(folders['vit'])!r})\n"
        "print(sorted({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert run.stdout.strip() == "[]"


def test_threads_share_one_network_and_see_each_its_own_picture(folders, monkeypatch):
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (40, 56, 3), dtype=np.uint8) for _ in range(6)]
    settings = {"kind": "attention", "stride": 4}
    alone = backbone(folders["vit"], **settings)
    expected = [alone.attention(image).matrix for image in pictures]
    loads = []
    load = vit_network.load_network
    monkeypatch.setattr(
        vit_network, "load_network", lambda *args, **more: loads.append(1) or load(*args, **more)
    )

    shared = backbone(folders["vit"], **settings)
    found = [None] * len(pictures)

    def look(k: int) -> None:
        found[k] = shared.attention(pictures[k]).matrix

    threads = [threading.Thread(target=look, args=(k,)) for k in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
    assert len(loads) == 1


def test_a_folder_is_a_backbone_by_its_name(folders, picture):
    network = create_backbone(str(folders["vit"]), block="0", stride="8", side="32", device="cpu")

    assert network.name == str(folders["vit"])
    assert network.features(picture).grid == Grid(4, 4)


def test_a_published_backbone_is_its_own_settings_until_others_are_given(
    tmp_path, monkeypatch, picture
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    save_vit("dinov2", tmp_path / "weights" / "dinov2-small")

    published = create_backbone("dinov2-small", stride=PATCH)

    assert published.name == "dinov2-small"
    assert (published.config.kind, published.config.side) == ("attention", 1120)
    own = create_backbone("dinov2-small", stride=PATCH, side=40, kind="keys")
    assert own.attention(picture).grid == Grid(5, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": ""}, "weights is empty"),
        ({"kind": "values"}, "kind is 'values'; needs one of keys, attention"),
        ({"stride": 0}, "stride is 0; needs at least 1 pixel"),
        ({"stride": 9}, "stride is 9; needs at most the patch's side, 8 pixels"),
        ({"longest_side": 0}, "longest_side is 0"),
        ({"side": -3}, "side is -3"),
        ({"temperature": 0.0}, "temperature is 0.0; needs a number above 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"locality": -1.0}, "locality is -1.0; needs a number from 0 on"),
        ({"block": 3}, "block is 3; needs a number from -3 to 2, since the network has 3 layers"),
        ({"block": -4}, "block is -4; needs a number from -3 to 2"),
        ({"device": "tpu"}, "device is 'tpu'; needs one of auto, cpu, cuda, mps"),
        ({"precision": "fp64"}, "precision is 'fp64'; needs one of auto, fp32, fp16, bf16"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_once(folders, settings, message):
    with pytest.raises(InputError, match=message):
        VitBackbone(VitConfig(**{"weights": str(folders["vit"]), **settings}))


def test_weights_that_are_not_here_are_found_out_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))

    with pytest.raises(WeightsError, match="fewclicks weights fetch dinov2-base"):
        create_backbone("dinov2-base")
    with pytest.raises(WeightsError, match="some/where"):
        create_backbone("some/where")
    with pytest.raises(UnknownEntryError, match="Did you mean 'dinov2-base'"):
        create_backbone("dinov2-bas")


def test_a_pickle_is_named_and_never_read(tmp_path):
    save_vit("vit", tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")

    with pytest.raises(WeightsError, match=r"pytorch_model\.bin is a pickle.*save_pretrained"):
        create_backbone(str(tmp_path))


def test_a_network_of_one_layer_has_keys_too(tmp_path, picture):
    save_vit("vit", tmp_path, num_hidden_layers=1)

    assert backbone(tmp_path).features(picture).grid == GRID


def save_other(config_type: type, folder: Path, **settings) -> Path:
    config = config_type(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        image_size=32,
        patch_size=PATCH,
        **settings,
    )
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def test_attention_with_a_bias_that_is_not_kept_is_refused_and_keys_are_not(tmp_path, picture):
    save_other(BeitConfig, tmp_path, use_relative_position_bias=True)

    with pytest.raises(InputError, match=r"adds a bias to its attention.*set kind=keys"):
        backbone(tmp_path, kind="attention").attention(picture)
    assert backbone(tmp_path, kind="keys").attention(picture).grid == GRID


def test_a_network_that_cannot_be_looked_into_is_refused(tmp_path, picture):
    save_other(Data2VecVisionConfig, tmp_path)

    with pytest.raises(InputError, match="attention of a 'data2vec-vision' cannot be looked into"):
        backbone(tmp_path).features(picture)


def test_patches_whose_places_are_not_learnt_cannot_overlap(tmp_path, picture):
    save_other(DINOv3ViTConfig, tmp_path)

    with pytest.raises(InputError, match="'dinov3_vit' cannot overlap; set stride=8"):
        backbone(tmp_path, stride=4).features(picture)
    assert backbone(tmp_path, stride=8).features(picture).grid == GRID
