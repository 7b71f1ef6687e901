"""Token walk: M2N2's Markov map over the tokens of the whole picture, for whoever asks of a place.

Regions are few, so walks over them lose what is finer; tokens are three times as many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fewclicks.arrays import FloatMap
from fewclicks.backbones.base import Features, Grid
from fewclicks.backbones.colour import gaussian_affinity
from fewclicks.methods.markov.markov_map import markov_map
from fewclicks.methods.markov.sinkhorn import Transition, sinkhorn
from fewclicks.methods.memo import Memo

_ROUNDS, _TOLERANCE = 60, 1e-3
_REMEMBERED_MAPS: Final = 64

MOST_TOKENS: Final = 3600
"""That are compared each with each other; 60x60, as of a square picture at 480 and stride 8."""


@dataclass(frozen=True, kw_only=True)
class WalkedMaps:
    """Walks over the tokens of a picture.

    Parameters
    ----------
    transition
        Doubly stochastic, over the tokens.
    grid
        Of the tokens.
    """

    transition: Transition
    grid: Grid
    _maps: Memo[int, FloatMap] = field(default_factory=lambda: Memo(_REMEMBERED_MAPS))

    def log_steps(self, x: float, y: float) -> FloatMap:
        """Count the steps from a place to each token, as ``log(1 + steps)``, (h, w).

        Parameters
        ----------
        x, y
            As shares of the picture's width and height, in [0, 1).
        """
        token = int(y * self.grid.height) * self.grid.width + int(x * self.grid.width)
        return self._maps.get(token, self._walk)

    def _walk(self, token: int) -> FloatMap:
        start = np.zeros((1, self.grid.count), dtype=np.float32)
        start[0, token] = 1.0
        steps = markov_map(self.transition, start)
        return np.log1p(steps).reshape(self.grid.height, self.grid.width)


def walk_over(features: Features) -> WalkedMaps:
    """Make the likeness of a picture's tokens a walk."""
    affinity = gaussian_affinity(features.tokens, temperature=features.temperature)
    transition = sinkhorn(affinity, rounds=_ROUNDS, tolerance=_TOLERANCE)
    return WalkedMaps(transition=transition, grid=features.grid)


def read_at(values: FloatMap, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read a map over tokens between their centres, bilinearly, (n,).

    Parameters
    ----------
    values : (h, w)
    places : (n, 2)
        x and y as shares of the picture's width and height.
    """
    height, width = values.shape
    at = (places[:, 1] * height - 0.5, places[:, 0] * width - 0.5)
    return np.asarray(ndimage.map_coordinates(values, at, order=1, mode="nearest"))
