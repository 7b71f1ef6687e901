"""iCMFormer's network against its plain form, and against published sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import plain_icmformer as plain
from fewclicks.errors import InputError, WeightsError
from fewclicks.methods.registry import find_method
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.icmformer_network import (
    ICMFormerNetwork,
    ICMFormerNetworkConfig,
)
from fewclicks.methods.transformer.network_files import build_empty, load_network
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)
from multiply_adds import layer_multiply_adds, multiply_adds

WINDOWED = ICMFormerNetworkConfig(
    dim=12, depth=6, heads=3, patch=4, levels=(6, 5, 7, 30), head=5, side=32, window=4,
    global_every=2, cross=3,
)  # fmt: skip
WIDE = ICMFormerNetworkConfig(
    dim=24, depth=4, heads=2, patch=2, levels=(4, 6, 7, 9), head=8, side=12, window=3,
    global_every=3, cross=1,
)  # fmt: skip


def lively(config: ICMFormerNetworkConfig) -> ICMFormerNetwork:
    """A network whose every number matters: also biases and norms, which begin as 0 and 1."""
    torch.manual_seed(0)
    network = ICMFormerNetwork(config).eval()
    with torch.no_grad():
        for values in network.parameters():
            values += 0.2 * torch.randn_like(values)
    return network


def inputs(side: int, count: int = 2) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(side)
    return [torch.rand(2, 3, side, side, generator=random) for _ in range(count)]


@pytest.mark.parametrize("config", [WINDOWED, WIDE], ids=["windowed", "wide"])
def test_logits_are_those_of_the_plain_form(config: ICMFormerNetworkConfig):
    network = lively(config)
    image, guidance = inputs(config.side)

    with torch.no_grad():
        answered = network(image, guidance)

    assert answered.shape == (2, 1, config.side, config.side)
    for number in range(2):
        picture = plain.Picture(
            plain.numbers(network),
            image[number].double().numpy(),
            heads=config.heads,
            window=config.window,
            global_every=config.global_every,
        )
        expected = plain.icmformer(picture, guidance[number].double().numpy())
        assert expected.std() > 1e-2
        spread = np.abs(expected).max()
        np.testing.assert_allclose(answered[number, 0].numpy(), expected, atol=1e-4 * spread)


def test_what_the_picture_alone_gives_can_be_kept():
    network = lively(WIDE)
    image, guidance = inputs(12)

    with torch.no_grad():
        seen = network.see(image)
        assert torch.equal(network.answer(seen, guidance), network(image, guidance))
        assert torch.equal(network.answer(seen, 1 - guidance), network(image, 1 - guidance))


def as_authors_call_them(network: ICMFormerNetwork) -> dict[str, torch.Tensor]:
    """As their released program names what it makes, with what only a classifier uses."""
    called = {}
    for name, values in network.state_dict().items():
        if name.startswith("cross."):
            name = f"backbone.blocks2.{name.removeprefix('cross.')}"
            name = name.replace(".attention.", ".attn1.").replace(".cross.", ".attn2.")
        for ours, theirs in [
            ("backbone.embed.", "backbone.patch_embed.proj."),
            ("guidance.", "patch_embed_coords.proj."),
            (".attention.", ".attn."),
            (".out.", ".proj."),
            ("mlp.0", "mlp.fc1"),
            ("mlp.2", "mlp.fc2"),
            ("neck.levels.0", "neck.down_4"),
            ("neck.levels.1", "neck.down_8"),
            ("neck.levels.2", "neck.down_16"),
            ("neck.levels.3", "neck.down_32"),
            ("head.fuse", "head.fusion_conv.conv"),
            ("head.classify", "head.conv_seg"),
        ]:
            name = name.replace(ours, theirs)
        for level in range(4):
            name = name.replace(f"head.levels.{level}", f"head.convs.{level}.conv")
        called[name] = values
    places = called.pop("backbone.position").flatten(2).transpose(1, 2)
    called["backbone.pos_embed"] = torch.cat([torch.ones_like(places[:, :1]), places], dim=1)
    unused = {"backbone.cls_token": (1, 1, 160), "backbone.fc_norm.bias": (160,)}
    return called | {name: torch.ones(shape) for name, shape in unused.items()}


def test_the_authors_tensors_are_read_under_their_own_names(tmp_path: Path):
    torch.manual_seed(0)
    network = ICMFormerNetwork(ICMFormerNetworkConfig(size="xtiny")).eval()
    tensors = as_authors_call_them(network)
    assert "backbone.blocks2.1.attn2.proj.bias" in tensors
    stored = {name: values.contiguous() for name, values in tensors.items()}
    save_file(stored, tmp_path / "authors.safetensors")

    loaded = load_network(tmp_path / "authors.safetensors", ICMFormerNetwork)

    assert loaded.config == network.config
    for name, values in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], values)
    with pytest.raises(
        WeightsError, match="holds a network of icmformer; needs one of simpleclick"
    ):
        load_network(tmp_path / "authors.safetensors")


def test_gradients_reach_every_part():
    network = lively(WINDOWED).train()
    network(*inputs(32)).square().sum().backward()

    assert all(values.grad is not None for values in network.parameters())
    unmoved = [
        name
        for name, values in network.named_parameters()
        if values.grad is not None and not values.grad.abs().sum() > 0
    ]
    assert unmoved == []


def test_the_base_network_has_the_published_number_of_parameters():
    network = build_empty(ICMFormerNetwork, ICMFormerNetworkConfig())

    counted = count_parameters(network)

    assert counted / 1e6 == pytest.approx(124.81, rel=1e-3)  # iCMFormer++, Table 10
    assert counted == find_method("icmformer").parameters
    assert [count_parameters(block) / 1e6 for block in network.cross] == pytest.approx(
        [9.45] * 3, rel=1e-3
    )


@pytest.mark.parametrize(("size", "blocks", "millions"), [("large", 5, 406.2), ("huge", 6, 816.8)])
def test_larger_sizes_have_as_many_blocks_as_published(size: str, blocks: int, millions: float):
    """No count is published: that of SimpleClick, and of the blocks, two attentions and a MLP."""
    config = ICMFormerNetworkConfig(size=size)
    simple = count_parameters(build_empty(SimpleClickNetwork, SimpleClickNetworkConfig(size=size)))
    network = build_empty(ICMFormerNetwork, config)

    attention, mlp = 4 * (config.dim**2 + config.dim), 8 * config.dim**2 + 5 * config.dim
    expected = simple + blocks * (2 * attention + mlp + 6 * config.dim)
    assert len(network.cross) == blocks
    assert count_parameters(network) == expected
    assert expected / 1e6 == pytest.approx(millions, abs=0.1)


@pytest.mark.long
@pytest.mark.parametrize("size", ["large", "huge"])
def test_larger_sizes_answer(size: str):
    network = ICMFormerNetwork(ICMFormerNetworkConfig(size=size)).eval()
    with torch.no_grad():
        answered = network(*(torch.rand(1, 3, 224, 224) for _ in range(2)))

    assert answered.shape == (1, 1, 224, 224)
    assert answered.isfinite().all()


def test_published_multiply_adds_are_those_of_layers():
    """iCMFormer++, Table 10, at 448 x 448.

    In each of three blocks the authors' program projects both that ask and both that answer to
    queries, keys and values: four such layers. Ours has one, which it calls, and one of which it
    uses parts. Their head mixes all levels at the size of the finest, in one layer; ours uses that
    layer's parts, each at its own size.
    """
    with torch.device("meta"):
        picture = [torch.empty(1, 3, 448, 448) for _ in range(2)]
    simple = build_empty(SimpleClickNetwork, SimpleClickNetworkConfig())
    network = build_empty(ICMFormerNetwork, ICMFormerNetworkConfig())

    mixing = 2e-9 * 112 * 112 * 4 * 256**2
    assert layer_multiply_adds(simple, *picture) + mixing == pytest.approx(169.78, rel=2e-3)
    projection = 2e-9 * 28 * 28 * 3 * 768**2
    called = layer_multiply_adds(network, *picture) + mixing
    assert called + 3 * (4 - 1) * projection == pytest.approx(297.54, rel=2e-3)


def test_true_multiply_adds_are_fewer_than_published():
    with torch.device("meta"):
        picture = [torch.empty(1, 3, 448, 448) for _ in range(2)]
    simple = build_empty(SimpleClickNetwork, SimpleClickNetworkConfig())
    network = build_empty(ICMFormerNetwork, ICMFormerNetworkConfig())

    assert multiply_adds(simple, *picture) == pytest.approx(157.12, abs=0.01)
    assert multiply_adds(network, *picture) == pytest.approx(275.19, abs=0.01)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cross": -1}, "cross is -1"),
        ({"depth": 5}, "depth is 5; needs an even number"),
        ({"size": "small"}, "size is 'small'"),
    ],
)
def test_a_shape_that_no_network_has_is_refused(settings: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        ICMFormerNetworkConfig(**settings)
