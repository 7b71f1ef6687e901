"""Initialising: a click network begins as a vision transformer that has seen pictures before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel

from fewclicks.backbones.loading import load_network as load_frozen
from fewclicks.backbones.vit_folder import VitFolder, read_vit_folder
from fewclicks.backbones.weights import locate
from fewclicks.errors import WeightsError
from fewclicks.methods.transformer.simpleclick_network import (
    IMAGE_DEVIATION,
    IMAGE_MEAN,
    SimpleClickNetwork,
)

_OF_A_LAYER: Final = re.compile(r"(?:^|\.)(?:layers?|blocks)\.(\d+)\.(.+)$")

# How architectures and versions of transformers call the same tensor.
_CALLED: Final = {
    "norm1": ("layernorm_before", "norm1"),
    "norm2": ("layernorm_after", "norm2"),
    "query": ("attention.q_proj", "attention.attention.query"),
    "key": ("attention.k_proj", "attention.attention.key"),
    "value": ("attention.v_proj", "attention.attention.value"),
    "out": ("attention.o_proj", "attention.output.dense"),
    "first": ("mlp.fc1", "intermediate.dense"),
    "second": ("mlp.fc2", "output.dense"),
}


def initialise_from(network: SimpleClickNetwork, weights: Path | str) -> None:
    """Take patch embedding, places and blocks from a vision transformer.

    Parameters
    ----------
    network
        Of as many blocks and channels, and of the same patches; changed in place. Embedding of
        the guidance, pyramid and head stay as they are.
    weights
        A folder as transformers writes it, or a hub id: MAE, DINO, DINOv2, or any plain ViT.

    Raises
    ------
    WeightsError
        If they are not on this machine, or of another shape.

    Notes
    -----
    The class token is left out. Learnt places are spread over the network's grid by bicubic
    interpolation. The colours that the transformer was trained on and the factors that DINOv2
    puts on its branches become part of the tensors, so that the network itself stays plain.
    """
    folder = read_vit_folder(locate(str(weights)))
    _check_shape(network, folder)
    source = load_frozen(AutoModel, folder.path, dtype=torch.float32, may_lack=("pooler.",))
    tensors = source.state_dict()
    taken = _embedding(tensors, folder) | {"position": _places(tensors, network.config.grid)}
    for number, layer in _layers(tensors).items():
        taken |= {f"blocks.{number}.{name}": values for name, values in _block(layer).items()}
    _check_fit(network, taken, folder.path)
    network.backbone.load_state_dict(taken)


def _check_shape(network: SimpleClickNetwork, folder: VitFolder) -> None:
    for name, needed, there in (
        ("blocks", network.config.depth, folder.blocks),
        ("pixels a patch", network.config.patch, folder.patch),
    ):
        if needed != there:
            raise WeightsError(
                f"{folder.path} has {there} {name}, the network {needed}; build the network "
                "for it, or choose another transformer."
            )


def _embedding(tensors: Mapping[str, Tensor], folder: VitFolder) -> dict[str, Tensor]:
    """Embed colours normalised as ours as the transformer embeds its own."""
    weight = _find(tensors, "patch_embeddings.projection.weight")
    bias = _find(tensors, "patch_embeddings.projection.bias")
    ours, deviation = torch.tensor(IMAGE_MEAN), torch.tensor(IMAGE_DEVIATION)
    theirs, its_deviation = torch.tensor(folder.mean), torch.tensor(folder.deviation)
    shift = ((ours - theirs) / its_deviation).view(3, 1, 1)
    scale = (deviation / its_deviation).view(3, 1, 1)
    return {
        "embed.weight": weight * scale,
        "embed.bias": bias + (weight * shift).sum(dim=(1, 2, 3)),
    }


def _places(tensors: Mapping[str, Tensor], grid: int) -> Tensor:
    learnt = _find(tensors, "position_embeddings")
    side = int((learnt.shape[1] - 1) ** 0.5)
    square = learnt[:, -side * side :].transpose(1, 2).reshape(1, -1, side, side)
    if side == grid:
        return square
    return functional.interpolate(square, size=(grid, grid), mode="bicubic")


def _layers(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    layers: dict[int, dict[str, Tensor]] = {}
    for name, values in tensors.items():
        found = _OF_A_LAYER.search(name)
        if found:
            layers.setdefault(int(found[1]), {})[found[2]] = values
    return layers


def _block(layer: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the tensors of a block as ours, queries, keys and values in one."""
    block: dict[str, Tensor] = {}
    for kind in ("weight", "bias"):
        parts = {name: _called(layer, name, kind) for name in _CALLED}
        block |= {
            f"norm1.{kind}": parts["norm1"],
            f"attention.qkv.{kind}": torch.cat([parts["query"], parts["key"], parts["value"]]),
            f"attention.out.{kind}": _scaled(parts["out"], layer.get("layer_scale1.lambda1")),
            f"norm2.{kind}": parts["norm2"],
            f"mlp.0.{kind}": parts["first"],
            f"mlp.2.{kind}": _scaled(parts["second"], layer.get("layer_scale2.lambda1")),
        }
    return block


def _called(layer: Mapping[str, Tensor], name: str, kind: str) -> Tensor:
    for called in _CALLED[name]:
        if f"{called}.{kind}" in layer:
            return layer[f"{called}.{kind}"]
    if kind == "bias" and name in ("query", "key", "value"):  # some have none there
        weight = _called(layer, name, "weight")
        return weight.new_zeros(weight.shape[0])
    raise WeightsError(
        f"Layers have no {_CALLED[name][0]}.{kind}; needs a plain vision transformer such as vit, "
        "dinov2 or vit_mae."
    )


def _scaled(values: Tensor, factor: Tensor | None) -> Tensor:
    if factor is None:
        return values
    return values * (factor if values.ndim == 1 else factor[:, None])


def _find(tensors: Mapping[str, Tensor], ending: str) -> Tensor:
    for name, values in tensors.items():
        if name.endswith(ending) and "decoder" not in name:
            return values
    raise WeightsError(
        f"The transformer has no {ending}; needs a plain one such as vit, dinov2 or vit_mae."
    )


def _check_fit(network: SimpleClickNetwork, taken: Mapping[str, Tensor], path: Path) -> None:
    for name, values in network.backbone.state_dict().items():
        there = tuple(taken[name].shape) if name in taken else None
        if there != tuple(values.shape):
            raise WeightsError(
                f"{path} does not fit the network: {name} has {there}, needs "
                f"{tuple(values.shape)}; build the network for it."
            )
