"""Label Studio: a mask as its brush keeps it, run lengths packed bit by bit.

The bits, most significant first: how many values there are (32), the bits of a value less one (5),
four sizes less one (4 each); then, for each run, a 1, which of the four sizes its length has (2),
its length less one (in so many bits), and the value. A 0 in place of the 1 would announce single
values, which a mask has no use for. Values are the bytes of an RGBA picture, row by row: each pixel
four times the same, 255 on the object.

References
----------
https://github.com/thi-ng/umbrella/tree/develop/packages/rle-pack, whose format it is, and
``label_studio_sdk.converter.brush``, which reads it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError, ShapeError

_CHANNELS: Final = 4
_VALUE_BITS: Final = 8
_SIZES: Final = (3, 4, 8, 16)
_LONGEST: Final = 1 << _SIZES[-1]
_WIDEST: Final = 1 + 2 + _SIZES[-1] + _VALUE_BITS


def encode_brush(mask: BoolMask) -> list[int]:
    """Write a mask as Label Studio's brush does.

    Parameters
    ----------
    mask : (H, W)

    Returns
    -------
    list of int
        Bytes, each in [0, 255]; what belongs under ``"rle"`` of a brush's value.

    Raises
    ------
    ShapeError
        If the array is no mask.
    InputError
        If the mask has more pixels than the format can count.

    Examples
    --------
    >>> encode_brush(np.array([[True]]))
    [0, 0, 0, 4, 57, 27, 252, 127, 224]
    """
    if mask.ndim != 2 or mask.size == 0 or mask.dtype != np.bool_:
        raise ShapeError(
            f"mask has shape {mask.shape} and type {mask.dtype}; needs (height, width) and bool."
        )
    count = _CHANNELS * mask.size
    if count >= 1 << 32:
        raise InputError(
            f"The mask has {mask.size} pixels; a brush of Label Studio counts to 2^30."
        )
    fields = [(count, 32), (_VALUE_BITS - 1, 5), *((size - 1, 4) for size in _SIZES)]
    header = np.concatenate([_bits(number, width) for number, width in fields])
    packed = np.packbits(np.concatenate([header, _pack_runs(*_runs(mask))]))
    return [int(byte) for byte in packed]


def brush_result(
    mask: BoolMask, *, label: str, from_name: str, to_name: str, id_: str
) -> dict[str, Any]:
    """Describe a mask as one region of a Label Studio annotation.

    Parameters
    ----------
    mask : (H, W)
    label
        One of the brush's labels.
    from_name, to_name
        Names of the ``BrushLabels`` and ``Image`` tags.
    id_
        Of the region, unique in its annotation.
    """
    height, width = mask.shape
    return {
        "id": id_,
        "from_name": from_name,
        "to_name": to_name,
        "type": "brushlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "readonly": False,
        "value": {"format": "rle", "rle": encode_brush(mask), "brushlabels": [label]},
    }


def _runs(mask: BoolMask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths of equal values row by row, none over the longest, and whether each is the object."""
    values = mask.ravel()
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    lengths = _CHANNELS * np.diff(np.append(starts, values.size))
    pieces = -(-lengths // _LONGEST)
    cut = np.full(int(pieces.sum()), _LONGEST)
    cut[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * _LONGEST
    return cut, np.repeat(values[starts].astype(np.int64), pieces)


def _pack_runs(lengths: NDArray[np.int64], is_object: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Bits of all runs, one after the other: each run's number, of which the first bits count."""
    which = np.searchsorted([1 << size for size in _SIZES], lengths)
    size = np.array(_SIZES)[which]
    number = ((4 + which) << size) + (lengths - 1)  # the 1, which size, and the length less one
    number = (number << _VALUE_BITS) + is_object * ((1 << _VALUE_BITS) - 1)
    width = 3 + size + _VALUE_BITS
    place = np.arange(_WIDEST)
    shift = np.maximum(width[:, None] - 1 - place, 0)
    bits = (number[:, None] >> shift) & 1
    return np.asarray(bits[place < width[:, None]], dtype=np.uint8)


def _bits(number: int, width: int) -> NDArray[np.uint8]:
    return np.array([number >> place & 1 for place in reversed(range(width))], dtype=np.uint8)
