"""Shape network: what objects look like, to correct an opinion of regions.

The evidence of a region is made of distances from clicks. This convolutional network sees what they
leave out, the picture around the answer as a whole, and says how the opinion should change. It was
fitted by `tools/fitting`; onnxruntime runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.backbones.onnx_network import OnnxNetwork
from fewclicks.clicks import Click
from fewclicks.methods.markov.shape_view import see, square_around
from fewclicks.methods.markov.view import View

SHAPE_FILE: Final = Path(__file__).with_name("shape.onnx")
"""The network that comes with the package."""


class ShapeNetwork:
    """A network that corrects opinions.

    Parameters
    ----------
    file
        An ONNX file that takes (1, CHANNELS, SIDE, SIDE) and gives (1, 1, SIDE, SIDE).

    Notes
    -----
    The first click loads it.
    """

    def __init__(self, file: Path) -> None:
        self._network = OnnxNetwork(file, remedy="install fewclicks again")

    def correction(
        self,
        view: View,
        opinion: NDArray[np.floating],
        clicks: Sequence[Click],
        previous: BoolMask | None,
    ) -> NDArray[np.float64]:
        """Say what to add to the log odds of each region, (n,); 0 far from the answer.

        Parameters
        ----------
        opinion : (n,)
            Log odds of the view's regions.
        clicks
            In pixels of the view, at least one.
        previous : (h, w), optional
            The answer before the newest click, at the view's size.
        """
        superpixels = view.regions.superpixels
        height, width = view.shape
        held = opinion.astype(np.float32).take(superpixels.labels)
        before = np.zeros(view.shape, dtype=bool) if previous is None else previous
        square = square_around(held > 0, clicks)
        seen = see(view.picture, held, before, clicks, square)
        change = self._network(seen[None])[0, 0]
        return superpixels.mean(square.put_back(change, height=height, width=width))


@cache
def shape_network() -> ShapeNetwork:
    """Read the network that comes with the package, once."""
    return ShapeNetwork(SHAPE_FILE)
