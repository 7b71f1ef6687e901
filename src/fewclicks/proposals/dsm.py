"""Deep spectral methods (DSM): segments of a picture, by clustering its tokens' slow modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewclicks.arrays import LabelMap
from fewclicks.backbones.base import Features
from fewclicks.errors import InputError
from fewclicks.proposals.generators import Proposals
from fewclicks.proposals.spectrum import cosines, slow_modes

_LEAST_AFFINITY = 1e-6  # so that no token stands alone


@dataclass(frozen=True, kw_only=True, slots=True)
class DeepSpectralConfig:
    """How a picture is cut into segments.

    Parameters
    ----------
    modes
        Of the graph, less the constant one.
    segments
        Clusters; the one that holds most of the picture's border is no proposal.
    seed
        Of the clusters' beginnings.
    """

    modes: int = 4
    segments: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.modes < 1:
            raise InputError(f"modes is {self.modes}; needs at least 1.")
        if self.segments < 2:
            raise InputError(f"segments is {self.segments}; needs at least 2.")


class DeepSpectral:
    """A few masks for each picture, which do not overlap.

    Parameters
    ----------
    config
        How a picture is cut into segments.

    References
    ----------
    .. [1] Melas-Kyriazi et al., "Deep Spectral Methods: A Surprisingly Strong Baseline for
       Unsupervised Semantic Segmentation and Localization", CVPR 2022, arXiv:2205.07839.
    """

    name: ClassVar = "dsm"
    config_type: ClassVar = DeepSpectralConfig

    def __init__(self, config: DeepSpectralConfig | None = None) -> None:
        self.config = config or DeepSpectralConfig()

    def propose(self, features: Features) -> Proposals:
        """Cluster the tokens by the slow modes of their affinity ``max(cos, 0)``."""
        grid = features.grid
        if grid.count <= self.config.segments:
            return Proposals()
        affinity = np.maximum(cosines(features.tokens), np.float32(_LEAST_AFFINITY))
        modes = slow_modes(affinity, self.config.modes)
        labels = self._cluster(modes).reshape(grid.height, grid.width)
        background = _most_of_border(labels)
        others = [label for label in np.unique(labels) if label != background]
        return Proposals(masks=tuple(np.asarray(labels == label) for label in others))

    def _cluster(self, modes: np.ndarray) -> LabelMap:
        from sklearn.cluster import KMeans  # slow to import, and only this needs it

        clusters = KMeans(self.config.segments, n_init=1, random_state=self.config.seed)
        return np.asarray(clusters.fit_predict(modes), dtype=np.int32)


def _most_of_border(labels: LabelMap) -> int:
    rim = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return int(np.bincount(rim).argmax())
