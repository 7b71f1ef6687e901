"""Elements of a MATLAB file, looked through before SciPy reads them: lies in them crash it.

A file of version 5 is a head of 128 bytes and a row of elements: a kind, a count of bytes, and
those bytes. Variables are matrices, often compressed; a matrix has flags, sizes and a name, and
then numbers, or the matrices in its cells or fields.

References
----------
MathWorks, "MAT-File Format", which describes version 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np

_HEAD: Final = 128
_LARGEST: Final = 1 << 28  # bytes of a variable that was compressed
_DEEPEST: Final = 20
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
_CELLS, _FIELDS, _TEXT, _SPARSE = 1, 2, 4, 5
_NUMBERS: Final = range(6, 16)
_IS_COMPLEX: Final = 0x800


def check_elements(content: bytes) -> None:
    """Refuse what is not whole, or says of itself what is not so.

    Raises
    ------
    ValueError
        With what is wrong.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEAD])
    if order is None or content[124:126] not in (b"\x00\x01", b"\x01\x00"):
        raise ValueError("it is of no version that is read; needs version 5")
    for kind, part in _elements(content[_HEAD:], order, is_padded=False):
        if kind == _COMPRESSED:
            opened = zlib.decompressobj()
            try:
                part = opened.decompress(part, _LARGEST)
            except zlib.error as error:
                raise ValueError(f"it is damaged, {error}") from None
            if not opened.eof:
                raise ValueError("it is cut short, or too large")
            [(kind, part)] = _elements(part, order)
        if kind != _MATRIX:
            raise ValueError(f"it holds an element of kind {kind}")
        _check_matrix(part, order, 0)


def _elements(content: bytes, order: str, *, is_padded: bool = True) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(content):
        if len(content) - place < 8:
            raise ValueError("it is cut short")
        kind, count = struct.unpack_from(f"{order}II", content, place)
        start = place + 8
        if kind >> 16:  # so few bytes that they stand in the place of their count
            kind, count, start = kind & 0xFFFF, kind >> 16, place + 4
            if count > 4:
                raise ValueError("it is damaged")
        if start + count > len(content):
            raise ValueError("it is cut short")
        yield kind, content[start : start + count]
        place = place + 8 if start == place + 4 else start + count
        if is_padded and kind != _COMPRESSED:
            place += -place % 8


def _check_matrix(content: bytes, order: str, depth: int) -> None:
    if not content and depth:
        return  # an empty one
    parts = list(_elements(content, order))
    if len(parts) < 3 or [kind for kind, _ in parts[:3]] != [_UINT32, _INT32, _INT8]:
        raise ValueError("it holds a matrix without flags, sizes and a name")
    (_, flags), (_, sizes), _ = parts[:3]
    if len(flags) != 8 or not 8 <= len(sizes) <= 128 or len(sizes) % 4 or depth > _DEEPEST:
        raise ValueError("it holds a matrix of no possible size")
    (said,) = struct.unpack_from(f"{order}I", flags)
    shape = [int(side) for side in np.frombuffer(sizes, f"{order}i4")]
    if min(shape) < 0 or math.prod(shape) > _LARGEST:
        raise ValueError(f"it holds a matrix of {shape}")
    kind, rest, count = said & 0xFF, parts[3:], math.prod(shape)
    if kind in _NUMBERS or kind == _TEXT:
        _check_numbers(rest, count, 2 if said & _IS_COMPLEX else 1, is_text=kind == _TEXT)
    elif kind == _SPARSE:
        _check_sparse(rest, shape, order)
    elif kind in (_CELLS, _FIELDS):
        if kind == _FIELDS:
            count, rest = count * _count_fields(rest, order), rest[2:]
        if len(rest) != count or any(each != _MATRIX for each, _ in rest):
            raise ValueError("it holds another number of cells or fields than it says")
        for _, inner in rest:
            _check_matrix(inner, order, depth + 1)
    else:
        raise ValueError(f"it holds a matrix of kind {kind}; needs numbers, cells, fields or text")


def _check_numbers(
    parts: list[tuple[int, bytes]], count: int, halves: int, *, is_text: bool
) -> None:
    """Numbers may be stored narrower than they are; text in signs of one byte or several."""
    held = [len(part) / _WIDTHS.get(kind, math.inf) for kind, part in parts]
    fits = all(each == count or (is_text and count <= each <= 4 * count) for each in held)
    if len(parts) != halves or not fits:
        raise ValueError("it holds another number of values than it says")


def _check_sparse(parts: list[tuple[int, bytes]], shape: list[int], order: str) -> None:
    if len(parts) not in (3, 4) or [kind for kind, _ in parts[:2]] != [_INT32, _INT32]:
        raise ValueError("it holds a sparse matrix without places")
    rows, ends = (np.frombuffer(part, f"{order}i4") for _, part in parts[:2])
    if len(ends) != shape[1] + 1 or ends[0] != 0 or (np.diff(ends) < 0).any():
        raise ValueError("it holds a sparse matrix whose columns do not follow each other")
    held = min(len(part) / _WIDTHS.get(kind, math.inf) for kind, part in parts[2:])
    used = rows[: ends[-1]]
    if min(len(rows), held) < ends[-1] or ((used < 0) | (used >= shape[0])).any():
        raise ValueError("it holds a sparse matrix with values outside it")


def _count_fields(parts: list[tuple[int, bytes]], order: str) -> int:
    if [kind for kind, _ in parts[:2]] != [_INT32, _INT8] or len(parts[0][1]) != 4:
        raise ValueError("it holds fields without names")
    length = int(struct.unpack(f"{order}i", parts[0][1])[0])
    names = len(parts[1][1])
    if length < 1 or names % length:
        raise ValueError("it holds fields whose names do not fit")
    return names // length
