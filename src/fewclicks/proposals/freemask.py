"""FreeMask: tokens as queries that light up what is like them, and the best of their maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatImage, FloatMatrix
from fewclicks.backbones.base import Features
from fewclicks.errors import InputError
from fewclicks.proposals.generators import Proposals

_SCALES: Final = (1.0, 0.5, 0.25)
_AT_ONCE: Final = 1024  # queries whose maps are in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeMaskConfig:
    """Which maps become masks.

    Parameters
    ----------
    threshold
        Of a map that runs from 0 to 1; above it lies the mask.
    most_queries
        The best so many compete.
    sharpness
        By which a mask loses score to better ones that overlap it.
    least_score
        What must be left of its score, in (0, 1).
    most_masks
        Of each picture.
    """

    threshold: float = 0.5
    most_queries: int = 500
    sharpness: float = 2.0
    least_score: float = 0.3
    most_masks: int = 30

    def __post_init__(self) -> None:
        for name in ("threshold", "least_score"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number in (0, 1).")
        for name in ("most_queries", "most_masks"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least 1.")
        if not self.sharpness > 0:
            raise InputError(f"sharpness is {self.sharpness}; needs a number above 0.")


class FreeMask:
    """Many masks for each picture, which may overlap.

    Parameters
    ----------
    config
        Which maps become masks.

    References
    ----------
    .. [1] Wang et al., "FreeSOLO: Learning to Segment Objects without Annotations", CVPR 2022,
       arXiv:2202.12181, section 3.2; matrix NMS is SOLOv2's, arXiv:2003.10152, section 3.3.
    """

    name: ClassVar = "freemask"
    config_type: ClassVar = FreeMaskConfig

    def __init__(self, config: FreeMaskConfig | None = None) -> None:
        self.config = config or FreeMaskConfig()

    def propose(self, features: Features) -> Proposals:
        """Take cosines to queries pooled at three scales, and thin out the maps that agree."""
        masks, scores = self._best_maps(features)
        order = np.argsort(-scores, kind="stable")[: self.config.most_queries]
        masks, scores = masks[order], scores[order]
        left = scores * matrix_nms(masks, self.config.sharpness)
        kept = np.argsort(-left, kind="stable")[: self.config.most_masks]
        grid = features.grid
        return Proposals(
            masks=tuple(
                masks[place].reshape(grid.height, grid.width)
                for place in kept
                if left[place] >= self.config.least_score
            )
        )

    def _best_maps(self, features: Features) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Masks (m, n) of the best queries, and how sure their maps are within them."""
        tokens = _unit(features.tokens)
        queries = _unit(np.concatenate(list(_pooled(features))))
        found, scores = [], []
        for start in range(0, len(queries), _AT_ONCE):
            maps = queries[start : start + _AT_ONCE] @ tokens.T
            maps -= maps.min(axis=1, keepdims=True)
            maps /= np.maximum(maps.max(axis=1, keepdims=True), 1e-12)
            masks = maps > self.config.threshold
            areas = np.maximum(masks.sum(axis=1), 1)
            sure = (maps * masks).sum(axis=1, dtype=np.float64) / areas
            best = np.argsort(-sure, kind="stable")[: self.config.most_queries]
            found.append(masks[best])
            scores.append(sure[best])
        return np.concatenate(found), np.concatenate(scores)


def matrix_nms(masks: NDArray[np.bool_], sharpness: float) -> NDArray[np.float64]:
    """Reckon which part of its score each mask keeps beside better ones that overlap it.

    Parameters
    ----------
    masks : (m, n)
        Best first.
    sharpness
        Of ``exp(-sharpness * IoU^2)``.

    Returns
    -------
    (m,)
        In (0, 1]; 1 for the best.
    """
    rows = masks.astype(np.float32)
    common = rows @ rows.T
    areas = rows.sum(axis=1)
    ious = np.triu(common / np.maximum(areas[:, None] + areas - common, 1.0), k=1)
    ious = ious.astype(np.float64)
    hidden = ious.max(axis=0)  # how far the better mask is itself hidden by one better still
    decay = np.exp(-sharpness * (ious**2 - hidden[:, None] ** 2))
    decay[np.tril_indices(len(masks))] = 1.0
    return np.asarray(np.minimum(decay.min(axis=0), 1.0), dtype=np.float64)


def _pooled(features: Features) -> Iterator[FloatMatrix]:
    grid = features.grid
    dense = features.tokens.reshape(grid.height, grid.width, -1)
    for scale in _SCALES:
        means = _mean_rows(_mean_rows(dense, scale).swapaxes(0, 1), scale).swapaxes(0, 1)
        yield means.reshape(-1, dense.shape[-1])


def _mean_rows(dense: FloatImage, scale: float) -> FloatImage:
    """Average so many rows, as evenly as whole ones can be shared out."""
    rows = len(dense)
    edges = np.linspace(0, rows, max(1, round(rows * scale)), endpoint=False).astype(np.intp)
    counts = np.diff(edges, append=rows).astype(dense.dtype)
    return np.asarray(np.add.reduceat(dense, edges, axis=0) / counts[:, None, None])


def _unit(tokens: FloatMatrix) -> FloatMatrix:
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    unit: FloatMatrix = tokens / np.maximum(lengths, 1e-12)
    return unit
