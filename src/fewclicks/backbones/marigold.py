"""Marigold: depth as a diffusion model draws it, several times over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Final

import numpy as np

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.backbones.base import Depth
from fewclicks.backbones.device import check_device, check_installed, choose_device, choose_dtype
from fewclicks.backbones.plain_depth import flip_averaged, normalised
from fewclicks.backbones.weights import locate
from fewclicks.errors import InputError, StorageError
from fewclicks.images.resizing import resize_image, resize_map

_MOST_STEPS: Final = 50  # the consistency model was distilled from so many
_CELL: Final = 8  # pixels to a latent
_WIDEST: Final = 16  # times the shorter side; a longer strip is squeezed, as the network sees none


@dataclass(frozen=True, kw_only=True, slots=True)
class MarigoldConfig:
    """What is loaded, and how often it draws.

    Parameters
    ----------
    weights
        A name of the table of weights, a hub id, or a folder.
    steps
        Of denoising, at most 50; M2N2V2 takes 50, and a consistency model is content with 4.
    ensemble
        Drawings, aligned to each other, whose median is taken.
    offset
        The inverse of depth z in [0, 1] is ``1 / (z + offset)``.
    longest_side
        Of the picture as the network sees it, in pixels, a multiple of 8.
    flip
        Whether to average with the mirrored picture's depth; `m2n2v2` does that by itself.
    seed
        Of the noise that each drawing begins with.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision
        ``"auto"``, ``"fp32"``, ``"fp16"`` or ``"bf16"``.
    """

    weights: str = "marigold-depth-lcm"
    steps: int = 4
    ensemble: int = 10
    offset: float = 0.25
    longest_side: int = 768
    flip: bool = False
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= _MOST_STEPS:
            raise InputError(f"steps is {self.steps}; needs 1 to {_MOST_STEPS}.")
        if self.ensemble < 1:
            raise InputError(f"ensemble is {self.ensemble}; needs at least 1 drawing.")
        if not self.offset > 0:
            raise InputError(f"offset is {self.offset}; needs a number above 0.")
        if self.longest_side < _CELL * _WIDEST or self.longest_side % _CELL:
            raise InputError(
                f"longest_side is {self.longest_side}; needs a multiple of {_CELL} from "
                f"{_CELL * _WIDEST} on."
            )
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; needs a whole number from 0.")
        check_device(self.device, self.precision)


class MarigoldSource:
    """Marigold's latent consistency model for depth.

    Parameters
    ----------
    config
        Ten drawings of four steps if left out.

    Raises
    ------
    MissingExtraError
        If torch, transformers or diffusers is not installed.
    WeightsError
        If the weights are not on this machine.

    Notes
    -----
    The network is loaded with the first picture. It draws for one thread at a time.

    References
    ----------
    .. [1] Ke et al., "Repurposing Diffusion-Based Image Generators for Monocular Depth
       Estimation", CVPR 2024.
    .. [2] M2N2V2, section 7: 50 steps, ten drawings, offset 0.25.
    """

    config_type: ClassVar = MarigoldConfig

    def __init__(self, config: MarigoldConfig | None = None) -> None:
        self.config = config or MarigoldConfig()
        self.name = self.config.weights
        check_installed(
            f"Depth source '{self.name}'", extra="diffusion", packages=("diffusers", "accelerate")
        )
        self._folder = locate(self.name)
        self._pipeline: Any = None
        self._drawing = Lock()  # the scheduler counts its steps within itself

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
        with self._drawing:
            far = flip_averaged(self._draw, image) if self.config.flip else self._draw(image)
        return normalised(np.float32(1.0) / (far + np.float32(self.config.offset)))

    def _draw(self, image: RgbImage) -> FloatMap:
        """Depth in [0, 1], 0 is nearest, at the picture's size."""
        import torch

        if self._pipeline is None:
            self._pipeline = _load(self._folder, self.config)
        height, width = image.shape[:2]
        most = _WIDEST * min(height, width)
        seen = resize_image(image, height=min(height, most), width=min(width, most))
        answer = self._pipeline(
            seen,
            num_inference_steps=self.config.steps,
            ensemble_size=self.config.ensemble,
            processing_resolution=self.config.longest_side,
            generator=torch.Generator().manual_seed(self.config.seed),
        )
        values: FloatMap = np.asarray(answer.prediction, dtype=np.float32)[0, ..., 0]
        return resize_map(values, height=height, width=width)


def _load(folder: Path, config: MarigoldConfig) -> Any:
    from diffusers import MarigoldDepthPipeline
    from safetensors import SafetensorError

    published: Any = MarigoldDepthPipeline
    device = choose_device(config.device)
    try:
        with _without_progress_bars():
            pipeline = published.from_pretrained(
                folder,
                dtype=choose_dtype(config.precision, device),
                use_safetensors=True,
                local_files_only=True,
            )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StorageError(f"{folder} cannot be loaded ({reason}); fetch it again.") from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    with ExitStack() as afterwards:
        for logging in (of_diffusers, of_transformers):
            if logging.is_progress_bar_enabled():
                logging.disable_progress_bar()
                afterwards.callback(logging.enable_progress_bar)
        yield
