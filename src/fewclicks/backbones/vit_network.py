"""ViT network: a frozen vision transformer, loaded up to the layer that is wanted, and run."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel

from fewclicks.arrays import RgbImage
from fewclicks.backbones.attention_capture import CAPTURING, QueriesAndKeys, capture_block
from fewclicks.backbones.base import Grid
from fewclicks.backbones.device import choose_device, choose_dtype
from fewclicks.backbones.loading import load_config, load_network
from fewclicks.backbones.vit_folder import VitFolder
from fewclicks.errors import InputError


class VitNetwork:
    """The first layers of a vision transformer.

    Parameters
    ----------
    folder
        Where it lies.
    block
        The last layer to load, from 0.
    stride
        Of the patches, in pixels; below their side they overlap.
    device, precision
        As a person asks for them.

    Raises
    ------
    InputError
        If the device is not there, or the network's patches cannot overlap.
    WeightsError
        If the file holds other weights than its configuration says.
    """

    def __init__(
        self, folder: VitFolder, *, block: int, stride: int, device: str, precision: str
    ) -> None:
        self._block = block
        self._device = choose_device(device)
        self._dtype = choose_dtype(precision, self._device)
        self._model = _load(folder, block, self._dtype).to(self._device)
        self._mean = torch.tensor(folder.mean, device=self._device).view(3, 1, 1)
        self._deviation = torch.tensor(folder.deviation, device=self._device).view(3, 1, 1)
        self._takes = frozenset(inspect.signature(self._model.forward).parameters)
        if stride != folder.patch:
            _overlap_patches(self._model, folder, stride)

    @torch.inference_mode()
    def look(self, image: RgbImage, grid: Grid) -> QueriesAndKeys:
        """Run the network on a picture and keep the last layer's queries and keys.

        Parameters
        ----------
        image : (H, W, 3)
            Of the size at which its patches make the grid.
        grid
            Of those patches.

        Returns
        -------
        QueriesAndKeys
            Of leading + n tokens; the leading ones have no place in the picture.
        """
        with capture_block(self._block) as capture:
            self._run(image, grid)
        return capture.taken

    @torch.inference_mode()
    def outputs(self, image: RgbImage, grid: Grid) -> Tensor:
        """Run the network on a picture and keep what its last layer puts out, normed.

        Parameters
        ----------
        image, grid
            See `look`.

        Returns
        -------
        (n, c)
            Of the tokens that have a place in the picture.
        """
        tokens: Tensor = self._run(image, grid).last_hidden_state[0, -grid.count :]
        return tokens

    def _run(self, image: RgbImage, grid: Grid) -> Any:
        pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self._device)
        colours = pixels.permute(2, 0, 1).float() / 255.0
        inputs = ((colours - self._mean) / self._deviation)[None].to(self._dtype)
        options: dict[str, Any] = {}
        if "interpolate_pos_encoding" in self._takes:
            options["interpolate_pos_encoding"] = True
        if "noise" in self._takes:  # a masked autoencoder shuffles its patches by it
            options["noise"] = torch.arange(grid.count, device=self._device)[None]
        return self._model(pixel_values=inputs, **options)


def _load(folder: VitFolder, block: int, dtype: torch.dtype) -> nn.Module:
    config = load_config(folder.path)
    config.num_hidden_layers = block + 1
    if hasattr(config, "mask_ratio"):
        config.mask_ratio = 0.0
    try:
        return load_network(
            AutoModel,
            folder.path,
            dtype=dtype,
            config=config,
            attn_implementation=CAPTURING,
            may_lack=("pooler.",),
        )
    except KeyError:  # older architectures know the attentions of their own file only
        raise InputError(
            f"The attention of a '{folder.model_type}' cannot be looked into; needs another "
            "architecture, such as vit, dinov2 or vit_mae."
        ) from None


def _overlap_patches(model: nn.Module, folder: VitFolder, stride: int) -> None:
    """Let patches start every `stride` pixels, and spread the places that were learnt over them."""
    placing = next((part for part in model.modules() if _places(part)), None)
    if placing is None:
        raise InputError(
            f"Patches of a '{folder.model_type}' cannot overlap; set stride={folder.patch}."
        )
    of_patches: Any = placing.interpolate_pos_encoding
    patch = folder.patch

    def of_overlapping(embeddings: Tensor, height: int, width: int) -> Tensor:
        rows, columns = (height - patch) // stride + 1, (width - patch) // stride + 1
        places: Tensor = of_patches(embeddings, rows * patch, columns * patch)
        return places

    placing.interpolate_pos_encoding = of_overlapping  # type: ignore[assignment]
    projection = next(part for part in placing.modules() if isinstance(part, nn.Conv2d))
    projection.stride = (stride, stride)


def _places(part: nn.Module) -> bool:
    return hasattr(part, "interpolate_pos_encoding")
