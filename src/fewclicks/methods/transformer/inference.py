"""Inference: a trained click network looks at a part of a picture, stretched to its own size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.backbones.device import choose_device, choose_dtype
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.transformer.click_maps import click_disks, move_clicks
from fewclicks.methods.transformer.click_network import ClickNetwork


class NetworkInference:
    """Runs a network, on a device and in a precision.

    Parameters
    ----------
    network
        Moved to the device, and taken over.
    side
        Of the square that a part is stretched to, in pixels; the network's own if 0.
    flip
        Whether to average with the mirrored part; twice the time.
    device, precision
        As a person asks for them.

    Raises
    ------
    InputError
        If the device is not there.
    ShapeError
        If the network cannot see squares of this side.

    Notes
    -----
    Parts and answers are stretched linearly, corner on corner, without smoothing: as the
    published networks were measured.
    """

    def __init__(
        self, network: ClickNetwork, *, side: int, flip: bool, device: str, precision: str
    ) -> None:
        self._device = choose_device(device)
        self._dtype = choose_dtype(precision, self._device)
        self._network = network.eval().requires_grad_(False).to(self._device, self._dtype)
        self._size = (side or network.config.side,) * 2
        self._flip = flip
        network.check_size(*(torch.empty(1, 3, *self._size, device="meta") for _ in range(2)))

    @torch.inference_mode()
    def embed(self, image: RgbImage, part: Box) -> Any:
        """Compute what no click changes in a part: what the network sees in it."""
        colours = self._mirrored_too(self._colours(image, part))
        return self._network.see(colours.to(self._dtype))

    @torch.inference_mode()
    def answer(
        self, embedded: Any, part: Box, clicks: Sequence[Click], before: FloatMap
    ) -> FloatMap:
        """Answer clicks.

        Parameters
        ----------
        embedded
            Of the part, from `embed`.
        part
            Of the picture.
        clicks
            In pixels of the picture; those outside the part are not seen.
        before : (H, W)
            Probability of the previous answer.

        Returns
        -------
        (H, W) float32
            Probability in [0, 1]; 0 outside the part.
        """
        previous = torch.from_numpy(np.array(part.crop(before), dtype=np.float32))
        disks = torch.from_numpy(click_disks([move_clicks(clicks, part, self._size)], self._size))
        maps = torch.cat([self._stretch(previous[None, None]), disks], dim=1).to(self._device)
        guidance = self._mirrored_too(maps).to(self._dtype)
        logits = self._network.answer(embedded, guidance).float()
        if self._flip:
            logits = (logits[:1] + logits[1:].flip(-1)) / 2
        seen = functional.interpolate(
            logits.sigmoid(), (part.height, part.width), mode="bilinear", align_corners=True
        )
        return part.paste(seen[0, 0].clamp(0, 1).cpu().numpy(), np.zeros_like(before))

    def _colours(self, image: RgbImage, part: Box) -> Tensor:
        """Give a part as the network sees it, (1, 3, side, side) in [0, 1]."""
        pixels = torch.from_numpy(part.crop(image).copy()).to(self._device)
        return self._stretch(pixels.permute(2, 0, 1)[None].float() / 255.0)

    def _stretch(self, maps: Tensor) -> Tensor:
        return functional.interpolate(maps, self._size, mode="bilinear", align_corners=True)

    def _mirrored_too(self, maps: Tensor) -> Tensor:
        return torch.cat([maps, maps.flip(-1)]) if self._flip else maps
