"""TokenCut: the one most salient object, by a normalised cut through the graph of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from fewclicks.backbones.base import Features
from fewclicks.errors import InputError
from fewclicks.proposals.generators import Proposals
from fewclicks.proposals.spectrum import cosines, slow_modes


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCutConfig:
    """How the graph is made.

    Parameters
    ----------
    threshold
        Cosine above which two tokens are joined.
    floor
        Weight of the edges between all others, above 0.
    """

    threshold: float = 0.2
    floor: float = 1e-5

    def __post_init__(self) -> None:
        if not -1 < self.threshold < 1:
            raise InputError(f"threshold is {self.threshold}; needs a cosine within (-1, 1).")
        if not self.floor > 0:
            raise InputError(f"floor is {self.floor}; needs a number above 0.")


class TokenCut:
    """One mask for each picture.

    Parameters
    ----------
    config
        How the graph is made.

    References
    ----------
    .. [1] Wang et al., "Self-Supervised Transformers for Unsupervised Object Discovery Using
       Normalized Cut", CVPR 2022, arXiv:2202.11539, section 3.
    """

    name: ClassVar = "tokencut"
    config_type: ClassVar = TokenCutConfig

    def __init__(self, config: TokenCutConfig | None = None) -> None:
        self.config = config or TokenCutConfig()

    def propose(self, features: Features) -> Proposals:
        """Split the second smallest mode at its mean, and keep the part around its extreme.

        Returns
        -------
        Proposals
            One mask, connected along sides of tokens; none of a picture of one token.
        """
        grid = features.grid
        if grid.count < 2:
            return Proposals()
        alike = cosines(features.tokens) > self.config.threshold
        affinity = np.where(alike, np.float32(1.0), np.float32(self.config.floor))
        mode = slow_modes(affinity, 1)[:, 0]
        on_object = (mode > mode.mean()).reshape(grid.height, grid.width)
        parts, _ = ndimage.label(on_object)
        seed = parts.ravel()[int(mode.argmax())]  # its extreme is above 0, so on the object
        return Proposals(masks=(np.asarray(parts == seed),))
