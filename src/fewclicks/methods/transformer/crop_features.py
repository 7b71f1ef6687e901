"""Crop features: what a small convolutional network sees in a picture, and in pieces of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, ResNetConfig, ResNetModel

from fewclicks.backbones.loading import load_network as load_frozen
from fewclicks.backbones.weights import locate
from fewclicks.errors import UnknownEntryError, WeightsError
from fewclicks.methods.transformer.hrnet import HRNet
from fewclicks.methods.transformer.weights_file import find_file


@dataclass(frozen=True, slots=True)
class _Shape:
    stem: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    layer: Literal["basic", "bottleneck", "branches"]
    stride: int = 32


CROP_NETWORKS: Final = {
    "resnet-18": _Shape(64, (64, 128, 256, 512), (2, 2, 2, 2), "basic"),
    "resnet-50": _Shape(64, (256, 512, 1024, 2048), (3, 4, 6, 3), "bottleneck"),
    "hrnet-18": _Shape(64, (18, 36, 72, 144), (4, 1, 4, 3), "branches", stride=16),
}
"""As iCMFormer++ compares them (Table 9)."""

_JOINED: Final = 2  # of an HRNet's branches, the one of cells of 16 pixels, as tokens are


class CropFeatures(nn.Module):
    """A convolutional network without its classifier.

    Parameters
    ----------
    name
        One of `CROP_NETWORKS`.
    widths, depths
        Of a residual network channels and blocks of its four stages; of an HRNet channels of its
        branches, and bottlenecks and exchanges of its stages. Those of ``name`` if empty.

    Attributes
    ----------
    width
        Channels of what it gives.
    stride
        Pixels of the picture that a cell of the features is apart from the next.

    Raises
    ------
    UnknownEntryError
        For another name.

    Notes
    -----
    Batch norms keep the statistics that they came with, in training too: batches of crops are
    small, and crops of one picture are alike.

    The branches of an HRNet are brought to cells of 16 pixels, finer ones by averages, the coarser
    by bilinear interpolation, and stand one behind the other. At the finest, of 4 pixels, which
    the paper may mean, the module would compute sixteen times as much for answers that are asked
    for at tokens.

    References
    ----------
    .. [1] He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """

    network: ResNetModel | HRNet

    def __init__(
        self, name: str, *, widths: Sequence[int] = (), depths: Sequence[int] = ()
    ) -> None:
        super().__init__()
        if name not in CROP_NETWORKS:
            raise UnknownEntryError("network for crops", name, CROP_NETWORKS)
        shape = CROP_NETWORKS[name]
        widths, depths = tuple(widths or shape.widths), tuple(depths or shape.depths)
        stem = shape.stem if widths == shape.widths else widths[0]
        self.stride = shape.stride
        if shape.layer == "branches":
            self.width = sum(widths)
            self.network = HRNet(widths=widths, depths=depths, stem=stem)
        else:
            self.width = widths[-1]
            self.network = _create_resnet(stem, widths, depths, shape.layer)
        self.train(mode=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Look at normalised colours.

        Parameters
        ----------
        pictures : (n, 3, h, w)

        Returns
        -------
        (n, width, h / stride, w / stride)
            Rounded up.
        """
        if isinstance(self.network, HRNet):
            return _joined(self.network(pictures))
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
            A folder as transformers writes it, or a hub id such as ``microsoft/resnet-18``. For
            an HRNet a folder or hub id with safetensors under the published names, such as
            ``timm/hrnet_w18.ms_aug_in1k``; a classifier that they hold is left out.

        Raises
        ------
        WeightsError
            If they are not on this machine, or of another shape.
        """
        taken = _read_hrnet(weights) if isinstance(self.network, HRNet) else _read_resnet(weights)
        needed = self.network.state_dict()
        there = {name: tuple(values.shape) for name, values in taken.items()}
        wrong = [name for name in needed if there.get(name) != tuple(needed[name].shape)]
        if wrong:
            raise WeightsError(
                f"{weights} does not fit the network for crops in {len(wrong)} of {len(needed)} "
                f"tensors: {wrong[0]} has {there.get(wrong[0])}, needs "
                f"{tuple(needed[wrong[0]].shape)}."
            )
        self.network.load_state_dict({name: taken[name] for name in needed})


def _create_resnet(
    stem: int, widths: Sequence[int], depths: Sequence[int], layer: Literal["basic", "bottleneck"]
) -> ResNetModel:
    return ResNetModel(
        ResNetConfig(
            embedding_size=stem, hidden_sizes=list(widths), depths=list(depths), layer_type=layer
        )
    )


def _joined(branches: Sequence[Tensor]) -> Tensor:
    """Put branches one behind the other, all on the cells of one."""
    rows, columns = branches[_JOINED].shape[2:]
    finer = [functional.adaptive_avg_pool2d(each, (rows, columns)) for each in branches[:_JOINED]]
    coarser = [
        functional.interpolate(each, (rows, columns), mode="bilinear", align_corners=False)
        for each in branches[_JOINED + 1 :]
    ]
    return torch.cat([*finer, branches[_JOINED], *coarser], dim=1)


def _read_resnet(weights: str) -> Mapping[str, Tensor]:
    source: Any = load_frozen(AutoModel, locate(weights), dtype=torch.float32)
    tensors: Mapping[str, Tensor] = source.state_dict()
    return tensors


def _read_hrnet(weights: str) -> Mapping[str, Tensor]:
    file = find_file(weights)
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} cannot be read ({error}); fetch it again.") from error
