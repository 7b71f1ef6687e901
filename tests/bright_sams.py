"""SAM, SAM 2 and SAM-HQ in small, set by hand: they call what is bright the object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    PreTrainedModel,
    Sam2Config,
    Sam2Model,
    SamConfig,
    SamHQConfig,
    SamHQModel,
    SamModel,
)

SIDE = 128
_DIM = 16
_PROMPTS = {"hidden_size": _DIM, "image_size": SIDE, "patch_size": 4, "mask_input_channels": 8}
_DECODER = {
    "hidden_size": _DIM,
    "mlp_dim": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "iou_head_hidden_dim": 8,
}


def small_sam(kind: str, *, spread: float = 0.5, seed: int = 1) -> PreTrainedModel:
    """Build one whose numbers are drawn, large enough that clicks and masks matter."""
    torch.manual_seed(seed)
    network = _built(kind)
    with torch.no_grad():
        for values in network.parameters():
            values.normal_(std=spread)
    return network.eval()


def bright_sam(kind: str) -> PreTrainedModel:
    """Build one in which all but the path of red is off; clicks change nothing."""
    network = _built(kind)
    for name, values in network.named_parameters():
        is_norm = values.ndim == 1 and name.endswith("weight") and "norm" in name
        nn.init.constant_(values, 1.0 if is_norm else 0.0)
    with torch.no_grad():
        (_light_sam2 if kind == "sam2" else _light_sam)(network)
    return network.eval()


def save_bright_sam(kind: str, folder: Path) -> Path:
    """Write it where a method can be told to find it."""
    bright_sam(kind).save_pretrained(folder)
    return folder


def _built(kind: str) -> PreTrainedModel:
    if kind == "sam2":
        backbone = {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 4,
            "image_size": [SIDE, SIDE],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [4, 8, 16, 32],
            "num_attention_heads_per_stage": [1, 1, 1, 1],
            "window_size_per_stage": [4, 4, 4, 4],
            "global_attention_blocks": [3],
        }
        vision = {
            "backbone_config": backbone,
            "backbone_channel_list": [32, 16, 8, 4],
            "backbone_feature_sizes": [[SIDE // 4] * 2, [SIDE // 8] * 2, [SIDE // 16] * 2],
            "fpn_hidden_size": _DIM,
        }
        prompts = {**_PROMPTS, "patch_size": 16}
        return Sam2Model(
            Sam2Config(
                vision_config=vision,
                prompt_encoder_config=prompts,
                mask_decoder_config=_DECODER,
            )
        )
    vision = {
        "hidden_size": 8,
        "output_channels": _DIM,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 4,
        "window_size": 5,
        "global_attn_indexes": [1],
        "mlp_dim": 16,
        "num_pos_feats": _DIM // 2,
    }
    if kind == "sam":
        return SamModel(
            SamConfig(
                vision_config=vision, prompt_encoder_config=_PROMPTS, mask_decoder_config=_DECODER
            )
        )
    return SamHQModel(
        SamHQConfig(
            vision_config=vision,
            prompt_encoder_config=_PROMPTS,
            mask_decoder_config={**_DECODER, "vit_dim": 8},
        )
    )


def _light_sam(network: Any) -> None:
    """Norms keep the sign of red, so that half of the channels are on where it is bright."""
    network.vision_encoder.patch_embed.projection.weight[0, 0] = 1 / 16  # the mean of a patch
    neck, decoder = network.vision_encoder.neck, network.mask_decoder
    neck.conv1.weight[: _DIM // 2, 0] = 1.0
    neck.conv1.weight[_DIM // 2 :, 0] = -1.0
    for channel in range(_DIM):
        neck.conv2.weight[channel, channel, 1, 1] = 1.0
    decoder.upscale_conv1.weight[0, :2] = 1.0
    decoder.upscale_conv1.weight[0, 2:] = -1.0
    decoder.upscale_conv2.weight[0, 0] = 1.0
    decoder.upscale_conv2.weight[2, 1] = 1.0
    _weigh(decoder)


def _light_sam2(network: Any) -> None:
    """The finest features go past the decoder's attention."""
    hiera = network.vision_encoder.backbone
    hiera.patch_embed.projection.weight[0, 0] = 1 / 49
    finest = network.vision_encoder.neck.convs[-1]
    finest.weight[0, 0] = 1.0
    decoder = network.mask_decoder
    decoder.conv_s0.weight[0, 0] = 3.0
    decoder.conv_s0.weight[1, 0] = -3.0
    _weigh(decoder)


def _weigh(decoder: Any) -> None:
    """One channel speaks for the object, another against it."""
    for layers in decoder.output_hypernetworks_mlps:
        layers.proj_out.bias[0] = 10.0
        layers.proj_out.bias[1] = -10.0
