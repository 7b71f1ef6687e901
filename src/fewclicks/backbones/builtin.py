"""Built-in backbone: a small network of our own that lies in the package and needs no torch.

It was taught by a vision transformer to say which places of a picture belong together
(`fewclicks.training.distillation`). onnxruntime runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from fewclicks.arrays import FloatMatrix, RgbImage
from fewclicks.backbones.base import Attention, Features, Grid
from fewclicks.backbones.colour import ColourConfig, describe_cells, gaussian_affinity
from fewclicks.backbones.onnx_network import OnnxNetwork
from fewclicks.errors import InputError, WeightsError
from fewclicks.images.resizing import resize_image

STRIDE: Final = 8
"""Pixels of the resized picture from one token to the next."""

_PACKAGED: Final = "builtin.onnx"
_MOST_ATTENDING: Final = 64 * 64
_TAUGHT_AT: Final = 480


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltInConfig:
    """Which network, and how its tokens are compared.

    Parameters
    ----------
    weights
        An ONNX file that ``fewclicks train configs/embedded/builtin.toml`` wrote; empty takes the
        package's own.
    longest_side
        Of the picture as the network sees it, in pixels; the aspect is kept. It was taught at 480;
        at twice that it is sharper and still sees the same things. A picture that is smaller than
        half of it is only doubled, or brought to 480.
    temperature
        Of the affinity ``softmax(cos / temperature)``; lower is sharper.
    colour
        Weight of the colour backbone's tokens beside the network's, in units of the network's
        unit length; 0 leaves them out.
    flip
        Whether to average with the mirrored picture; twice the time.
    threads
        Of the network.
    """

    weights: str = ""
    longest_side: int = 960
    temperature: float = 0.1
    colour: float = 0.5
    flip: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("longest_side", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least 1.")
        if not self.temperature > 0:
            raise InputError(f"temperature is {self.temperature}; needs a number above 0.")
        if not self.colour >= 0:
            raise InputError(f"colour is {self.colour}; needs a number from 0 on.")


class BuiltInBackbone:
    """Tokens of the package's own network, with their colours.

    Parameters
    ----------
    config
        The default is the network that comes with the package.

    Raises
    ------
    WeightsError
        If the file is not there or is no such network.

    Notes
    -----
    The first picture loads the network; several threads may then share it.
    """

    name = "builtin"
    config_type: ClassVar = BuiltInConfig

    def __init__(self, config: BuiltInConfig | None = None) -> None:
        self.config = config or BuiltInConfig()
        if self.config.weights and not Path(self.config.weights).expanduser().is_file():
            raise WeightsError(f"There is no file {self.config.weights}; needs an ONNX network.")
        self._network = OnnxNetwork(
            _file(self.config), threads=self.config.threads, remedy="export it again"
        )

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """What it is read from."""
        return (_file(self.config),)

    def features(self, image: RgbImage) -> Features:
        """Describe each token.

        Parameters
        ----------
        image : (H, W, 3)

        Returns
        -------
        Features
            The network's channels without their mean, of length 1, then those of colour. So of
            the network alone ``|a - b|^2 = 2 - 2 cos(a, b)``, as of a ViT's keys.
        """
        grid = self._grid(image)
        tokens = self._look(image, grid)
        if self.config.flip:
            mirror = np.arange(grid.count).reshape(grid.height, grid.width)[:, ::-1].ravel()
            mirrored = self._look(np.ascontiguousarray(image[:, ::-1]), grid)
            tokens = _unit(tokens + mirrored[mirror])
        if self.config.colour:
            colours = describe_cells(image, grid, ColourConfig()) * np.float32(self.config.colour)
            tokens = np.concatenate([tokens, colours], axis=1)
        return Features(tokens=tokens, grid=grid, temperature=2.0 * self.config.temperature)

    def attention(self, image: RgbImage) -> Attention:
        """Softmax over each row of ``-|f_i - f_j|^2 / (2 temperature)``.

        Of at most 4096 tokens, neighbours averaged: the matrix has their number squared.

        Parameters
        ----------
        image : (H, W, 3)
        """
        features = self.features(image).at_most(_MOST_ATTENDING)
        matrix = gaussian_affinity(features.tokens, temperature=features.temperature)
        matrix /= matrix.sum(axis=1, keepdims=True)
        return Attention(matrix=matrix, grid=features.grid)

    def _grid(self, image: RgbImage) -> Grid:
        height, width = image.shape[:2]
        longest = max(height, width)
        shown = min(self.config.longest_side, max(_TAUGHT_AT, 2 * longest))
        cell = STRIDE * longest / shown
        return Grid(max(1, round(height / cell)), max(1, round(width / cell)))

    def _look(self, image: RgbImage, grid: Grid) -> FloatMatrix:
        """Run the network, (n, c) of length 1."""
        shown = resize_image(image, height=grid.height * STRIDE, width=grid.width * STRIDE)
        colours = np.moveaxis(shown, -1, 0)[None].astype(np.float32) / np.float32(255.0)
        tokens = self._network(colours).reshape(-1, grid.count).T
        return _unit(tokens - tokens.mean(axis=0))


def _file(config: BuiltInConfig) -> Path:
    if config.weights:
        return Path(config.weights).expanduser()
    return Path(__file__).with_name(_PACKAGED)


def _unit(tokens: FloatMatrix) -> FloatMatrix:
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    unit: FloatMatrix = tokens / np.maximum(lengths, np.float32(1e-6))
    return np.ascontiguousarray(unit)
