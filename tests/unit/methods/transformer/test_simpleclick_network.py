"""SimpleClick's network against its plain form, and against published sizes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

import plain_simpleclick as plain
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.registry import find_method
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.network_files import build_empty
from fewclicks.methods.transformer.simpleclick_network import (
    SIZES,
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

WINDOWED = SimpleClickNetworkConfig(
    dim=12, depth=5, heads=3, patch=4, levels=(6, 5, 7, 30), head=5, side=32, window=4,
    global_every=2,
)  # fmt: skip
WIDE = SimpleClickNetworkConfig(
    dim=24, depth=4, heads=2, patch=2, levels=(4, 6, 7, 9), head=8, side=12, window=3,
    global_every=3,
)  # fmt: skip


def lively(config: SimpleClickNetworkConfig, seed: int = 0) -> SimpleClickNetwork:
    """A network whose every number matters: also biases and norms, which begin as 0 and 1."""
    torch.manual_seed(seed)
    network = SimpleClickNetwork(config).eval()
    with torch.no_grad():
        for values in network.parameters():
            values += 0.2 * torch.randn_like(values)
    return network


def inputs(height: int, width: int, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(height + width)
    image = torch.rand(batch, 3, height, width, generator=random)
    guidance = torch.rand(batch, 3, height, width, generator=random)
    return image, guidance


@pytest.mark.parametrize("config", [WINDOWED, WIDE], ids=["windowed", "wide"])
def test_logits_are_those_of_the_plain_form(config: SimpleClickNetworkConfig):
    network = lively(config)
    image, guidance = inputs(config.side, config.side)

    with torch.no_grad():
        answered = network(image, guidance)

    assert answered.shape == (2, 1, config.side, config.side)
    for number in range(2):
        expected = plain.logits(
            plain.as_authors_call_them(network),
            image[number].double().numpy(),
            guidance[number].double().numpy(),
            heads=config.heads,
            window=config.window,
            global_every=config.global_every,
        )
        assert expected.std() > 1e-2
        spread = np.abs(expected).max()
        np.testing.assert_allclose(answered[number, 0].numpy(), expected, atol=1e-4 * spread)


def test_a_wide_picture_is_cut_into_windows_of_equal_size():
    network = lively(WINDOWED)
    image, guidance = inputs(32, 48, batch=1)
    tensors = plain.as_authors_call_them(network)
    places = network.backbone.places(8, 12).detach().double().numpy().reshape(1, 96, 12)
    tensors["backbone.pos_embed"] = np.concatenate([np.zeros((1, 1, 12)), places], axis=1)

    with torch.no_grad():
        answered = network(image, guidance)[0, 0]
    expected = plain.logits(
        tensors,
        image[0].double().numpy(),
        guidance[0].double().numpy(),
        heads=3,
        window=4,
        global_every=WINDOWED.global_every,
    )

    np.testing.assert_allclose(answered.numpy(), expected, atol=1e-4 * np.abs(expected).max())


def test_places_are_spread_over_a_larger_grid_as_a_cubic_resize_spreads_them():
    network = lively(WINDOWED)
    learnt = network.backbone.position.detach()[0].permute(1, 2, 0).numpy()

    spread = network.backbone.places(13, 20).detach()[0].numpy()

    expected = cv2.resize(learnt, (20, 13), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(spread, expected, atol=1e-4)
    assert np.array_equal(network.backbone.places(8, 8).detach()[0].numpy(), learnt)


def test_windows_do_not_see_each_other_before_the_first_global_block():
    network = lively(WINDOWED).double()
    tokens = torch.randn(1, 8, 8, 12, dtype=torch.float64)
    touched = tokens.clone()
    touched[0, 0, 0] += torch.randn(12, dtype=torch.float64)

    def changed(stop: int) -> torch.Tensor:
        with torch.no_grad():
            apart = network.backbone(tokens, stop=stop) - network.backbone(touched, stop=stop)
        return apart.abs().amax(dim=-1)[0] > 0

    in_window = torch.zeros(8, 8, dtype=torch.bool)
    in_window[:4, :4] = True
    assert torch.equal(changed(1), in_window)
    assert changed(2).all()


def test_blocks_run_in_parts_are_the_blocks_run_at_once():
    network = lively(WIDE)
    tokens = torch.randn(2, 6, 6, 24)

    with torch.no_grad():
        halfway = network.backbone(tokens, stop=2)
        whole = network.backbone(tokens)
        assert torch.equal(network.backbone(halfway, start=2), whole)


def test_what_the_picture_alone_gives_can_be_kept():
    network = lively(WIDE)
    image, guidance = inputs(12, 12)

    with torch.no_grad():
        kept = network.embed_image(image)
        parts = network.decode(network.encode(kept + network.embed_guidance(guidance)), (12, 12))
        assert torch.equal(parts, network(image, guidance))


# In millions, cut off or rounded: arXiv:2210.11006, and for ViT-B iCMFormer++'s Table 10 as well.
@pytest.mark.parametrize(
    ("size", "published"), [("xtiny", 3.72), ("base", 96.46), ("large", 322.18), ("huge", 659.39)]
)
def test_published_sizes_have_the_published_number_of_parameters(size: str, published: float):
    config = SimpleClickNetworkConfig(size=size)
    counted = count_parameters(build_empty(SimpleClickNetwork, config)) / 1e6

    assert counted == pytest.approx(published, rel=2e-4)


def test_the_base_network_spends_its_parameters_where_the_published_one_does():
    network = build_empty(SimpleClickNetwork, SimpleClickNetworkConfig())

    counted = [
        count_parameters(part) / 1e6
        for part in (network.backbone.blocks, network.guidance, network.neck, network.head)
    ]

    assert counted == pytest.approx([85.05, 1.18 / 2, 9.48, 0.76], abs=0.006)
    assert network.backbone.position.numel() == 28 * 28 * 768
    assert find_method("simpleclick").parameters == count_parameters(network)


def test_published_sizes_have_the_published_windows_and_global_blocks():
    windows = {size: SimpleClickNetworkConfig(size=size).window for size in SIZES}
    every = {size: SimpleClickNetworkConfig(size=size).global_every for size in SIZES}

    assert windows == {"xtiny": 14, "base": 14, "large": 14, "huge": 16}
    assert every == {"xtiny": 2, "base": 6, "large": 6, "huge": 8}


def test_what_is_not_given_comes_from_the_size():
    mini = SimpleClickNetworkConfig(size="xtiny", dim=192, depth=12, heads=3)

    assert mini.levels == SIZES["xtiny"].levels
    assert (mini.patch, mini.window, mini.global_every, mini.grid) == (16, 14, 6, 28)
    assert SimpleClickNetworkConfig() == SimpleClickNetworkConfig(dim=768, depth=12)


def test_dropout_is_at_work_in_training_alone():
    network = lively(WIDE)
    image, guidance = inputs(12, 12)

    with torch.no_grad():
        assert torch.equal(network(image, guidance), network(image, guidance))
        network.train()
        assert not torch.equal(network(image, guidance), network(image, guidance))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": "small"}, "size is 'small'; needs one of xtiny, base, large, huge"),
        ({"dim": 100}, "dim is 100; needs a multiple of heads, 12"),
        ({"depth": -1}, "depth is -1"),
        ({"side": 450}, "side is 450; needs a multiple of patch, 16"),
        ({"levels": (1, 2, 3)}, "levels is"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"side": 464}, "A grid of 29 x 29 tokens has no equal windows of 14"),
    ],
)
def test_a_shape_that_no_network_has_is_refused(settings: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        SimpleClickNetworkConfig(**settings)


@pytest.mark.parametrize(
    ("image", "guidance", "said"),
    [
        ((1, 3, 32, 32), (1, 3, 32, 36), r"guidance has shape \(1, 3, 32, 36\)"),
        ((1, 3, 32, 30), (1, 3, 32, 30), "multiples of 4"),
        ((1, 3, 4, 32), (1, 3, 4, 32), "from 8 on"),
        ((1, 3, 32, 36), (1, 3, 32, 36), "no equal windows"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    image: tuple[int, ...], guidance: tuple[int, ...], said: str
):
    with pytest.raises(ShapeError, match=said):
        lively(WINDOWED)(torch.zeros(image), torch.zeros(guidance))
