"""Small vision transformers with random weights, saved as published ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    Dinov2Config,
    Dinov2WithRegistersConfig,
    PreTrainedModel,
    ViTConfig,
    ViTMAEConfig,
)

PATCH = 8
BLOCKS = 3
LEADING = {"vit": 1, "vit_mae": 1, "dinov2": 1, "dinov2_with_registers": 5}

_CONFIGS = {
    "vit": ViTConfig,
    "vit_mae": ViTMAEConfig,
    "dinov2": Dinov2Config,
    "dinov2_with_registers": Dinov2WithRegistersConfig,
}


def small_vit(kind: str, **settings: Any) -> PreTrainedModel:
    """Build a network with numbers large enough that its attention is far from even."""
    torch.manual_seed(1)
    small = {
        "hidden_size": 32,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "image_size": 4 * PATCH,
        "patch_size": PATCH,
        "initializer_range": 0.2,
    }
    network = AutoModel.from_config(_CONFIGS[kind](**{**small, **settings}))
    with torch.no_grad():
        for name, numbers in network.named_parameters():
            if name.endswith(("bias", "register_tokens", "cls_token")):
                numbers.normal_(std=0.2)
    return network.eval()


def save_vit(kind: str, folder: Path, **settings: Any) -> Path:
    """Build and save one."""
    small_vit(kind, **settings).save_pretrained(folder)
    return folder
