"""Published names: what SimpleClick's and iCMFormer's authors call tensors, and we call ours.

Their file holds parts that only their classifier or other heads use; those are left out:
``backbone.cls_token``, ``backbone.fc_norm.*``, ``backbone.head.*``, ``head.up_conv1.*``,
``head.up_conv2.*``, and the class token's place, the first of ``backbone.pos_embed``.

======================================  ================================
theirs                                  ours
======================================  ================================
``backbone.pos_embed`` (1, 1 + n, dim)  ``backbone.position`` (1, dim, rows, columns)
``backbone.patch_embed.proj``           ``backbone.embed``
``patch_embed_coords.proj``             ``guidance``
``backbone.blocks.0.norm1``             the same
``backbone.blocks.0.attn.qkv``          ``backbone.blocks.0.attention.qkv``
``backbone.blocks.0.attn.proj``         ``backbone.blocks.0.attention.out``
``backbone.blocks.0.norm2``             the same
``backbone.blocks.0.mlp.fc1``           ``backbone.blocks.0.mlp.0``
``backbone.blocks.0.mlp.fc2``           ``backbone.blocks.0.mlp.2``
``neck.down_4.0`` to ``.6``             ``neck.levels.0.0`` to ``.6``
``neck.down_8``, ``_16``, ``_32``       ``neck.levels.1``, ``.2``, ``.3``
``head.convs.0.conv``                   ``head.levels.0``
``head.fusion_conv.conv``               ``head.fuse``
``head.conv_seg``                       ``head.classify``
``backbone.blocks2.0.norm1`` to ``3``   ``cross.0.norm1`` to ``norm3``
``backbone.blocks2.0.attn1.qkv``        ``cross.0.attention.qkv``
``backbone.blocks2.0.attn2.qkv``        ``cross.0.cross.qkv``
======================================  ================================

``proj`` and ``mlp`` of ``blocks2``, which iCMFormer alone has, are called as those of ``blocks``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor

from fewclicks.errors import WeightsError
from fewclicks.methods.transformer.icmformer_network import ICMFormerNetworkConfig
from fewclicks.methods.transformer.simpleclick_network import SIZES, SimpleClickNetworkConfig

_PLACES: Final = "backbone.pos_embed"
_PATCHES: Final = "backbone.patch_embed.proj.weight"
_IN_CROSS: Final = re.compile(r"backbone\.blocks2\.\d+\.norm1\.weight")

_LEFT_OUT: Final = re.compile(
    r"backbone\.(cls_token|fc_norm\..+|head\..+|pre_logits\..+)|head\.up_conv[12]\..+"
)
_RENAMED: Final = (
    (re.compile(r"^backbone\.patch_embed\.proj\."), "backbone.embed."),
    (re.compile(r"^patch_embed_coords\.proj\."), "guidance."),
    (re.compile(r"^(backbone\.blocks\.\d+)\.attn\.qkv\."), r"\1.attention.qkv."),
    (re.compile(r"^(backbone\.blocks\.\d+)\.attn\.proj\."), r"\1.attention.out."),
    (re.compile(r"^(backbone\.blocks\.\d+)\.mlp\.fc1\."), r"\1.mlp.0."),
    (re.compile(r"^(backbone\.blocks\.\d+)\.mlp\.fc2\."), r"\1.mlp.2."),
    (re.compile(r"^backbone\.blocks2\.(\d+)\.attn1\."), r"cross.\1.attention."),
    (re.compile(r"^backbone\.blocks2\.(\d+)\.attn2\."), r"cross.\1.cross."),
    (re.compile(r"^backbone\.blocks2\.(\d+)\.mlp\.fc1\."), r"cross.\1.mlp.0."),
    (re.compile(r"^backbone\.blocks2\.(\d+)\.mlp\.fc2\."), r"cross.\1.mlp.2."),
    (re.compile(r"^backbone\.blocks2\."), "cross."),
    (re.compile(r"^(cross\.\d+\.\w+)\.proj\."), r"\1.out."),
    (re.compile(r"^neck\.down_4\."), "neck.levels.0."),
    (re.compile(r"^neck\.down_8\."), "neck.levels.1."),
    (re.compile(r"^neck\.down_16\."), "neck.levels.2."),
    (re.compile(r"^neck\.down_32\."), "neck.levels.3."),
    (re.compile(r"^head\.convs\.(\d)\.conv\."), r"head.levels.\1."),
    (re.compile(r"^head\.fusion_conv\.conv\."), "head.fuse."),
    (re.compile(r"^head\.conv_seg\."), "head.classify."),
)


def is_published(tensors: Mapping[str, Tensor]) -> bool:
    """Whether tensors are called as in the authors' files."""
    return _PLACES in tensors and _PATCHES in tensors


def read_published(
    tensors: Mapping[str, Tensor],
) -> tuple[SimpleClickNetworkConfig, dict[str, Tensor]]:
    """Rename the authors' tensors, and find the shape of their network.

    Parameters
    ----------
    tensors
        As `is_published` finds them.

    Returns
    -------
    SimpleClickNetworkConfig
        Of the published shape that has as many channels; iCMFormer's if the tensors are.
    dict
        The tensors that our network has, by our names.

    Raises
    ------
    WeightsError
        If no published shape has as many channels; how many heads there are cannot be seen.
    """
    dim, patch = tensors[_PATCHES].shape[0], tensors[_PATCHES].shape[-1]
    size = next((name for name, shape in SIZES.items() if shape.dim == dim), None)
    if size is None:
        known = ", ".join(f"{shape.dim} ({name})" for name, shape in SIZES.items())
        raise WeightsError(f"Tokens have {dim} channels; a published SimpleClick has {known}.")
    grid = math.isqrt(tensors[_PLACES].shape[1] - 1)
    ours = {
        _our_name(name): values
        for name, values in tensors.items()
        if name != _PLACES and not _LEFT_OUT.fullmatch(name)
    }
    places = tensors[_PLACES][:, 1 : 1 + grid * grid]
    ours["backbone.position"] = places.transpose(1, 2).reshape(1, dim, grid, grid)
    shape: dict[str, Any] = {
        "size": size,
        "patch": patch,
        "side": grid * patch,
        "head": tensors["head.conv_seg.weight"].shape[1],
    }
    cross = sum(_IN_CROSS.fullmatch(name) is not None for name in tensors)
    if cross:
        return ICMFormerNetworkConfig(**shape, cross=cross), ours
    return SimpleClickNetworkConfig(**shape), ours


def _our_name(name: str) -> str:
    for pattern, ours in _RENAMED:
        name = pattern.sub(ours, name)
    return name
