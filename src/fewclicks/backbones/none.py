"""No backbone: one token, so that nothing in the picture differs for it.

For `m2n2v2` on depth alone, the row without attention of M2N2V2's Table 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Attention, Features, Grid

_ONE_TOKEN = Grid(1, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoConfig:
    """Nothing to set."""


class NoBackbone:
    """Sees the whole picture as one token that looks at itself.

    Examples
    --------
    >>> NoBackbone().attention(np.zeros((48, 64, 3), dtype=np.uint8)).matrix
    array([[1.]], dtype=float32)
    """

    name = "none"
    config_type: ClassVar = NoConfig

    def __init__(self, config: NoConfig | None = None) -> None:
        self.config = config or NoConfig()

    def features(self, image: RgbImage) -> Features:  # noqa: ARG002 (all pictures are alike)
        """Describe the token by a single 0."""
        return Features(tokens=np.zeros((1, 1), dtype=np.float32), grid=_ONE_TOKEN, temperature=1.0)

    def attention(self, image: RgbImage) -> Attention:  # noqa: ARG002
        """Let the token look at itself."""
        return Attention(matrix=np.ones((1, 1), dtype=np.float32), grid=_ONE_TOKEN)
