"""Diffusion: the whole future of a walk over few tokens, from one eigendecomposition.

The walk of a symmetric, doubly stochastic matrix is ``P^t = U L^t U'``. With a thousand regions
as tokens the decomposition costs a fifth of a second for each picture, and each click after it
nothing but one matrix product, however many steps it looks ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.sinkhorn import sinkhorn

_STEPS: Final = np.unique(np.rint(np.geomspace(1, 1000, 28)).astype(np.int64))
_NOTHING_LEFT: Final = 1e-12  # of a mode; subnormal numbers would make the product ten times slower
NEVER: Final = 1200.0
"""Steps to a token that does not saturate within a thousand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diffusion:
    """A walk whose next place depends on the present one only.

    Parameters
    ----------
    rates : (n,) float32
        In [0, 1]: what is left of each mode after one step.
    modes : (n, n) float32
        One orthonormal mode for each column.
    """

    rates: NDArray[np.float32]
    modes: FloatMatrix

    def saturation_steps(self, token: int, *, saturation: float = 0.3) -> NDArray[np.float64]:
        """Count the steps until each token saturates when a walk starts at one.

        Parameters
        ----------
        token
            Where the walk starts.
        saturation
            Share of the likeliest place's probability at which a token counts as reached.

        Returns
        -------
        (n,) float64
            0 at the start, `NEVER` where a thousand steps are too few. The crossing is
            interpolated between 28 steps in geometric progression, so it is a close
            approximation of the Markov map of M2N2, Eq. 6.
        """
        steps = np.concatenate([[0], _STEPS])
        decay = self.rates[:, None] ** steps[None, :].astype(np.float32)
        decay[decay < _NOTHING_LEFT] = 0.0
        places = self.modes @ (decay * self.modes[token][:, None])
        places /= np.maximum(places.max(axis=0), 1e-12)
        reached = places > saturation
        found = np.full(len(places), NEVER)
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), 0)
        found[reached[:, 0]] = 0.0
        late = np.nonzero(first > 0)[0]
        after = first[late]
        low, high = places[late, after - 1], places[late, after]
        share = (saturation - low) / np.maximum(high - low, 1e-9)
        found[late] = steps[after - 1] + (steps[after] - steps[after - 1]) * share
        return found

    def spread(self, values: NDArray[np.float64], *, steps: int) -> NDArray[np.float64]:
        """Average values, (n,), over where a walk from each token is after so many steps."""
        modes = self.modes
        return np.asarray(modes @ (self.rates**steps * (modes.T @ values.astype(np.float32))))


def diffusion(affinity: FloatMatrix) -> Diffusion:
    """Make likeness a walk that is at home everywhere alike.

    Parameters
    ----------
    affinity : (n, n)
        Symmetric, above 0, positive semidefinite, as a Gaussian of a distance is.
    """
    walk = sinkhorn(affinity, rounds=60, tolerance=1e-4).matrix()
    rates, modes = np.linalg.eigh((walk + walk.T) / 2)
    return Diffusion(rates=np.clip(rates, 0.0, 1.0), modes=modes)
