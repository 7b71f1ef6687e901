"""Doubly stochastic scaling: the walk forgets that some tokens are looked at more than others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.compact_matrix import CompactMatrix, PlainMatrix, fast_products

if TYPE_CHECKING:
    from torch import Tensor

    from fewclicks.methods.markov.torch_chain import TensorTransition

AnyTransition: TypeAlias = "Transition | TensorTransition"
"""A walk whose kernel is an array, or a tensor on a device."""

_LEAST = np.float32(1e-20)  # nobody's neighbour; smaller entries would only slow the arithmetic
_ROWS_AT_A_TIME = 512
_SYMMETRIC = 1e-4  # difference of an entry from its mirror, as a share of it
_BLOCK = 64  # tokens; two blocks of a matrix fit the fastest cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """A doubly stochastic matrix that is never written out.

    Entry (i, j) is ``rows[i] * kernel[i, j] * columns[j]``: where a walk at token i goes next.

    Parameters
    ----------
    kernel : (n, n)
        Not negative.
    products
        The same as a step reads it; rounded to 16 bits where the matrix is large.
    rows, columns : (n,)
        Scaling of the rows and of the columns.
    is_symmetric
        Whether the scaled matrix equals its transpose.
    error
        Largest distance of a row's or column's sum from 1.
    rounds
        How many it took.
    """

    kernel: FloatMatrix
    products: CompactMatrix | PlainMatrix
    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    is_symmetric: bool
    error: float
    rounds: int

    @property
    def count(self) -> int:
        """Of tokens."""
        return int(self.kernel.shape[0])

    def step(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """Move each distribution one step on.

        Parameters
        ----------
        places : (n,) or (k, n)

        Returns
        -------
        Of the same shape, ``places @ matrix``.
        """
        if places.ndim > 1:
            return np.stack([self.step(place) for place in places])
        moved = self.products.after(places * self.rows)
        moved *= self.columns
        return moved

    def matrix(self) -> FloatMatrix:
        """(n, n) Written out, for those who want to look at it."""
        return self.rows[:, None] * self.kernel * self.columns


@overload
def temper(attention: FloatMatrix, temperature: float) -> FloatMatrix: ...
@overload
def temper(attention: Tensor, temperature: float) -> Tensor: ...
def temper(attention: Any, temperature: float) -> Any:
    """Sharpen or flatten rows: ``attention ** (1 / temperature)`` up to a factor for each row.

    Parameters
    ----------
    attention : (n, n)
        Not negative; a tensor stays on its device.
    temperature
        Below 1 sharpens.

    Returns
    -------
    (n, n) float32
        Each row's largest entry is 1. The factor is free, as `sinkhorn` scales rows anyway; with
        this one the softmax of a symmetric similarity becomes symmetric again.

    References
    ----------
    .. [1] M2N2, Eq. 5 (arXiv:2411.10411).
    """
    if not isinstance(attention, np.ndarray):
        from fewclicks.methods.markov import torch_chain

        return torch_chain.temper(attention, temperature)
    kernel = np.empty(attention.shape, dtype=np.float32)
    for start in range(0, len(attention), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        largest = attention[rows].max(axis=1, keepdims=True)
        np.divide(attention[rows], np.maximum(largest, _LEAST), out=kernel[rows])
        if temperature != 1.0:
            np.power(kernel[rows], np.float32(1.0 / temperature), out=kernel[rows])
        np.maximum(kernel[rows], _LEAST, out=kernel[rows])
    return kernel


@overload
def sinkhorn(kernel: FloatMatrix, *, rounds: int = 200, tolerance: float = 1e-4) -> Transition: ...
@overload
def sinkhorn(kernel: Tensor, *, rounds: int = 200, tolerance: float = 1e-4) -> TensorTransition: ...
def sinkhorn(kernel: Any, *, rounds: int = 200, tolerance: float = 1e-4) -> AnyTransition:
    """Scale rows and columns until both sum to 1.

    Parameters
    ----------
    kernel : (n, n)
        Positive; it is kept, not copied. A tensor stays on its device, and so does the walk.
    rounds
        At most; a round is one product with the kernel if that is symmetric, else two.
    tolerance
        Stop once no sum is further from 1.

    Returns
    -------
    Transition
        With the error reached. Rows sum to 1 exactly where the kernel is not symmetric.

    References
    ----------
    .. [1] Sinkhorn & Knopp, "Concerning nonnegative matrices and doubly stochastic matrices",
       Pacific Journal of Mathematics 21, 1967.
    .. [2] Knight, Ruiz & Ucar, "A symmetry preserving algorithm for matrix scaling", SIAM Journal
       on Matrix Analysis and Applications 35, 2014: the damped symmetric rounds, whose error
       halves however slowly the walk mixes.
    """
    if not isinstance(kernel, np.ndarray):
        from fewclicks.methods.markov import torch_chain

        return torch_chain.sinkhorn(kernel, rounds=rounds, tolerance=tolerance)
    if is_symmetric(kernel):
        return _scale_symmetric(kernel, rounds, tolerance)
    return _scale(kernel, rounds, tolerance)


def is_symmetric(kernel: FloatMatrix) -> bool:
    """Whether no entry differs from its mirror by more than a ten-thousandth of it."""
    return bool(_is_symmetric(np.ascontiguousarray(kernel), np.float32(_SYMMETRIC)))


@numba.njit(cache=True, nogil=True)
def _is_symmetric(kernel: FloatMatrix, tolerance: np.float32) -> bool:
    count = kernel.shape[0]
    for top in range(0, count, _BLOCK):
        for left in range(top, count, _BLOCK):
            for i in range(top, min(top + _BLOCK, count)):
                for j in range(max(left, i + 1), min(left + _BLOCK, count)):
                    here, mirrored = kernel[i, j], kernel[j, i]
                    # Next to the diagonal's 1 a smaller difference counts for nothing.
                    if abs(here - mirrored) > max(tolerance * mirrored, np.float32(1e-12)):
                        return False
    return True


def _scale_symmetric(kernel: FloatMatrix, rounds: int, tolerance: float) -> Transition:
    half = fast_products(kernel, is_symmetric=True)
    scale = 1.0 / np.sqrt(kernel.sum(axis=1))
    for done in range(rounds + 1):
        reached = half.after(scale)
        error = float(np.abs(scale * reached - 1.0).max())
        if error <= tolerance or done == rounds:
            break
        scale = np.sqrt(scale / reached)
    return Transition(
        kernel=kernel,
        products=half,
        rows=scale,
        columns=scale,
        is_symmetric=True,
        error=error,
        rounds=done,
    )


def _scale(kernel: FloatMatrix, rounds: int, tolerance: float) -> Transition:
    whole = fast_products(kernel, is_symmetric=False)
    rows = 1.0 / np.sqrt(kernel.sum(axis=1))
    columns = np.ones_like(rows)
    for done in range(rounds + 1):
        reached = whole.after(rows)
        error = float(np.abs(columns * reached - 1.0).max())
        if (error <= tolerance and done) or done == rounds:
            break
        columns = 1.0 / reached
        rows = 1.0 / whole.before(columns)
    return Transition(
        kernel=kernel,
        products=whole,
        rows=rows,
        columns=columns,
        is_symmetric=False,
        error=error,
        rounds=done,
    )
