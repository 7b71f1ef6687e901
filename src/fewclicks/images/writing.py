"""Pictures, masks, label maps and cut-outs into files, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewclicks.arrays import BoolMask, FloatMap, LabelMap, RgbImage
from fewclicks.errors import InputError, ShapeError
from fewclicks.files import written_beside
from fewclicks.images.boxes import Box

# What each format needs to keep a picture as it is, or nearly so.
_FORMATS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 95}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".bmp": ("BMP", {}),
}


def write_image(path: str | Path, image: RgbImage) -> None:
    """Write a picture in the format that its extension names.

    Parameters
    ----------
    path
        Ends in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp; folders are made.
    image : (H, W, 3)
        In [0, 255].

    Raises
    ------
    InputError
        If the extension names no such format, or the array is no picture.
    StorageError
        If the file cannot be written.
    """
    _check_image(image)
    _save(Path(path), image, only_png=False)


def write_mask(path: str | Path, mask: BoolMask) -> None:
    """Write a mask as PNG, 255 on the object and 0 off it.

    Parameters
    ----------
    path
        Ends in .png.
    mask : (H, W)

    Raises
    ------
    InputError
        If the extension is not .png, or the array is no mask.
    StorageError
        If the file cannot be written.
    """
    if mask.ndim != 2 or mask.size == 0 or mask.dtype != np.bool_:
        raise InputError(
            f"mask has shape {mask.shape} and type {mask.dtype}; needs (height, width) and bool."
        )
    _save(Path(path), mask.astype(np.uint8) * np.uint8(255))


def write_label_map(path: str | Path, labels: LabelMap) -> None:
    """Write labels as grey PNG: of 8 bits where they fit, else of 16.

    Parameters
    ----------
    path
        Ends in .png.
    labels : (H, W)
        In [0, 65535].

    Raises
    ------
    InputError
        If the extension is not .png, or a label does not fit into 16 bits.
    StorageError
        If the file cannot be written.
    """
    if labels.ndim != 2 or labels.size == 0 or labels.dtype.kind not in "iu":
        raise InputError(
            f"labels has shape {labels.shape} and type {labels.dtype}; needs (height, width) and "
            "whole numbers."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > 65535:
        raise InputError(f"labels run from {low} to {high}; a PNG holds 0 to 65535.")
    _save(Path(path), labels.astype(np.uint8 if high < 256 else np.uint16))


def write_cutout(
    path: str | Path, image: RgbImage, opacity: BoolMask | FloatMap, *, crop: bool = False
) -> None:
    """Write the object alone, on a transparent ground, as PNG.

    Parameters
    ----------
    path
        Ends in .png.
    image : (H, W, 3)
        In [0, 255].
    opacity : (H, W)
        A mask, or how opaque each pixel is, in [0, 1]. Colours of pixels that cannot be seen are
        not kept.
    crop
        Keep only the smallest box around what can be seen.

    Raises
    ------
    InputError
        If the extension is not .png, an opacity is outside [0, 1], or there is nothing to crop to.
    ShapeError
        If picture and opacity differ in size.
    StorageError
        If the file cannot be written.
    """
    _check_image(image)
    if opacity.shape != image.shape[:2]:
        raise ShapeError.differs("opacity", opacity.shape, needed=image.shape[:2], of="the image")
    share = opacity.astype(np.float32)
    if not bool(((share >= 0) & (share <= 1)).all()):
        raise InputError(
            f"opacity runs from {share.min():g} to {share.max():g}; needs numbers in [0, 1]."
        )
    alpha = np.rint(share * 255).astype(np.uint8)
    layer = np.dstack([np.where(alpha[..., None] > 0, image, 0).astype(np.uint8), alpha])
    _save(Path(path), Box.around(alpha > 0).crop(layer) if crop else layer)


def check_extension(path: Path, *, only_png: bool = False) -> None:
    """Refuse a name that does not end as a format that can be written.

    Raises
    ------
    InputError
        Naming the extensions that can be.
    """
    extensions = [".png"] if only_png else list(_FORMATS)
    if path.suffix.lower() not in extensions:
        raise InputError(
            f"Cannot write {path.name!r}: needs a name that ends in {', '.join(extensions)}."
        )


def _check_image(image: RgbImage) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise InputError(
            f"image has shape {image.shape} and type {image.dtype}; needs (height, width, 3) "
            "and uint8."
        )


def _save(path: Path, pixels: NDArray[Any], *, only_png: bool = True) -> None:
    check_extension(path, only_png=only_png)
    format_name, options = _FORMATS[path.suffix.lower()]
    try:
        with written_beside(path) as beside:
            Image.fromarray(np.ascontiguousarray(pixels)).save(beside, format_name, **options)
    except ValueError as error:
        raise InputError(
            f"Cannot write {path.name!r}: {error}; {pixels.shape[1]} x {pixels.shape[0]} may be "
            f"more than {format_name} holds."
        ) from error
