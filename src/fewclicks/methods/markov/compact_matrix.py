"""Compact matrix: a positive matrix in 16 bits an entry, as a walk only has to read it fast.

A product with a vector costs what it takes to read the matrix. Six bits of exponent and ten of
mantissa are a float32 with its upper bits fixed and its lower bits rounded off: shifted back they
are a number again, so that nothing stands between memory and the sums. Of a symmetric matrix one
half is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix

_SMALL = 1024  # rows
_ROWS = 4  # in one pass over the vector
_DROPPED = 13  # bits of the mantissa
_FRACTION = 23  # bits of the mantissa of a float32
_LEAST = 1 << 10  # exponent 1: what is smaller would be subnormal
_EXPONENTS = 62  # below the largest entry's

_Codes = NDArray[np.uint16]
_Vector = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompactMatrix:
    """Entries above 0, each off by at most 2^-11 of itself, or lifted to 2e-19 of the largest.

    Parameters
    ----------
    codes : (size,) uint16
        Four rows after four rows, padded with zeros to whole fours; of a symmetric matrix from
        the fours' first column on, zero where the mirrored entry was already, half the diagonal.
    count
        Of rows.
    factor
        What decoded entries lack.
    is_symmetric
        Whether the matrix is.
    """

    codes: _Codes
    count: int
    factor: np.float32
    is_symmetric: bool

    def after(self, vector: _Vector) -> _Vector:
        """Multiply ``vector @ matrix``, (n,)."""
        product = _mirrored if self.is_symmetric else _after
        return np.asarray(product(self.codes, self._padded(vector))[: self.count])

    def before(self, vector: _Vector) -> _Vector:
        """Multiply ``matrix @ vector``, (n,)."""
        product = _mirrored if self.is_symmetric else _before
        return np.asarray(product(self.codes, self._padded(vector))[: self.count])

    def _padded(self, vector: _Vector) -> _Vector:
        padded = np.zeros(_whole(self.count), dtype=np.float32)
        np.multiply(vector, self.factor, out=padded[: self.count])
        return padded


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainMatrix:
    """A matrix as it is, with the products of a `CompactMatrix`.

    Parameters
    ----------
    matrix : (n, n)
    """

    matrix: FloatMatrix

    def after(self, vector: _Vector) -> _Vector:
        """Multiply ``vector @ matrix``, (n,)."""
        return np.asarray(vector @ self.matrix)

    def before(self, vector: _Vector) -> _Vector:
        """Multiply ``matrix @ vector``, (n,)."""
        return np.asarray(self.matrix @ vector)


def fast_products(matrix: FloatMatrix, *, is_symmetric: bool) -> CompactMatrix | PlainMatrix:
    """Make a matrix compact unless it is so small that a cache holds it as it is."""
    if len(matrix) <= _SMALL:
        return PlainMatrix(matrix=matrix)
    return compact(matrix, is_symmetric=is_symmetric)


def compact(matrix: FloatMatrix, *, is_symmetric: bool) -> CompactMatrix:
    """Round a matrix.

    Parameters
    ----------
    matrix : (n, n)
        Not negative, with an entry above 0; if symmetric, the upper half is what counts.
    is_symmetric
        Whether one half is enough.
    """
    matrix = np.ascontiguousarray(matrix, dtype=np.float32)
    exponent = int(np.frexp(matrix.max())[1])
    # The largest entry may be rounded up to the next power of two.
    lowest = np.uint32(exponent + 126 - _EXPONENTS)
    return CompactMatrix(
        codes=_encode(matrix.view(np.uint32), lowest, is_symmetric),
        count=len(matrix),
        factor=np.float32(2.0 ** int(lowest)),
        is_symmetric=is_symmetric,
    )


def _whole(count: int) -> int:
    return -(-count // _ROWS) * _ROWS


@numba.njit(cache=True, nogil=True)
def _encode(bits: NDArray[np.uint32], lowest: np.uint32, is_symmetric: bool) -> _Codes:
    """Give the codes; an exponent of ``lowest`` becomes 0."""
    count = bits.shape[0]
    whole = (count + _ROWS - 1) // _ROWS * _ROWS
    size = whole * (whole + _ROWS) // 2 if is_symmetric else whole * whole
    codes = np.zeros(size, dtype=np.uint16)
    base = np.int32(lowest << np.uint32(_FRACTION)) - np.int32(1 << (_DROPPED - 1))
    begun = 0
    for i in range(whole):
        first = i // _ROWS * _ROWS if is_symmetric else 0
        own = codes[begun : begun + whole - first]
        begun += whole - first
        if i >= count:
            continue
        skipped = i - first if is_symmetric else 0
        row, kept = bits[i, first + skipped :], own[skipped:]
        for j in range(np.uint64(row.size)):
            kept[j] = max((np.int32(row[j]) - base) >> np.int32(_DROPPED), np.int32(_LEAST))
        if is_symmetric:
            kept[0] = max(kept[0] - _LEAST, _LEAST)  # both halves add the diagonal
    return codes


@intrinsic
def _as_float(_: Any, bits: Any) -> Any:  # noqa: ARG001 (always 32 of them)
    """Read 32 bits as a number: no instruction at all, but NumPy has no word for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return numba.types.float32(numba.types.uint32), generate


@numba.njit(cache=True, nogil=True)
def _value(code: np.uint16) -> np.float32:
    bits = np.uint32(code) << np.uint32(_DROPPED)
    return np.float32(_as_float(bits))  # type: ignore[call-arg]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _mirrored(codes: _Codes, vector: _Vector) -> _Vector:
    """Multiply a symmetric matrix, reading one half of it only."""
    product = np.zeros_like(vector)
    begun = 0
    for top in range(0, vector.size, _ROWS):
        wide = vector.size - top
        four = codes[begun : begun + _ROWS * wide].reshape(_ROWS, wide)
        begun += four.size
        _add_mirrored(four[0], four[1], four[2], four[3], vector[top:], product[top:])
    return product


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add_mirrored(
    first: _Codes, second: _Codes, third: _Codes, fourth: _Codes, vector: _Vector, product: _Vector
) -> None:
    """Add four rows, and the same numbers as four columns."""
    v0, v1, v2, v3 = vector[0], vector[1], vector[2], vector[3]
    s0 = s1 = s2 = s3 = np.float32(0.0)
    for j in range(np.uint64(first.size)):
        a, b, c, d = _value(first[j]), _value(second[j]), _value(third[j]), _value(fourth[j])
        product[j] += a * v0 + b * v1 + c * v2 + d * v3
        s0 += a * vector[j]
        s1 += b * vector[j]
        s2 += c * vector[j]
        s3 += d * vector[j]
    product[0] += s0
    product[1] += s1
    product[2] += s2
    product[3] += s3


@numba.njit(cache=True, nogil=True, fastmath=True)
def _after(codes: _Codes, vector: _Vector) -> _Vector:
    """Sum rows, each as often as the vector says."""
    product = np.zeros_like(vector)
    wide = vector.size
    for top in range(0, wide, _ROWS):
        four = codes[top * wide : (top + _ROWS) * wide].reshape(_ROWS, wide)
        _add_rows(four[0], four[1], four[2], four[3], vector[top : top + _ROWS], product)
    return product


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add_rows(
    first: _Codes, second: _Codes, third: _Codes, fourth: _Codes, times: _Vector, product: _Vector
) -> None:
    t0, t1, t2, t3 = times[0], times[1], times[2], times[3]
    for j in range(np.uint64(product.size)):
        a, b, c, d = _value(first[j]), _value(second[j]), _value(third[j]), _value(fourth[j])
        product[j] += a * t0 + b * t1 + c * t2 + d * t3


@numba.njit(cache=True, nogil=True, fastmath=True)
def _before(codes: _Codes, vector: _Vector) -> _Vector:
    """Weigh each row by the vector and sum it up."""
    product = np.empty_like(vector)
    wide = vector.size
    for i in range(wide):
        row = codes[i * wide : (i + 1) * wide]
        total = np.float32(0.0)
        for j in range(np.uint64(wide)):
            total += _value(row[j]) * vector[j]
        product[i] = total
    return product
