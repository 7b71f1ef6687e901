"""iCMFormer on Swin: the stages are those of transformers, what is between them is ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import SwinConfig, SwinModel

import plain_icmformer as plain
import plain_simpleclick
from fewclicks.errors import InputError, ShapeError, WeightsError
from fewclicks.methods.registry import find_method
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.icmformer_swin_network import (
    ICMFormerSwinNetwork,
    ICMFormerSwinNetworkConfig,
)
from fewclicks.methods.transformer.network_files import load_network, save_network

SMALL = ICMFormerSwinNetworkConfig(
    dim=8,
    depths=(2, 2, 2, 1),
    heads=(1, 2, 2, 4),
    window=2,
    cross=2,
    cross_heads=4,
    head=5,
    side=64,
)  # fmt: skip


def lively() -> ICMFormerSwinNetwork:
    torch.manual_seed(0)
    network = ICMFormerSwinNetwork(SMALL).eval()
    with torch.no_grad():
        for values in network.parameters():
            values += 0.2 * torch.randn_like(values)
    return network


def inputs(height: int = 64, width: int = 64) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return [torch.rand(2, 3, height, width, generator=random) for _ in range(2)]


def small_swin() -> SwinModel:
    torch.manual_seed(1)
    config = SwinConfig(
        image_size=64, embed_dim=8, depths=[2, 2, 2, 1], num_heads=[1, 2, 2, 4], window_size=2,
        initializer_range=0.2,
    )  # fmt: skip
    return SwinModel(config, add_pooling_layer=False).eval()


def stages(network: ICMFormerSwinNetwork, tokens: torch.Tensor, numbers: range) -> torch.Tensor:
    """Run whole stages of transformers on (b, n, channels) of a square; patches are merged."""
    side = int(tokens.shape[1] ** 0.5)
    for number in numbers:
        tokens = network.backbone.model.encoder.layers[number](tokens, (side, side))[0]
        side //= 2
    return tokens


def level(network: ICMFormerSwinNetwork, tokens: torch.Tensor, number: int) -> np.ndarray:
    """One stage without merging, normed, (channels, rows, columns) of the first picture."""
    side = int(tokens.shape[1] ** 0.5)
    for block in network.backbone.model.encoder.layers[number].blocks:
        tokens = block(tokens, (side, side))[0]
    norm = [*network.backbone.norms, network.backbone.model.layernorm][number]
    weight, bias = (values.detach().double().numpy() for values in (norm.weight, norm.bias))
    seen = tokens[0].detach().double().numpy()
    seen = seen - seen.mean(axis=1, keepdims=True)
    normed = seen / np.sqrt((seen**2).mean(axis=1, keepdims=True) + 1e-5) * weight + bias
    return normed.T.reshape(-1, side, side)


def test_logits_are_those_of_three_streams_and_one():
    network = lively()
    image, guidance = (each[:1] for each in inputs())
    tensors = plain.numbers(network)
    mean, deviation = (
        torch.tensor(values, dtype=torch.float32).view(3, 1, 1)
        for values in (plain_simpleclick.MEAN, plain_simpleclick.DEVIATION)
    )

    with torch.no_grad():
        answered = network(image, guidance)[0, 0].numpy()
        embedded = network.backbone.model.embeddings((image - mean) / deviation)[0]
        clicks = network.backbone.model.embeddings(guidance)[0]
        both = embedded + clicks
        levels = [level(network, both, 0), level(network, stages(network, both, range(1)), 1)]
        seen, asking = (
            stages(network, each, range(2))[0].double().numpy() for each in (embedded, clicks)
        )
        for number in range(2):
            asking = plain.cross_modality(tensors, f"cross.{number}", asking, seen, 4)
        joined = torch.from_numpy(seen + asking).float()[None]
        levels += [level(network, joined, 2)]
        levels += [level(network, stages(network, joined, range(2, 3)), 3)]

    assert [each.shape for each in levels] == [(8, 16, 16), (16, 8, 8), (32, 4, 4), (64, 2, 2)]
    expected = plain.head(tensors, levels, (64, 64))
    assert expected.std() > 1e-2
    np.testing.assert_allclose(answered, expected, atol=1e-4 * np.abs(expected).max())


def test_stages_one_by_one_give_what_the_transformer_gives_at_once():
    network = lively()
    pictures, _ = inputs(64, 128)

    with torch.no_grad():
        whole = network.backbone.model(pictures, output_hidden_states=True)
        tokens = network.backbone.embed(pictures)
        for number in range(4):
            features, tokens = network.backbone.stage(number, tokens)
            merged = whole.reshaped_hidden_states[number + 1]
            assert torch.allclose(tokens.permute(0, 3, 1, 2), merged, atol=1e-5)
    flat = features.flatten(2).transpose(1, 2)
    assert torch.allclose(flat, whole.last_hidden_state, atol=1e-5)


def test_what_the_picture_alone_gives_can_be_kept():
    network = lively()
    image, guidance = inputs()

    with torch.no_grad():
        seen = network.see(image)
        for asked in (guidance, 1 - guidance):
            assert torch.equal(network.answer(seen, asked), network(image, asked))


def test_gradients_reach_every_part():
    network = lively().train()
    network(*inputs()).square().sum().backward()

    unmoved = [
        name
        for name, values in network.named_parameters()
        if values.grad is None or not values.grad.abs().sum() > 0
    ]
    assert unmoved == []


def test_a_saved_network_comes_back_as_it_was(tmp_path: Path):
    network = lively()
    save_network(network, tmp_path / "swin.safetensors")

    loaded = load_network(tmp_path / "swin.safetensors", ICMFormerSwinNetwork)

    assert loaded.config == SMALL
    with torch.no_grad():
        assert torch.equal(loaded(*inputs()), network(*inputs()))


def test_a_trained_swin_can_be_begun_with(tmp_path: Path):
    small_swin().save_pretrained(tmp_path)
    network = lively()

    network.backbone.initialise_from(str(tmp_path))

    pictures, _ = inputs()
    with torch.no_grad():
        expected = small_swin()(pictures).last_hidden_state
        assert torch.equal(network.backbone.model(pictures).last_hidden_state, expected)
    assert all(values.requires_grad for values in network.parameters())


def test_a_swin_of_another_shape_is_refused(tmp_path: Path):
    small_swin().save_pretrained(tmp_path)
    network = ICMFormerSwinNetwork(
        ICMFormerSwinNetworkConfig(
            dim=16, depths=(2, 2, 2, 1), heads=(1, 2, 2, 4), window=2, cross=1, side=64
        )
    )

    with pytest.raises(WeightsError, match="does not fit the network"):
        network.backbone.initialise_from(str(tmp_path))


@pytest.mark.long
def test_the_base_network_is_built_at_its_published_size():
    network = ICMFormerSwinNetwork(ICMFormerSwinNetworkConfig()).eval()

    # Swin-B without its classifier has 86.7 M; a block of two attentions and a MLP 4.2 M.
    assert count_parameters(network.backbone.model) / 1e6 == pytest.approx(86.74, abs=0.15)
    assert [count_parameters(block) for block in network.cross] == [
        2 * 4 * (512**2 + 512) + 8 * 512**2 + 5 * 512 + 6 * 512
    ] * 8
    assert count_parameters(network) == find_method("icmformer_swin").parameters
    with torch.no_grad():
        assert network(*(torch.rand(1, 3, 384, 384) for _ in range(2))).isfinite().all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"depths": (2, 2, 18)}, "depths is"),
        ({"heads": (4, 8, 16, 0)}, "heads is"),
        ({"side": 400}, "side is 400; needs a multiple of 32 from 384 on"),
        ({"side": 352}, "side is 352"),
        ({"cross": 0}, "cross is 0"),
        ({"cross_heads": 7}, "cross_heads is 7; needs to divide 512"),
        ({"drop_path": 1.0}, r"drop_path is 1\.0"),
    ],
)
def test_a_shape_that_no_network_has_is_refused(settings: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        ICMFormerSwinNetworkConfig(**settings)


@pytest.mark.parametrize(
    ("image", "guidance", "said"),
    [
        ((1, 3, 64, 64), (1, 3, 64, 96), "guidance has shape"),
        ((1, 3, 64, 80), (1, 3, 64, 80), "multiples of 32"),
        ((1, 3, 32, 64), (1, 3, 32, 64), "from 64 on"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    image: tuple[int, ...], guidance: tuple[int, ...], said: str
):
    with pytest.raises(ShapeError, match=said):
        lively()(torch.zeros(image), torch.zeros(guidance))
