"""Tokens of colour, texture and place: a backbone that has no weights to load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from fewclicks.arrays import FloatImage, FloatMap, FloatMatrix, RgbImage
from fewclicks.backbones.base import Attention, Features, Grid
from fewclicks.errors import InputError

_CELL_SIDE = 16  # pixels; finer statistics of a cell change nothing and cost memory
_LEAST_LOGIT = -40.0  # e^-40 is nobody's neighbour, yet no subnormal number slows the arithmetic
_TEXTURE_SCALES = (1.0, 3.0)  # standard deviations of the derivatives' Gaussians, in pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class ColourConfig:
    """How the tokens of a picture are made and compared.

    Parameters
    ----------
    longest_side
        In tokens; the other side keeps the picture's aspect.
    temperature
        Of the attention, whose affinity is ``exp(-|f_i - f_j|^2 / temperature)``; lower is
        sharper.
    features_temperature
        The same for features that are averaged over regions, which vary less.
    spread, texture, position
        Weight of a cell's spread of colour, of its texture and of its place, where the mean
        colour has weight 1 (100 units of Lab are a distance of 1, and so is the longest side).
    """

    longest_side: int = 64
    temperature: float = 0.007
    features_temperature: float = 0.0128
    spread: float = 0.5
    texture: float = 0.5
    position: float = 0.5

    def __post_init__(self) -> None:
        if self.longest_side < 1:
            raise InputError(f"longest_side is {self.longest_side}; needs at least 1 token.")
        for name in ("temperature", "features_temperature"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number above 0.")
        for name in ("spread", "texture", "position"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number from 0 on.")


class ColourBackbone:
    """Cells of the picture as tokens, alike where colour, texture and place are alike.

    Parameters
    ----------
    config
        The default is what the embedded method's features are made with.

    Examples
    --------
    >>> picture = np.zeros((48, 64, 3), dtype=np.uint8)
    >>> ColourBackbone().features(picture).grid
    Grid(height=48, width=64)
    """

    name = "colour"
    config_type: ClassVar = ColourConfig

    def __init__(self, config: ColourConfig | None = None) -> None:
        self.config = config or ColourConfig()

    def features(self, image: RgbImage) -> Features:
        """Describe each cell, in units in which a distance of 0.1 is plainly visible.

        Parameters
        ----------
        image : (H, W, 3)

        Returns
        -------
        Features
            Channels: mean Lab (3), spread of Lab (3), texture (energy and direction at two
            scales, 6), place (x, y); the weights of the configuration are applied.
        """
        grid = self._grid(image)
        tokens = describe_cells(image, grid, self.config)
        return Features(tokens=tokens, grid=grid, temperature=self.config.features_temperature)

    def attention(self, image: RgbImage) -> Attention:
        """Softmax over each row of ``-|f_i - f_j|^2 / temperature``.

        Notes
        -----
        One matrix product of (n, 16) with its transpose; no entry is exactly 0.
        """
        features = self.features(image)
        matrix = gaussian_affinity(features.tokens, temperature=self.config.temperature)
        matrix /= matrix.sum(axis=1, keepdims=True)
        return Attention(matrix=matrix, grid=features.grid)

    def _grid(self, image: RgbImage) -> Grid:
        height, width = image.shape[:2]
        cell = max(max(height, width) / self.config.longest_side, 1.0)
        return Grid(max(1, round(height / cell)), max(1, round(width / cell)))


def describe_cells(image: RgbImage, grid: Grid, config: ColourConfig) -> FloatMatrix:
    """Describe the cells of a grid over a picture by colour, texture and place.

    Parameters
    ----------
    image : (H, W, 3)
    grid
        Of any size.
    config
        Of which the weights of the channels count here.

    Returns
    -------
    (n, 14)
        As `ColourBackbone.features` has them.
    """
    lab = _lab(image, grid)
    mean = _cell_mean(lab, grid)
    variance = _cell_mean(lab * lab, grid) - mean * mean
    spread: FloatImage = np.sqrt(np.maximum(variance, 0.0))
    texture = _cell_texture(lab[..., 0], grid)
    channels: list[FloatImage] = [
        mean,
        spread * np.float32(config.spread),
        texture * np.float32(config.texture),
        _place(grid, *image.shape[:2]) * np.float32(config.position),
    ]
    return np.concatenate(channels, axis=-1).reshape(grid.count, -1)


def gaussian_affinity(tokens: FloatMatrix, *, temperature: float) -> FloatMatrix:
    """How alike tokens are: ``exp(-|f_i - f_j|^2 / temperature)``.

    Parameters
    ----------
    tokens : (n, c)

    Returns
    -------
    (n, n) float32
        Symmetric, 1 on the diagonal, in (0, 1]; not yet normalised.
    """
    centred = tokens - tokens.mean(axis=0)
    squares = np.einsum("nc,nc->n", centred, centred)[:, None]
    ones = np.ones_like(squares)
    # |a - b|^2 = a.a - 2 a.b + b.b as one product: the sums ride along as two more channels.
    left = np.concatenate([2.0 * centred, -squares, -ones], axis=1) / temperature
    right = np.concatenate([centred, ones, squares], axis=1)
    affinity: FloatMatrix = left.astype(np.float32) @ right.astype(np.float32).T
    np.clip(affinity, _LEAST_LOGIT, 0.0, out=affinity)
    np.exp(affinity, out=affinity)
    np.fill_diagonal(affinity, 1.0)
    return affinity


def _lab(image: RgbImage, grid: Grid) -> FloatImage:
    """Lab in hundreds of units, at a size that makes large pictures cheap."""
    height = min(image.shape[0], grid.height * _CELL_SIDE)
    width = min(image.shape[1], grid.width * _CELL_SIDE)
    if (height, width) != image.shape[:2]:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    rgb = image.astype(np.float32) / np.float32(255.0)
    return (cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab) / 100.0).astype(np.float32)


def _cell_mean(channels: FloatImage, grid: Grid) -> FloatImage:
    means = cv2.resize(channels, (grid.width, grid.height), interpolation=cv2.INTER_AREA)
    return means.reshape(grid.height, grid.width, -1).astype(np.float32, copy=False)


def _cell_texture(lightness: FloatMap, grid: Grid) -> FloatImage:
    """Energy and direction of the lightness gradient, direction as the doubled angle."""
    found = []
    for scale in _TEXTURE_SCALES:
        smooth = cv2.GaussianBlur(lightness, (0, 0), scale)
        right = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=scale / 32.0)
        down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=scale / 32.0)
        products = np.stack([right * right, down * down, right * down], axis=-1)
        xx, yy, xy = np.moveaxis(_cell_mean(products, grid), -1, 0)
        energy = np.sqrt(xx + yy)
        per_energy = 1.0 / np.maximum(energy, 1e-6)
        found += [energy, (xx - yy) * per_energy, 2.0 * xy * per_energy]
    return np.stack(found, axis=-1)


def _place(grid: Grid, height: int, width: int) -> FloatImage:
    """Centre of each cell, as a share of the picture's longest side."""
    longest = max(height, width)
    x = (np.arange(grid.width) + 0.5) * (width / grid.width / longest)
    y = (np.arange(grid.height) + 0.5) * (height / grid.height / longest)
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
