"""Latent diffusion network: a picture's latents, one pass of the denoising network over them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from fewclicks.arrays import RgbImage
from fewclicks.backbones.loading import load_network
from fewclicks.backbones.self_attention import Take, Taps, mirrored
from fewclicks.errors import UnknownEntryError


class LatentDiffusion:
    """The networks of a Stable Diffusion, as far as looking at a picture needs them.

    Parameters
    ----------
    folder
        As diffusers saves a pipeline; weights as safetensors.
    blocks
        Weights of attention blocks by name, such as ``up_blocks.3.attentions.0``.
    device, dtype
        Where and in which numbers the networks run.

    Attributes
    ----------
    weights
        Of the self-attention layers inside the chosen blocks, by name.

    Raises
    ------
    WeightsError
        If the folder lacks a weight, or has one that does not fit.
    UnknownEntryError
        If the network has no such block.
    """

    def __init__(
        self,
        folder: Path,
        *,
        blocks: Mapping[str, float],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._device = device
        self._dtype = dtype
        # The text encoder is gone again before the larger networks come.
        self._prompt = _embedded_empty_prompt(folder, device, dtype)
        self._vae: Any = load_network(AutoencoderKL, folder / "vae", dtype=dtype).to(device)
        del self._vae.decoder  # pictures only go in
        self._unet = load_network(UNet2DConditionModel, folder / "unet", dtype=dtype).to(device)
        self.weights = _layer_weights(self._unet, blocks)
        self._taps = Taps(self._unet, list(self.weights))

    def look(self, square: RgbImage, *, timestep: int, flip: bool, take: Take) -> None:
        """Pass a picture through, and its mirror image too if it is to be flipped.

        Parameters
        ----------
        square : (side, side, 3)
            The side is a multiple of 8.
        timestep
            That the network is told, though no noise is added.
        flip
            Whether the mirror image is taken as well.
        take
            Gets the queries and keys of the chosen layers.
        """
        views = [(square, take)]
        if flip:
            views.append((square[:, ::-1], mirrored(take)))
        with torch.inference_mode():
            # Encode all before anything is taken: both need gigabytes, and so never at once.
            latents = [self._encode(view) for view, _ in views]
            for latent, (_, take_view) in zip(latents, views, strict=True):
                forward = partial(self._unet, latent, timestep, encoder_hidden_states=self._prompt)
                self._taps.run(forward, take_view)

    def _encode(self, square: RgbImage) -> Tensor:
        scaled = square.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1.0
        pixels = torch.from_numpy(scaled).to(self._device, self._dtype)
        mode: Tensor = self._vae.encode(pixels).latent_dist.mode()
        scale: float = self._vae.config.scaling_factor
        return mode * scale


def _embedded_empty_prompt(folder: Path, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(1, tokens of a prompt, c): what the network listens to where nobody says anything."""
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    encoder: Any = load_network(CLIPTextModel, folder / "text_encoder", dtype=dtype).to(device)
    tokens = tokenizer(
        "",
        padding="max_length",
        max_length=encoder.config.max_position_embeddings,
        return_tensors="pt",
    )
    with torch.inference_mode():
        prompt: Tensor = encoder(tokens.input_ids.to(device)).last_hidden_state
    return prompt


def _layer_weights(unet: torch.nn.Module, blocks: Mapping[str, float]) -> dict[str, float]:
    """Share each block's weight among the self-attention layers inside it."""
    depths = {
        name: len(module.transformer_blocks)
        for name, module in unet.named_modules()
        if isinstance(getattr(module, "transformer_blocks", None), torch.nn.ModuleList)
    }
    for name in blocks:
        if name not in depths:
            raise UnknownEntryError("attention block of this network", name, depths)
    return {
        f"{name}.transformer_blocks.{layer}.attn1": weight / depths[name]
        for name, weight in blocks.items()
        for layer in range(depths[name])
    }
