"""Token maps: how far tokens are from a click, by a walk over the attention or by comparing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.markov_map import markov_map
from fewclicks.methods.markov.sinkhorn import Transition


class TokenMap(Protocol):
    """How far tokens are from a start distribution, (1, n)."""

    def distances(self, start: FloatMatrix) -> FloatMatrix:
        """Give each token's distance, (n,), not negative."""
        ...

    def stages(self, start: FloatMatrix) -> dict[str, FloatMatrix]:
        """Give what it looks at on its way, each (n,): the attention first, the distances last."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkovWalk:
    """Steps of a random walk until it has reached a token.

    Parameters
    ----------
    transition
        Of the tempered attention.
    temperature
        Which it was tempered with.
    saturation, max_steps
        See `markov_map`.
    """

    transition: Transition
    temperature: float
    saturation: float
    max_steps: int

    def distances(self, start: FloatMatrix) -> FloatMatrix:
        """Give the Markov map."""
        steps = markov_map(
            self.transition, start, saturation=self.saturation, max_steps=self.max_steps
        )
        return np.asarray(steps[0])

    def stages(self, start: FloatMatrix) -> dict[str, FloatMatrix]:
        """Give the attention before it was tempered, and the Markov map."""
        rows = start[0].nonzero()[0]
        attention = normalise_rows(self.transition.kernel[rows] ** np.float32(self.temperature))
        return {
            "attention": _mean(start[0, rows], attention),
            "markov": self.distances(start),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class AttentionDistance:
    """One less the relative attention that a click pays to a token: the Attention-NN baseline.

    Parameters
    ----------
    attention : (n, n)
        Rows sum to 1.
    """

    attention: FloatMatrix

    def distances(self, start: FloatMatrix) -> FloatMatrix:
        """Give ``1 - a / max a``, a being the attention at the start."""
        looked_at = _mean(start[0], self.attention)
        return np.asarray(np.float32(1.0) - looked_at / looked_at.max())

    def stages(self, start: FloatMatrix) -> dict[str, FloatMatrix]:
        """Give the attention, and one less it."""
        return {
            "attention": _mean(start[0], self.attention),
            "distance": self.distances(start),
        }


class DivergenceDistance:
    """How differently a click and a token look around: the KL-NN baseline.

    Parameters
    ----------
    attention : (n, n)
        Positive, rows sum to 1.

    Notes
    -----
    Logarithms are kept, which is a second matrix; a click then costs two products of a matrix
    with a vector.
    """

    def __init__(self, attention: FloatMatrix) -> None:
        self._attention = attention
        self._logarithm = np.log(attention)
        self._negentropy = np.einsum("ij,ij->i", attention, self._logarithm)

    def distances(self, start: FloatMatrix) -> FloatMatrix:
        """Give ``(KL(a | A_k) + KL(A_k | a)) / 2`` for each token k, a being the start's row."""
        own = _mean(start[0], self._attention)
        logarithm = np.log(own)
        there = own @ logarithm - self._logarithm @ own
        back = self._negentropy - self._attention @ logarithm
        return np.asarray(np.maximum((there + back) / 2, 0.0), dtype=np.float32)

    def stages(self, start: FloatMatrix) -> dict[str, FloatMatrix]:
        """Give the attention, and how it diverges."""
        return {
            "attention": _mean(start[0], self._attention),
            "divergence": self.distances(start),
        }


def normalise_rows(kernel: FloatMatrix) -> FloatMatrix:
    """Scale rows to sum to 1, in place."""
    kernel /= kernel.sum(axis=1, keepdims=True)
    return kernel


def _mean(weights: FloatMatrix, rows: FloatMatrix) -> FloatMatrix:
    return np.asarray(weights @ rows / weights.sum(), dtype=np.float32)
