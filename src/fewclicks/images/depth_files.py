"""Depth that somebody measured: disparity and distance from files, brought to one scale."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.errors import ImageError, InputError, ShapeError, StorageError
from fewclicks.images.reading import MAX_MEGAPIXELS, read_grey
from fewclicks.images.resizing import resize_map

DepthKind: TypeAlias = Literal["inverse", "depth", "relative"]
"""What the numbers of a file mean.

``"inverse"``: disparity, or one over the distance; larger is nearer, 0 and below is unknown.
``"depth"``: the distance itself; smaller is nearer, 0 and below is unknown.
``"relative"``: what a network writes; larger is nearer, and 0 is a number like any other.
"""

SUFFIXES: Final = (".png", ".tif", ".tiff", ".npy")
"""Of the files that are looked for in a folder."""

_NPY: Final = b"\x93NUMPY"
_LARGEST: Final = 1e300  # the difference of two such numbers is still finite


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredDepth:
    """How near each pixel is, as a file has it.

    Parameters
    ----------
    values : (H, W) float32
        Inverse depth in [0, 1]: 1 is the nearest that was measured, 0 the farthest.
    unknown
        Share of the file's pixels that said nothing; each took the value of the nearest one that
        did.
    """

    values: FloatMap
    unknown: float


def read_depth(
    path: str | Path, *, shape: tuple[int, int] | None = None, kind: DepthKind = "inverse"
) -> MeasuredDepth:
    """Read measured depth: PNG or TIFF of grey (8, 16, 32 bits or real numbers), or ``.npy``.

    Parameters
    ----------
    path
        The content decides, not the extension.
    shape : optional
        Height and width of the picture it belongs to; a map of another size but the same aspect
        is resized.
    kind
        What the numbers mean; see `DepthKind`. What is not finite is unknown in all of them.

    Raises
    ------
    StorageError
        If there is no such file, or it may not be read.
    ImageError
        If the file is no such map, nothing in it is known, or everything is equally near.
    ShapeError
        If the map has another aspect than the picture.
    """
    if kind not in get_args(DepthKind):
        raise InputError(f"Depth kind is '{kind}'; needs one of: {', '.join(get_args(DepthKind))}.")
    numbers = _read_numbers(Path(path))
    near, known = _inverse(numbers, kind)
    if not known.any():
        need = "finite number" if kind == "relative" else "finite number above 0"
        raise ImageError(f"{path} knows no depth at all: not one {need} in {known.size} pixels.")
    lowest, highest = near[known].min(), near[known].max()
    if not highest > lowest:
        raise ImageError(f"{path} holds one depth only, so it tells nothing; leave it out.")
    values = ((near - lowest) / (highest - lowest)).astype(np.float32)
    unknown = float(1.0 - known.mean())
    if unknown:
        values = _filled(values, known)
    if shape is not None and values.shape != tuple(shape):
        _check_aspect(path, values.shape, shape)
        values = resize_map(values, height=shape[0], width=shape[1])
    return MeasuredDepth(values=np.clip(values, 0.0, 1.0), unknown=unknown)


@dataclass(frozen=True, slots=True)
class DepthFiles:
    """One file of measured depth, or a folder with one for each picture.

    Parameters
    ----------
    place
        A file for every picture, or a folder of ``<stem>.png``, ``.tif``, ``.tiff`` or ``.npy``.
    kind
        What the numbers mean.
    """

    place: Path
    kind: DepthKind = "inverse"

    def find(self, stem: str) -> Path:
        """Name the file of a picture.

        Raises
        ------
        StorageError
            If the folder has none.
        InputError
            If it has several.
        """
        if not self.place.is_dir():
            return self.place
        files = [self.place / f"{stem}{suffix}" for suffix in SUFFIXES]
        found = [file for file in files if file.is_file()]
        if not found:
            raise StorageError(
                f"{self.place} has no depth of picture '{stem}'; needs {stem}.png, .tif or .npy."
            )
        if len(found) > 1:
            raise InputError(
                f"{self.place} has both {found[0].name} and {found[1].name}; needs one file for "
                "each stem."
            )
        return found[0]

    def read(self, stem: str, shape: tuple[int, int]) -> MeasuredDepth:
        """Read the depth of a picture of this height and width; see `read_depth`."""
        return read_depth(self.find(stem), shape=shape, kind=self.kind)


def _read_numbers(path: Path) -> NDArray[np.float64]:
    if not _is_npy(path):
        return read_grey(path).astype(np.float64)
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a broken header is answered with every kind of exception
        said = " ".join(str(error).split())[:120]
        raise ImageError(f"{path} cannot be read as an array ({said}); write it anew.") from error
    if array.dtype.kind not in "iuf":
        raise ImageError(f"{path} holds {array.dtype} values; needs real numbers.")
    shape = tuple(side for side in array.shape if side != 1) if array.ndim == 3 else array.shape
    if len(shape) != 2 or 0 in shape:
        raise ImageError(f"{path} has shape {array.shape}; needs (height, width).")
    if array.size > MAX_MEGAPIXELS * 1e6:
        raise ImageError(
            f"{path} has {array.size / 1e6:.4g} megapixels; the limit is {MAX_MEGAPIXELS:g}."
        )
    return np.array(array, dtype=np.float64).reshape(shape)


def _is_npy(path: Path) -> bool:
    """Look at the first bytes; what cannot be opened is left to the reader of pictures."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_NPY)) == _NPY
    except (OSError, ValueError):
        return False


def _inverse(numbers: NDArray[np.float64], kind: DepthKind) -> tuple[NDArray[np.float64], BoolMask]:
    """Give nearness, and where it is known; 0 elsewhere."""
    known = np.isfinite(numbers) & (np.abs(numbers) <= _LARGEST)
    if kind != "relative":
        known &= numbers > 0
    if kind != "depth":
        return np.where(known, numbers, 0.0), known
    with np.errstate(over="ignore"):
        near = np.divide(1.0, numbers, out=np.zeros_like(numbers), where=known)
    known &= np.isfinite(near)
    return np.where(known, near, 0.0), known


def _filled(values: FloatMap, known: BoolMask) -> FloatMap:
    """Give each unknown pixel the value of the nearest known one."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled: FloatMap = values[rows, columns]
    return filled


def _check_aspect(path: str | Path, size: tuple[int, ...], shape: tuple[int, int]) -> None:
    """Allow what rounding to whole pixels does to the sides, and no more."""
    (height, width), (needed_height, needed_width) = size, shape
    if abs(height * needed_width - width * needed_height) > max(needed_height, needed_width):
        raise ShapeError(
            f"{path} is {height} high and {width} wide; needs the aspect of its picture, "
            f"{needed_height} high and {needed_width} wide."
        )
