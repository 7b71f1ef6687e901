"""Initialising: the blocks do what they did in the transformer that they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel

from fewclicks.errors import WeightsError
from fewclicks.methods.transformer.initialising import initialise_from
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)
from small_vits import save_vit

SMALL: dict[str, Any] = {
    "dim": 32, "depth": 3, "heads": 2, "patch": 8, "levels": (8, 8, 8, 8), "head": 8,
    "side": 32, "window": 4,
}  # fmt: skip


def network_of(**settings: Any) -> SimpleClickNetwork:
    torch.manual_seed(3)
    return SimpleClickNetwork(SimpleClickNetworkConfig(**{**SMALL, **settings})).eval()


def places_and_blocks(source: Any, pixels: torch.Tensor) -> torch.Tensor:
    """What a Hugging Face model makes of the patches of (b, 3, H, W), without its class token."""
    rows, columns = pixels.shape[2] // 8, pixels.shape[3] // 8
    embeddings = source.embeddings
    patches = embeddings.patch_embeddings.projection(pixels).flatten(2).transpose(1, 2)
    with_class = torch.zeros(1, 1 + rows * columns, 32)
    places = embeddings.interpolate_pos_encoding(with_class, *pixels.shape[2:])[:, 1:]
    tokens = patches + places
    layers = source.layers if hasattr(source, "layers") else source.encoder.layer
    for layer in layers:
        answered = layer(tokens)
        tokens = answered if isinstance(answered, torch.Tensor) else answered[0]
    return tokens.reshape(len(pixels), rows, columns, 32)


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        ("vit", 32),
        ("vit", 64),
        ("dinov2", 32),
        ("dinov2", 64),
        ("dinov2_with_registers", 32),  # smooths its places as it resizes them; we do not
    ],
)
def test_without_windows_and_clicks_the_network_sees_what_the_transformer_sees(
    tmp_path: Path, kind: str, side: int
):
    folder = save_vit(kind, tmp_path, intermediate_size=128)
    source = AutoModel.from_pretrained(folder)
    if kind.startswith("dinov2"):  # the factors of its branches begin as 1
        with torch.no_grad():
            for name, values in source.named_parameters():
                if name.endswith("lambda1"):
                    values.copy_(torch.rand(32) + 0.5)
        source.save_pretrained(folder)
    network = network_of(side=side, window=side // 8)
    initialise_from(network, folder)
    image = torch.rand(2, 3, side, side)
    mean, deviation = (
        torch.tensor(values).view(3, 1, 1)
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )

    with torch.no_grad():
        seen = network.backbone(network.embed_image(image))
        expected = places_and_blocks(source.eval(), (image - mean) / deviation)

    np.testing.assert_allclose(seen.numpy(), expected.numpy(), atol=1e-4 * expected.abs().max())


def test_a_masked_autoencoder_gives_its_encoder(tmp_path: Path):
    folder = save_vit("vit_mae", tmp_path, intermediate_size=128)
    network = network_of()

    initialise_from(network, folder)

    stored = load_file(folder / "model.safetensors")
    [places] = [values for name, values in stored.items() if name.endswith("position_embeddings")]
    taken = network.backbone.position.detach().flatten(2).transpose(1, 2)
    assert torch.equal(taken, places[:, 1:])


def test_a_pretrained_masked_autoencoder_with_its_decoder_is_read_as_well(tmp_path: Path):
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    torch.manual_seed(0)
    config = ViTMAEConfig(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=128,
        image_size=32, patch_size=8, decoder_hidden_size=16, decoder_num_hidden_layers=4,
        decoder_num_attention_heads=2, decoder_intermediate_size=32,
    )  # fmt: skip
    source = ViTMAEForPreTraining(config)
    source.save_pretrained(tmp_path)
    network = network_of()

    initialise_from(network, tmp_path)

    weight = source.vit.embeddings.patch_embeddings.projection.weight
    assert torch.allclose(network.backbone.embed.weight, weight)


def test_the_colours_that_a_transformer_was_trained_on_are_taken_over(vit_tiny: Path):
    network = network_of(size="xtiny", dim=192, depth=12, heads=3, patch=16, side=448, window=14)
    initialise_from(network, vit_tiny)
    stored = load_file(vit_tiny / "model.safetensors")
    image = torch.rand(1, 3, 32, 32)
    weight = stored["embeddings.patch_embeddings.projection.weight"].float()
    bias = stored["embeddings.patch_embeddings.projection.bias"].float()

    with torch.no_grad():
        embedded = network.embed_image(image) - network.backbone.places(2, 2)
        its_own = torch.nn.functional.conv2d((image - 0.5) / 0.5, weight, bias, stride=16)

    expected = its_own.permute(0, 2, 3, 1)
    np.testing.assert_allclose(embedded.numpy(), expected.numpy(), atol=1e-4)


def test_guidance_pyramid_and_head_stay_as_they_were(tmp_path: Path):
    network, before = network_of(), network_of()

    initialise_from(network, save_vit("vit", tmp_path, intermediate_size=128))

    changed = {
        name.partition(".")[0]
        for name, values in network.state_dict().items()
        if not torch.equal(values, before.state_dict()[name])
    }
    assert changed == {"backbone"}
    assert all(
        not torch.equal(values, before.backbone.state_dict()[name])
        for name, values in network.backbone.state_dict().items()
        if values.ndim > 1
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"depth": 4}, "has 3 blocks, the network 4"),
        ({"patch": 4}, "has 8 pixels a patch, the network 4"),
        ({"dim": 16}, r"does not fit the network: position has \(1, 32, 4, 4\)"),
    ],
)
def test_a_transformer_of_another_shape_is_refused(
    tmp_path: Path, settings: dict[str, int], said: str
):
    folder = save_vit("vit", tmp_path, intermediate_size=128)

    with pytest.raises(WeightsError, match=said):
        initialise_from(network_of(**settings), folder)


def test_weights_that_are_not_here_say_how_to_fetch_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(WeightsError, match="weights fetch owner/none"):
        initialise_from(network_of(), "owner/none")
