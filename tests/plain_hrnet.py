"""HRNet written plainly, over tensors by their published names; only the paper was read for it.

For pictures whose sides are multiples of 32. Slow, and meant to be.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]


def branches(tensors: Tensors, pictures: torch.Tensor) -> list[torch.Tensor]:
    """(n, 3, h, w) to features of a fourth, an eighth, a 16th and a 32nd of the sides."""
    values = relu(normed(tensors, "bn1", conv(tensors, "conv1", pictures, stride=2)))
    values = relu(normed(tensors, "bn2", conv(tensors, "conv2", values, stride=2)))
    for number in range(count(tensors, "layer1.{}.conv1.weight")):
        values = bottleneck(tensors, f"layer1.{number}", values)

    fine = conv_norm(tensors, "transition1.0", values)
    coarse = conv_norm(tensors, "transition1.1.0", values, stride=2)
    shown = [relu(fine), relu(coarse)]
    for stage in (2, 3, 4):
        if stage > 2:
            name = f"transition{stage - 1}.{stage - 1}.0"
            shown.append(relu(conv_norm(tensors, name, shown[-1], stride=2)))
        for number in range(count(tensors, f"stage{stage}.{{}}.branches.0.0.conv1.weight")):
            shown = exchange(tensors, f"stage{stage}.{number}", shown)
    return shown


def exchange(tensors: Tensors, at: str, shown: list[torch.Tensor]) -> list[torch.Tensor]:
    """Blocks on each branch; then each is the sum of all, brought to its channels and cells."""
    for i in range(len(shown)):
        for number in range(count(tensors, f"{at}.branches.{i}.{{}}.conv1.weight")):
            shown[i] = basic(tensors, f"{at}.branches.{i}.{number}", shown[i])
    summed = []
    for i in range(len(shown)):
        total = shown[i].clone()
        for j in range(len(shown)):
            name, values = f"{at}.fuse_layers.{i}.{j}", shown[j]
            if j > i:
                values = conv_norm(tensors, name, values)
                times = 2 ** (j - i)
                total += values.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)
            elif j < i:
                for step in range(i - j):
                    values = conv_norm(tensors, f"{name}.{step}", values, stride=2)
                    values = relu(values) if step < i - j - 1 else values
                total += values
        summed.append(relu(total))
    return summed


def basic(tensors: Tensors, at: str, values: torch.Tensor) -> torch.Tensor:
    inner = relu(normed(tensors, f"{at}.bn1", conv(tensors, f"{at}.conv1", values)))
    return relu(values + normed(tensors, f"{at}.bn2", conv(tensors, f"{at}.conv2", inner)))


def bottleneck(tensors: Tensors, at: str, values: torch.Tensor) -> torch.Tensor:
    inner = values
    for number in (1, 2, 3):
        inner = conv(tensors, f"{at}.conv{number}", inner)
        inner = normed(tensors, f"{at}.bn{number}", inner)
        inner = relu(inner) if number < 3 else inner
    if f"{at}.downsample.0.weight" in tensors:
        values = conv_norm(tensors, f"{at}.downsample", values)
    return relu(values + inner)


def conv_norm(tensors: Tensors, at: str, values: torch.Tensor, *, stride: int = 1) -> torch.Tensor:
    return normed(tensors, f"{at}.1", conv(tensors, f"{at}.0", values, stride=stride))


def conv(tensors: Tensors, name: str, values: torch.Tensor, *, stride: int = 1) -> torch.Tensor:
    weight = tensors[f"{name}.weight"]
    return functional.conv2d(values, weight, stride=stride, padding=weight.shape[-1] // 2)


def normed(tensors: Tensors, name: str, values: torch.Tensor) -> torch.Tensor:
    mean, variance, factor, bias = (
        tensors[f"{name}.{kind}"][:, None, None]
        for kind in ("running_mean", "running_var", "weight", "bias")
    )
    return (values - mean) / (variance + 1e-5).sqrt() * factor + bias


def relu(values: torch.Tensor) -> torch.Tensor:
    return values.clamp(min=0)


def count(tensors: Tensors, pattern: str) -> int:
    return sum(pattern.format(number) in tensors for number in range(99))
