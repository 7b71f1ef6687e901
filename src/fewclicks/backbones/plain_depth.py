"""Depth without a network: a plain, smooth noise, and the steps that every guess at depth takes.

A plain changes nothing and noise knows nothing, so they tell what a method owes to depth and how
it bears depth that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.backbones.base import Depth
from fewclicks.errors import InputError


def normalised(values: FloatMap) -> Depth:
    """Bring inverse depth of any scale to [0, 1]; where all is equally near, it is 0.

    Parameters
    ----------
    values : (H, W)
        Finite; larger is nearer.
    """
    lowest, highest = values.min(), values.max()
    if not highest > lowest:
        return Depth(values=np.zeros(values.shape, dtype=np.float32))
    share = (values - lowest) / (highest - lowest)
    return Depth(values=np.clip(share, 0.0, 1.0).astype(np.float32))


def flip_averaged(estimate: Callable[[RgbImage], FloatMap], image: RgbImage) -> FloatMap:
    """Mean of the estimates for a picture and for its mirror image.

    Parameters
    ----------
    estimate
        From (H, W, 3) to (H, W).
    image : (H, W, 3)

    References
    ----------
    .. [1] M2N2V2, section 9: test time augmentation by horizontal flips.
    """
    mirrored = estimate(np.ascontiguousarray(image[:, ::-1]))
    mean: FloatMap = np.float32(0.5) * (estimate(image) + mirrored[:, ::-1])
    return mean


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantConfig:
    """How near everything is.

    Parameters
    ----------
    value
        In [0, 1].
    """

    value: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 1:
            raise InputError(f"value is {self.value}; needs a depth from 0 (far) to 1 (near).")


class ConstantDepth:
    """A plain: every pixel is equally near, so that depth tells nothing."""

    name = "constant"
    config_type: ClassVar = ConstantConfig

    def __init__(self, config: ConstantConfig | None = None) -> None:
        self.config = config or ConstantConfig()

    def depth(self, image: RgbImage) -> Depth:
        """Say the same of each pixel."""
        return Depth(values=np.full(image.shape[:2], self.config.value, dtype=np.float32))


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseConfig:
    """Which noise.

    Parameters
    ----------
    seed
        The same seed and size give the same noise.
    bumps
        Along the longer side; fewer is smoother.
    """

    seed: int = 0
    bumps: int = 8

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; needs a whole number from 0.")
        if self.bumps < 1:
            raise InputError(f"bumps is {self.bumps}; needs at least 1.")


class NoiseDepth:
    """Hills and valleys that have nothing to do with the picture.

    Examples
    --------
    >>> picture = np.zeros((48, 64, 3), dtype=np.uint8)
    >>> values = NoiseDepth().depth(picture).values
    >>> float(values.min()), float(values.max())
    (0.0, 1.0)
    """

    name = "noise"
    config_type: ClassVar = NoiseConfig

    def __init__(self, config: NoiseConfig | None = None) -> None:
        self.config = config or NoiseConfig()

    def depth(self, image: RgbImage) -> Depth:
        """Draw normal numbers on a coarse grid, and lay cubic curves through them."""
        height, width = image.shape[:2]
        cell = max(height, width) / self.config.bumps
        rows, columns = (max(1, round(side / cell)) + 1 for side in (height, width))
        coarse = np.random.default_rng(self.config.seed).standard_normal((rows, columns))
        smooth = cv2.resize(
            coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        return normalised(smooth.reshape(height, width).astype(np.float32, copy=False))
