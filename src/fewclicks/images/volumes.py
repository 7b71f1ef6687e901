"""Volumes: stacks of slices from files of NIfTI and MetaImage, turned to one orientation."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewclicks.errors import (
    FewclicksError,
    ImageError,
    InputError,
    MissingExtraError,
    StorageError,
)
from fewclicks.images.meta_header import check_meta_header

Volume: TypeAlias = NDArray[Any]
"""(X, Y, Z): from the left to the right, from behind to the front, from below upwards."""

PLANES: Final = ("sagittal", "coronal", "axial")
"""Ways to cut, by the axes X, Y and Z that they lie across."""

NIFTI: Final = (".nii.gz", ".nii")
META: Final = (".mhd", ".mha")
SUFFIXES: Final = (*NIFTI, *META)

_MOST_VOXELS: Final = 1 << 27  # 1 GB of the widest numbers


def read_volume(path: Path) -> Volume:
    """Read a volume; the ending decides how.

    Parameters
    ----------
    path
        ``.nii``, ``.nii.gz``, ``.mhd`` (beside its ``.raw``) or ``.mha``.

    Returns
    -------
    (X, Y, Z)
        Of the file's own numbers.

    Raises
    ------
    StorageError
        If there is no such file, or it may not be read.
    ImageError
        If it is no volume of three axes, is cut short, or is too large.
    MissingExtraError
        If what reads such files is not installed.
    """
    if not path.is_file():
        raise StorageError(f"There is no file {path}; needs a volume, {', '.join(SUFFIXES)}.")
    if path.name.lower().endswith(NIFTI):
        return _whole(path, _read_nifti)
    if path.name.lower().endswith(META):
        return _whole(path, _read_meta)
    raise ImageError(f"{path} is no volume; needs a name that ends in {', '.join(SUFFIXES)}.")


def take_slice(volume: Volume, axis: int, index: int) -> NDArray[Any]:
    """Cut a slice, upright: what is above, or in front, is up.

    Parameters
    ----------
    volume : (X, Y, Z)
    axis
        That the slice lies across.
    index
        Along it, from 0.

    Returns
    -------
    (H, W)
    """
    return np.ascontiguousarray(np.take(volume, index, axis=axis).T[::-1])


def axis_across(plane: str) -> int:
    """Give the axis that a plane lies across: ``sagittal`` X, ``coronal`` Y, ``axial`` Z.

    Raises
    ------
    InputError
        If there is no such plane.
    """
    if plane not in PLANES:
        raise InputError(f"plane is '{plane}'; needs {', '.join(PLANES)}.")
    return PLANES.index(plane)


def _whole(path: Path, read: Callable[[Path], Volume]) -> Volume:
    try:
        volume = read(path)
    except FewclicksError:
        raise
    except PermissionError as error:
        raise StorageError(f"Cannot read {path}: permission denied.") from error
    except Exception as error:  # decoders answer broken files with every kind of exception
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ImageError(
            f"{path} is damaged or no volume and cannot be read ({said[-1]}); fetch it again."
        ) from error
    if volume.ndim != 3 or volume.dtype.kind not in "iufb":
        raise ImageError(
            f"{path} has {volume.ndim} axes of {volume.dtype}; needs a volume of 3, of numbers."
        )
    return volume


def _read_nifti(path: Path) -> Volume:
    nibabel = _module("nibabel", path)
    image = nibabel.load(path)
    _check_size(path, image.shape)
    return np.asarray(nibabel.as_closest_canonical(image).dataobj)


def _read_meta(path: Path) -> Volume:
    toolkit = _module("SimpleITK", path)
    check_meta_header(path)
    reader = toolkit.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("MetaImageIO")
    reader.ReadImageInformation()
    _check_size(path, reader.GetSize())
    image = reader.Execute()
    if image.GetDimension() == 3:
        image = toolkit.DICOMOrient(image, "RAS")
    return np.asarray(toolkit.GetArrayFromImage(image)).T


def _module(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(f"Reading {path.name}", "volumes") from None


def _check_size(path: Path, shape: tuple[int, ...]) -> None:
    voxels = int(np.prod([int(side) for side in shape], dtype=object))
    if not 0 < voxels <= _MOST_VOXELS:
        raise ImageError(f"{path} has {voxels} voxels; the limit is {_MOST_VOXELS}.")
