"""A click network set by hand: it calls what is brighter than the rest the object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fewclicks.methods.transformer.icmformer_swin_network import (
    ICMFormerSwinNetwork,
    ICMFormerSwinNetworkConfig,
)
from fewclicks.methods.transformer.network_files import save_network
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)


def bright_network(
    kind: type[SimpleClickNetwork] = SimpleClickNetwork, **settings: Any
) -> SimpleClickNetwork:
    """Its blocks add nothing; one branch of the pyramid passes red on, the head weighs it.

    The pyramid's norm subtracts the mean of what is seen, so brightness is always relative.
    Fusion, where there is one, passes on the stream of clicks.
    """
    config: SimpleClickNetworkConfig = kind.config_type(
        dim=2, depth=2, heads=1, patch=2, levels=(1, 1, 1, 1), head=1, side=64, window=8, **settings
    )
    network = kind(config)
    for name, values in network.named_parameters():
        is_norm = values.ndim == 1 and name.endswith("weight")
        torch.nn.init.constant_(values, 1.0 if is_norm else 0.0)
    with torch.no_grad():
        network.backbone.embed.weight[0, 0] = 1 / 4  # the mean of a patch
        sixteenth = network.neck.levels[2]
        sixteenth[0].weight[0, 0] = 1.0
        network.head.levels[2].weight[:] = 1.0
        network.head.fuse.weight[0, 2] = 1.0
        network.head.classify.weight[:] = 20.0
        network.head.classify.bias[:] = -10.0
        for name, values in network.named_parameters():
            if name == "fusion.skip.weight":
                values[:, 2:, 0, 0] = torch.eye(2)
    return network.eval()


def bright_swin() -> ICMFormerSwinNetwork:
    """The same with stages: the first tells bright from dark by the sign of its norm."""
    config = ICMFormerSwinNetworkConfig(
        dim=2, depths=(1, 1, 1, 1), heads=(1, 1, 1, 1), window=2, cross=1, cross_heads=1, head=1,
        side=128,
    )  # fmt: skip
    network = ICMFormerSwinNetwork(config)
    for name, values in network.named_parameters():
        is_norm = values.ndim == 1 and name.endswith("weight")
        torch.nn.init.constant_(values, 1.0 if is_norm else 0.0)
    with torch.no_grad():
        patches = network.backbone.model.embeddings.patch_embeddings.projection
        patches.weight[0, 0], patches.weight[1, 0] = 1 / 16, -1 / 16
        network.head.levels[0].weight[0, 0] = 1.0
        network.head.fuse.weight[0, 0] = 1.0
        network.head.classify.weight[:] = 20.0
        network.head.classify.bias[:] = -10.0
    return network.eval()


def save_bright_swin(file: Path) -> Path:
    """Write it where a method can be told to find it."""
    save_network(bright_swin(), file)
    return file


def save_bright_network(
    file: Path, kind: type[SimpleClickNetwork] = SimpleClickNetwork, **settings: Any
) -> Path:
    """Write it where a method can be told to find it."""
    save_network(bright_network(kind, **settings), file)
    return file
