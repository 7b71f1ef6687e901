"""Inference with an exemplar: what it says in a part of the picture is worked out once."""

from __future__ import annotations

import numpy as np
import torch

from fewclicks.images.boxes import Box
from fewclicks.methods.guidance import Exemplar
from fewclicks.methods.transformer.click_maps import click_disks, move_clicks
from fewclicks.methods.transformer.icmformer_pp_network import (
    ICMFormerPPNetwork,
    SeenPicture,
    ToldPicture,
)
from fewclicks.methods.transformer.inference import NetworkInference


class ExemplarInference(NetworkInference):
    """Runs a network that can be shown an exemplar.

    Parameters
    ----------
    network
        Moved to the device, and taken over.
    side, flip, device, precision
        As for `NetworkInference`.
    """

    _network: ICMFormerPPNetwork

    def __init__(
        self, network: ICMFormerPPNetwork, *, side: int, flip: bool, device: str, precision: str
    ) -> None:
        super().__init__(network, side=side, flip=flip, device=device, precision=precision)

    @torch.inference_mode()
    def tell(self, seen: SeenPicture, part: Box, exemplar: Exemplar | None) -> ToldPicture:
        """Bring an exemplar into what was seen in a part; none is an empty one.

        Parameters
        ----------
        seen
            Of the part, from `embed`.
        part
            Of the picture.
        exemplar
            In pixels of the picture; what is outside the part is not seen.
        """
        if exemplar is None:
            return self._network.tell(seen, None)
        mask = torch.from_numpy(np.array(part.crop(exemplar.mask), dtype=np.float32))
        shown = self._network.config.shown(exemplar.clicks)
        disks = torch.from_numpy(click_disks([move_clicks(shown, part, self._size)], self._size))
        maps = torch.cat([self._stretch(mask[None, None]), disks], dim=1).to(self._device)
        return self._network.tell(seen, self._mirrored_too(maps).to(self._dtype))
