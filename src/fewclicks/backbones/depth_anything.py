"""Depth Anything V2: relative inverse depth from one picture, by a DINOv2 with a dense head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.backbones.base import Depth
from fewclicks.backbones.device import check_device, check_installed, choose_device, choose_dtype
from fewclicks.backbones.plain_depth import flip_averaged, normalised
from fewclicks.backbones.weights import locate
from fewclicks.errors import InputError
from fewclicks.images.resizing import resize_image, resize_map

if TYPE_CHECKING:
    from torch import nn

_PATCH: Final = 14
_MEAN: Final = np.array([0.485, 0.456, 0.406])  # of ImageNet; all three sizes were trained so
_DEVIATION: Final = np.array([0.229, 0.224, 0.225])
_WIDEST: Final = 4  # times the shortest side; beyond it a strip is squeezed, to bound its cost


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthAnythingConfig:
    """What is loaded, and how large it sees a picture.

    Parameters
    ----------
    weights
        A name of the table of weights, a hub id, or a folder.
    shortest_side
        Of the picture as the network sees it, in pixels; rounded to whole tokens of 14. 518 is
        what it was trained with; 2024 is M2N2V2's, 16 times dearer and more detailed.
    flip
        Whether to average with the mirrored picture's depth; `m2n2v2` does that by itself.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision
        ``"auto"``, ``"fp32"``, ``"fp16"`` or ``"bf16"``.
    """

    weights: str = "depth-anything-v2-small"
    shortest_side: int = 518
    flip: bool = False
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.shortest_side < _PATCH:
            raise InputError(
                f"shortest_side is {self.shortest_side}; needs at least {_PATCH} pixels."
            )
        check_device(self.device, self.precision)


class DepthAnythingSource:
    """Depth Anything V2, small, base or large.

    Parameters
    ----------
    config
        The small network at its training size if left out.

    Raises
    ------
    MissingExtraError
        If torch or transformers is not installed.
    WeightsError
        If the weights are not on this machine.

    Notes
    -----
    The network is loaded with the first picture.

    References
    ----------
    .. [1] Yang et al., "Depth Anything V2", NeurIPS 2024.
    .. [2] M2N2V2, section 7: the large network at a shortest side of 2024.
    """

    config_type: ClassVar = DepthAnythingConfig

    def __init__(self, config: DepthAnythingConfig | None = None) -> None:
        self.config = config or DepthAnythingConfig()
        self.name = self.config.weights
        check_installed(f"Depth source '{self.name}'")
        self._folder = locate(self.name)
        self._network: nn.Module | None = None
        self._loading = Lock()

    def depth(self, image: RgbImage) -> Depth:
        """Guess how near each pixel is.

        Parameters
        ----------
        image : (H, W, 3)

        Returns
        -------
        Depth
            Inverse depth, brought to [0, 1] for this picture.
        """
        values = flip_averaged(self._estimate, image) if self.config.flip else self._estimate(image)
        return normalised(values)

    def _estimate(self, image: RgbImage) -> FloatMap:
        """Inverse depth on the network's own scale, at the picture's size."""
        import torch

        network = self._loaded()
        weight = next(network.parameters())
        height, width = image.shape[:2]
        tall, wide = seen_size(height, width, self.config.shortest_side)
        colours = resize_image(image, height=tall, width=wide) / np.float32(255.0)
        standard = ((colours - _MEAN) / _DEVIATION).astype(np.float32)
        pixels = torch.from_numpy(np.ascontiguousarray(standard.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            answer = network(pixels.to(weight.device, weight.dtype)).predicted_depth[0]
        values: FloatMap = answer.float().cpu().numpy()
        return resize_map(values, height=height, width=width)

    def _loaded(self) -> nn.Module:
        with self._loading:
            if self._network is None:
                self._network = _load(self._folder, self.config)
            return self._network


def seen_size(height: int, width: int, shortest_side: int) -> tuple[int, int]:
    """Size at which a picture is shown to the network: whole tokens, the aspect kept.

    Examples
    --------
    >>> seen_size(480, 854, 518)
    (518, 924)
    """
    scale = shortest_side / min(height, width)
    sides = (min(side * scale, _WIDEST * shortest_side) for side in (height, width))
    tall, wide = (round(side / _PATCH) * _PATCH for side in sides)
    return tall, wide


def _load(folder: Path, config: DepthAnythingConfig) -> nn.Module:
    from transformers import DepthAnythingForDepthEstimation

    from fewclicks.backbones.loading import load_network

    device = choose_device(config.device)
    network: Any = load_network(
        DepthAnythingForDepthEstimation, folder, dtype=choose_dtype(config.precision, device)
    )
    # The top level refuses scaled dot product attention; the DINOv2 inside knows it.
    network.backbone.set_attn_implementation("sdpa")
    loaded: nn.Module = network.to(device)
    return loaded
