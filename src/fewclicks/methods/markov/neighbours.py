"""Named neighbours of M2N2: its frame around other distances, as its Table 3 compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewclicks.backbones.base import Attention
from fewclicks.methods.markov.m2n2 import M2N2, M2N2Config
from fewclicks.methods.markov.sinkhorn import temper
from fewclicks.methods.markov.token_maps import (
    AttentionDistance,
    DivergenceDistance,
    TokenMap,
    normalise_rows,
)


class AttentionNN(M2N2):
    """Attention truncated nearest neighbour: tokens that a click looks at are near.

    Upsampling, flood fill, scores and their settings are those of M2N2; there is no walk, so the
    settings of the walk do nothing.

    References
    ----------
    .. [1] M2N2, section 4 "Baselines" (arXiv:2411.10411).
    """

    def token_map(self, attention: Attention) -> TokenMap:
        """Read the tempered attention as nearness."""
        return AttentionDistance(
            attention=normalise_rows(temper(attention.matrix, self.config.temperature))
        )


class KlNN(M2N2):
    """KL-divergence truncated nearest neighbour: tokens that look at the same things are near.

    Upsampling, flood fill, scores and their settings are those of M2N2; there is no walk, so the
    settings of the walk do nothing.

    References
    ----------
    .. [1] M2N2, section 4 "Baselines" (arXiv:2411.10411).
    """

    def token_map(self, attention: Attention) -> TokenMap:
        """Compare rows of the tempered attention."""
        return DivergenceDistance(normalise_rows(temper(attention.matrix, self.config.temperature)))


@dataclass(frozen=True, kw_only=True, slots=True)
class NoFloodFillConfig(M2N2Config):
    """M2N2's, without flood fill."""

    flood_fill: bool = False


class M2N2NoFloodFill(M2N2):
    """M2N2 whose clicks reach all that is alike, joined to them or not.

    References
    ----------
    .. [1] M2N2, section 4 "Baselines" (arXiv:2411.10411).
    """

    config_type: ClassVar = NoFloodFillConfig
