"""Multiply-adds of a network: all of them, and as tools count them that published tables used."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def multiply_adds(network: nn.Module, *given: torch.Tensor) -> float:
    """In billions, twice each: of every product of matrices and every convolution."""
    with (
        FlopCounterMode(display=False) as counter,
        sdpa_kernel(SDPBackend.MATH),
        torch.no_grad(),
    ):
        network.eval()(*given)
    return float(counter.get_total_flops()) / 1e9


def layer_multiply_adds(network: nn.Module, *given: torch.Tensor) -> float:
    """In billions, twice each, as tools count that ask each layer for itself.

    Products within attention belong to no layer; a transposed convolution counts once for each
    pixel that it gives.
    """
    total = 0.0

    def add(layer: nn.Module, taken: tuple[torch.Tensor, ...], given: torch.Tensor) -> None:
        nonlocal total
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        if isinstance(layer, nn.Linear):
            places = taken[0].numel() // layer.in_features
        else:
            assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
            places = given.numel() // layer.out_channels
        total += 2e-9 * places * weight.numel()

    layers = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    hooks = [
        part.register_forward_hook(add) for part in network.modules() if isinstance(part, layers)
    ]
    with torch.no_grad():
        network.eval()(*given)
    for hook in hooks:
        hook.remove()
    return total
