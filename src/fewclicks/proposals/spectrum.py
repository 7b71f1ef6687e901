"""Spectrum: the slow modes of a graph of tokens, along which it falls apart most easily."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh

from fewclicks.arrays import FloatMatrix
from fewclicks.errors import InputError

_SOLVED_WHOLE = 100  # tokens; of larger graphs only the wanted modes are worked out


def cosines(tokens: FloatMatrix) -> FloatMatrix:
    """How alike tokens are in direction, (n, n) in [-1, 1]."""
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    unit = tokens / np.maximum(lengths, 1e-12)
    matrix: FloatMatrix = unit @ unit.T
    return np.clip(matrix, -1.0, 1.0, out=matrix)


def slow_modes(affinity: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Smallest solutions of ``(D - W) y = l D y``, less the constant one.

    Parameters
    ----------
    affinity : (n, n)
        W, symmetric, not negative, without a row of zeros; D is the diagonal of its row sums.
    count
        Of modes; n - 1 where it is larger.

    Returns
    -------
    (n, count)
        Smallest first; of each, the number that is farthest from 0 is above 0.

    Raises
    ------
    InputError
        If there is but one token.

    References
    ----------
    .. [1] Shi and Malik, "Normalized Cuts and Image Segmentation", PAMI 2000.
    """
    tokens = len(affinity)
    if tokens < 2:
        raise InputError("A graph of one token has no modes; needs a larger picture.")
    count = min(count, tokens - 1)
    roots = 1.0 / np.sqrt(affinity.sum(axis=1, dtype=np.float64))
    # The largest modes of the normalised affinity: that way nothing has to be inverted.
    normal = affinity * roots.astype(affinity.dtype)
    normal *= roots.astype(affinity.dtype)[:, None]
    if tokens <= _SOLVED_WHOLE or count > tokens // 2:
        found = eigh(normal.astype(np.float64))
    else:
        start = np.random.default_rng(0).standard_normal(tokens).astype(normal.dtype)
        found = eigsh(normal, k=count + 1, which="LA", v0=start)
    values, vectors = found
    slowest = np.argsort(-values, kind="stable")[1 : count + 1]
    modes: NDArray[np.float64] = vectors[:, slowest].astype(np.float64) * roots[:, None]
    farthest = np.abs(modes).argmax(axis=0)
    modes *= np.sign(modes[farthest, np.arange(count)])
    return modes
