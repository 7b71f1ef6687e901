"""Stable Diffusion: how its denoising network attends to a picture that has no noise."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import cv2
import numpy as np

from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Attention, Features, Grid
from fewclicks.backbones.device import (
    check_device,
    check_installed,
    choose_device,
    choose_dtype,
)
from fewclicks.backbones.weights import locate
from fewclicks.errors import InputError

if TYPE_CHECKING:
    from fewclicks.backbones.latent_diffusion import LatentDiffusion
    from fewclicks.backbones.self_attention import FinestKeys, MeanAttention

_LATENT_CELL: Final = 8  # pixels
_LAST_TIMESTEP: Final = 999
_BLOCKS: Final = "up_blocks.3.attentions.0=0.5,up_blocks.3.attentions.1=0.5"


@dataclass(frozen=True, kw_only=True, slots=True)
class StableDiffusionConfig:
    """Which network looks at the picture, at what size, and which of its layers are asked.

    Parameters
    ----------
    weights
        A name that ``fewclicks weights list`` shows, a hub id, or a folder as diffusers saves it.
    side
        Of the square that the picture is stretched to, in pixels, a multiple of 8; there is a token
        for every 8x8 of them, and memory grows with the fourth power.
    timestep
        In [0, 999]; how noisy the network is told the picture is.
    blocks
        Attention blocks with their weights, which count relative to each other. Blocks of a coarser
        grid are enlarged to the finest.
    flip
        Whether the mirror image is looked at as well, and the mean taken; twice the time.
    features_temperature
        Of the affinity between features.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision
        Of the networks: ``"auto"``, ``"fp32"``, ``"fp16"`` or ``"bf16"``; attention is always
        averaged in fp32.
    """

    weights: str = "stable-diffusion-2"
    side: int = 1024
    timestep: int = 100
    blocks: str = _BLOCKS
    flip: bool = False
    features_temperature: float = 0.14
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.side < _LATENT_CELL or self.side % _LATENT_CELL:
            raise InputError(f"side is {self.side}; needs a multiple of {_LATENT_CELL} pixels.")
        if not 0 <= self.timestep <= _LAST_TIMESTEP:
            raise InputError(f"timestep is {self.timestep}; needs 0 to {_LAST_TIMESTEP}.")
        if not self.features_temperature > 0:
            raise InputError(
                f"features_temperature is {self.features_temperature}; needs a number above 0."
            )
        check_device(self.device, self.precision)
        read_blocks(self.blocks)


class StableDiffusionBackbone:
    """Self-attention of Stable Diffusion: things that belong together look at each other.

    Parameters
    ----------
    config
        The default is Stable Diffusion 2 as M2N2 uses it.

    Raises
    ------
    MissingExtraError
        If torch, transformers or diffusers is not installed.
    WeightsError
        If the weights are not on this machine; nothing heavy has been imported by then.

    Notes
    -----
    The network is loaded at the first picture and kept. Threads take turns: one pass uses all
    cores, and two at once would take twice the memory.

    References
    ----------
    .. [1] Karmann & Urfalioglu, "Repurposing Stable Diffusion Attention for Training-Free
       Unsupervised Interactive Segmentation", CVPR 2025, arXiv:2411.10411, section 3.2.
    """

    config_type: ClassVar = StableDiffusionConfig

    def __init__(self, config: StableDiffusionConfig | None = None) -> None:
        self.config = config or StableDiffusionConfig()
        self.name = self.config.weights
        check_installed("Stable Diffusion", extra="diffusion", packages=("diffusers", "accelerate"))
        self._folder = locate(self.config.weights)
        self._turn = threading.Lock()
        self._network: LatentDiffusion | None = None

    def attention(self, image: RgbImage) -> Attention:
        """Say how the tokens attend to each other: mean over heads and chosen blocks.

        Parameters
        ----------
        image : (H, W, 3)
            Stretched to a square.

        Returns
        -------
        Attention
            Square grid; its tokens are as many times longer than high as the picture is.
        """
        from fewclicks.backbones.self_attention import MeanAttention

        with self._turn:
            network = self._loaded()
            mean = MeanAttention(network.weights)
            self._look(network, image, mean)
            matrix = mean.result().cpu().numpy()
        return Attention(matrix=matrix, grid=_square_grid(len(matrix)))

    def features(self, image: RgbImage) -> Features:
        """Describe each token by its key in the first chosen block of the finest grid.

        Parameters
        ----------
        image : (H, W, 3)
            Stretched to a square.

        Returns
        -------
        Features
            Less the picture's mean, each of length 1.
        """
        from fewclicks.backbones.self_attention import FinestKeys

        with self._turn:
            keys = FinestKeys()
            self._look(self._loaded(), image, keys)
            tokens = keys.result().cpu().numpy()
        return Features(
            tokens=tokens,
            grid=_square_grid(len(tokens)),
            temperature=self.config.features_temperature,
        )

    def _look(
        self, network: LatentDiffusion, image: RgbImage, taker: MeanAttention | FinestKeys
    ) -> None:
        network.look(
            stretch(image, self.config.side),
            timestep=self.config.timestep,
            flip=self.config.flip,
            take=taker.take,
        )

    def _loaded(self) -> LatentDiffusion:
        if self._network is None:
            from fewclicks.backbones.latent_diffusion import LatentDiffusion

            device = choose_device(self.config.device)
            self._network = LatentDiffusion(
                self._folder,
                blocks=read_blocks(self.config.blocks),
                device=device,
                dtype=choose_dtype(self.config.precision, device),
            )
        return self._network


def read_blocks(text: str) -> dict[str, float]:
    """Read weights of attention blocks, as a person types them.

    Raises
    ------
    InputError
        If a weight is missing, no number or negative, a block comes twice, or all weights are 0.

    Examples
    --------
    >>> read_blocks("up_blocks.3.attentions.0=0.5, mid_block.attentions.0=1")
    {'up_blocks.3.attentions.0': 0.5, 'mid_block.attentions.0': 1.0}
    """
    blocks: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        try:
            value = float(weight)
        except ValueError:
            value = -1.0
        if not name or name in blocks or not 0 <= value < float("inf"):
            raise InputError(
                f"blocks has '{part.strip()}'; needs NAME=WEIGHT, each block once, from 0 on."
            )
        blocks[name] = value
    chosen = {name: value for name, value in blocks.items() if value > 0}
    if not chosen:
        raise InputError(f"blocks is '{text}'; needs a weight above 0.")
    return chosen


def stretch(image: RgbImage, side: int) -> RgbImage:
    """Stretch a picture to a square; each new pixel is the mean of the area that it covers."""
    height, width = image.shape[:2]
    # One axis may shrink while the other grows, and OpenCV's areas want them one way.
    shrunk = cv2.resize(image, (min(side, width), min(side, height)), interpolation=cv2.INTER_AREA)
    square = cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_AREA)
    return square.astype(np.uint8, copy=False)


def _square_grid(count: int) -> Grid:
    side = round(count**0.5)
    return Grid(side, side)
