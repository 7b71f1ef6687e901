"""Crop features: what a small convolutional network sees in a picture, and in pieces of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from transformers import AutoModel, ResNetConfig, ResNetModel

from fewclicks.backbones.loading import load_network as load_frozen
from fewclicks.backbones.weights import locate
from fewclicks.errors import UnknownEntryError, WeightsError


@dataclass(frozen=True, slots=True)
class _Shape:
    stem: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    layer: Literal["basic", "bottleneck"]


CROP_NETWORKS: Final = {
    "resnet-18": _Shape(64, (64, 128, 256, 512), (2, 2, 2, 2), "basic"),
    "resnet-50": _Shape(64, (256, 512, 1024, 2048), (3, 4, 6, 3), "bottleneck"),
}
"""As iCMFormer++ compares them (Table 9), but for HRNet-18."""

STRIDE: Final = 32
"""Pixels of the picture that a cell of the features is apart from the next."""


class CropFeatures(nn.Module):
    """A residual network without its classifier.

    Parameters
    ----------
    name
        One of `CROP_NETWORKS`.
    widths, depths
        Channels and blocks of its four stages; those of ``name`` if empty.

    Raises
    ------
    UnknownEntryError
        For another name.

    Notes
    -----
    Batch norms keep the statistics that they came with, in training too: batches of crops are
    small, and crops of one picture are alike.

    References
    ----------
    .. [1] He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """

    def __init__(
        self, name: str, *, widths: Sequence[int] = (), depths: Sequence[int] = ()
    ) -> None:
        super().__init__()
        if name not in CROP_NETWORKS:
            raise UnknownEntryError("network for crops", name, CROP_NETWORKS)
        shape = CROP_NETWORKS[name]
        widths = list(widths or shape.widths)
        self.width = widths[-1]
        self.network = ResNetModel(
            ResNetConfig(
                embedding_size=shape.stem if widths == list(shape.widths) else widths[0],
                hidden_sizes=widths,
                depths=list(depths or shape.depths),
                layer_type=shape.layer,
            )
        )
        self.train(mode=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Look at (n, 3, h, w) normalised colours; gives (n, width, h / 32, w / 32), rounded up."""
        features: Tensor = self.network(pictures).last_hidden_state
        return features

    def train(self, mode: bool = True) -> CropFeatures:
        """Set to training or evaluation, all but the norms."""
        super().train(mode)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        return self

    def initialise_from(self, weights: str) -> None:
        """Begin as a trained network.

        Parameters
        ----------
        weights
            A folder as transformers writes it, or a hub id such as ``microsoft/resnet-18``.

        Raises
        ------
        WeightsError
            If they are not on this machine, or of another shape.
        """
        folder = locate(weights)
        source: Any = load_frozen(AutoModel, folder, dtype=torch.float32)
        taken, needed = source.state_dict(), self.network.state_dict()
        for name, values in needed.items():
            there = tuple(taken[name].shape) if name in taken else None
            if there != tuple(values.shape):
                raise WeightsError(
                    f"{folder} does not fit the network for crops: {name} has {there}, needs "
                    f"{tuple(values.shape)}."
                )
        self.network.load_state_dict({name: taken[name] for name in needed})
