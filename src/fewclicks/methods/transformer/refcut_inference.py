"""Inference with references: a click network looks at other pictures, and keeps what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fewclicks.images.boxes import Box
from fewclicks.methods.guidance import Reference
from fewclicks.methods.transformer.inference import NetworkInference
from fewclicks.methods.transformer.refcut_network import RefCutNetwork, average


class RefCutInference(NetworkInference):
    """Runs a network that can be shown references.

    Parameters
    ----------
    network
        Of RefCut's form; moved to the device, and taken over.
    side, flip, device, precision
        As for `NetworkInference`. A reference is looked at as a whole, stretched to the same
        square, and not mirrored.
    """

    _network: RefCutNetwork

    @torch.inference_mode()
    def represent(self, reference: Reference) -> tuple[Tensor, Tensor]:
        """Look at a reference, once.

        Returns
        -------
        representation : (1, 2, dim) float32
            Of what is meant and of what is not.
        known : (1, 2) bool
            Which of both the reference marks.
        """
        height, width = reference.image.shape[:2]
        colours = self._colours(reference.image, Box(0, 0, width, height))
        empty = np.zeros((height, width), dtype=bool)
        masks = np.stack(
            [empty if each is None else each for each in (reference.positive, reference.negative)]
        )
        return self._network.represent(
            colours.to(self._dtype), torch.from_numpy(masks[None]).to(self._device)
        )

    @torch.inference_mode()
    def prompt(self, represented: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Average references and say what they mean, (1, 1, 1, dim)."""
        representations, known = (torch.cat([each[k] for each in represented]) for k in (0, 1))
        of = torch.zeros(len(represented), dtype=torch.int64, device=self._device)
        return self._network.prompt(*average(representations, known, of, 1))
