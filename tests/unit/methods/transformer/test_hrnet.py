"""HRNet against its plain form, its published size, and files under the published names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import plain_hrnet as plain
from fewclicks.backbones.weights import find_weights, published_configuration
from fewclicks.errors import WeightsError
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.crop_features import CropFeatures
from fewclicks.methods.transformer.hrnet import HRNet

WIDTHS, DEPTHS = (3, 4, 5, 6), (2, 1, 2, 1)


def lively() -> HRNet:
    """A small network whose every number matters: also norms and their statistics."""
    torch.manual_seed(0)
    network = HRNet(widths=WIDTHS, depths=DEPTHS, stem=3).eval()
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                assert part.running_mean is not None
                assert part.running_var is not None
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2)
                part.weight.uniform_(0.5, 1.5)
                part.bias.normal_()
    return network


def published(network: HRNet) -> dict[str, torch.Tensor]:
    """As files have it: with a classifier, and more channels before it."""
    head = ("incre_modules.0.0.conv1.weight", "final_layer.0.bias", "classifier.weight")
    return {**network.state_dict(), **{name: torch.ones(2) for name in head}}


def small_features() -> CropFeatures:
    return CropFeatures("hrnet-18", widths=WIDTHS, depths=DEPTHS)


def test_branches_are_those_of_the_plain_form():
    network = lively().double()
    pictures = torch.randn(2, 3, 64, 96).double()
    with torch.no_grad():
        seen = network(pictures)
    expected = plain.branches(network.state_dict(), pictures)

    assert [tuple(each.shape) for each in seen] == [
        (2, width, 64 // stride, 96 // stride)
        for width, stride in zip(WIDTHS, (4, 8, 16, 32), strict=True)
    ]
    for ours, theirs in zip(seen, expected, strict=True):
        assert theirs.std() > 0.1
        torch.testing.assert_close(ours, theirs)


def test_pictures_of_any_size_are_looked_at():
    with torch.no_grad():
        seen = lively()(torch.randn(1, 3, 70, 37))

    assert [tuple(each.shape[2:]) for each in seen] == [(18, 10), (9, 5), (5, 3), (3, 2)]


def test_what_an_untrained_network_sees_does_not_grow_out_of_bounds():
    torch.manual_seed(0)
    with torch.no_grad():
        seen = HRNet().eval()(torch.randn(1, 3, 32, 32))

    assert all(0.1 < float(each.square().mean().sqrt()) < 1000 for each in seen)


def test_a_network_that_begins_as_a_published_one_sees_what_that_sees(tmp_path: Path):
    network = lively()
    save_file(published(network), tmp_path / "model.safetensors")
    features = small_features()

    features.initialise_from(str(tmp_path))

    pictures = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        seen = features.train()(pictures)
        branches = network(pictures)
    assert seen.shape == (2, features.width, 4, 6)
    assert features.stride == 16
    third = slice(sum(WIDTHS[:2]), sum(WIDTHS[:3]))
    assert torch.equal(seen[:, third], branches[2])
    cell = branches[0][:, :, 4:8, 8:12].mean(dim=(2, 3))
    torch.testing.assert_close(seen[:, : WIDTHS[0], 1, 2], cell)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"stage3.1.fuse_layers.0.2.0.weight": None}, r"in 1 of \d+ tensors: stage3.* has None"),
        ({"conv1.weight": torch.ones(4, 3, 3, 3)}, r"conv1.weight has \(4, 3, 3, 3\), needs"),
    ],
)
def test_what_a_file_lacks_is_said_in_one_line(
    changed: dict[str, torch.Tensor | None], said: str, tmp_path: Path
):
    tensors = {**published(lively()), **changed}
    held = {name: values for name, values in tensors.items() if values is not None}
    save_file(held, tmp_path / "model.safetensors")

    with pytest.raises(WeightsError, match=said) as refused:
        small_features().initialise_from(str(tmp_path))
    assert "\n" not in str(refused.value)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path):
    (tmp_path / "model.safetensors").write_bytes(b"none")

    with pytest.raises(WeightsError, match=r"cannot be read .* fetch it again") as refused:
        small_features().initialise_from(str(tmp_path))
    assert "\n" not in str(refused.value)


def layer(channels: int, width: int, side: int) -> int:
    """Parameters of a convolution and of its norm."""
    return channels * width * side**2 + 2 * width


def bottleneck(channels: int, inner: int) -> int:
    shortcut = layer(channels, 4 * inner, 1) if channels != 4 * inner else 0
    return (
        layer(channels, inner, 1) + layer(inner, inner, 3) + layer(inner, 4 * inner, 1) + shortcut
    )


def exchange(widths: Sequence[int]) -> int:
    total = sum(4 * 2 * layer(width, width, 3) for width in widths)
    for i, own in enumerate(widths):
        total += sum(layer(finer, own, 3) for finer in widths[:i])
        total += sum(layer(coarser, own, 1) for coarser in widths[i + 1 :])
        total += sum((i - j - 1) * layer(widths[j], widths[j], 3) for j in range(i))
    return total


def trunk(widths: Sequence[int]) -> int:
    first = bottleneck(64, 64) + 3 * bottleneck(256, 64)
    between = layer(256, widths[0], 3) + layer(256, widths[1], 3)
    between += layer(widths[1], widths[2], 3) + layer(widths[2], widths[3], 3)
    stages = exchange(widths[:2]) + 4 * exchange(widths[:3]) + 3 * exchange(widths)
    return layer(3, 64, 3) + layer(64, 64, 3) + first + between + stages


def classifier(widths: Sequence[int]) -> int:
    """More channels for each branch, added up from fine to coarse, and 1000 kinds."""
    inner = (32, 64, 128, 256)
    more = sum(bottleneck(width, each) for width, each in zip(widths, inner, strict=True))
    down = sum(layer(4 * each, 8 * each, 3) + 8 * each for each in inner[:3])
    return more + down + layer(1024, 2048, 1) + 2048 + 2048 * 1000 + 1000


def test_the_network_has_the_published_number_of_parameters():
    widths = (18, 36, 72, 144)
    with torch.device("meta"):
        features = CropFeatures("hrnet-18")

    assert count_parameters(features) == trunk(widths)
    assert trunk(widths) + classifier(widths) == 21_299_004  # as W18-C was published: 21.3 M
    assert features.width == sum(widths)


def test_the_table_knows_where_it_was_published():
    weights = find_weights("timm/hrnet_w18.ms_aug_in1k")

    assert (weights.name, weights.kind, weights.licence) == ("hrnet-18", "crops", "MIT")
    assert published_configuration("hrnet-18")["architecture"] == "hrnet_w18"
