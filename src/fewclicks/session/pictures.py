"""What a person may hand in as a picture, as its depth or as a mask."""

from __future__ import annotations

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.base import check_image


def check_picture(image: object) -> RgbImage:
    """Refuse what is no picture, a path say, and give back what is one.

    Raises
    ------
    InputError
        Naming what came.
    """
    if not isinstance(image, np.ndarray):
        raise InputError(
            f"image is a {type(image).__name__}; needs an array (height, width, 3) of uint8; "
            "fewclicks.read_image reads files that way."
        )
    check_image(image)
    return image


def check_depth(depth: object, shape: tuple[int, int]) -> FloatMap:
    """Refuse what is no depth of this height and width; give a copy of what is, read-only.

    Raises
    ------
    InputError
        Naming what came.
    """
    help_ = "fewclicks.read_depth reads files that way."
    if not isinstance(depth, np.ndarray) or depth.dtype.kind != "f":
        kind = depth.dtype if isinstance(depth, np.ndarray) else type(depth).__name__
        raise InputError(f"depth is of type {kind}; needs an array of real numbers; {help_}")
    if depth.shape != shape:
        raise ShapeError.differs("depth", depth.shape, needed=shape, of="the image")
    if not bool(((depth >= 0) & (depth <= 1)).all()):
        raise InputError(
            f"depth runs from {depth.min():.4g} to {depth.max():.4g}; needs inverse depth in "
            f"[0, 1], where 1 is nearest; {help_}"
        )
    known = depth.astype(np.float32)
    known.flags.writeable = False
    return known


def check_mask(mask: object, shape: tuple[int, int]) -> BoolMask:
    """Refuse what is no mask of this height and width, and give back what is one.

    Raises
    ------
    InputError
        Naming what came.
    """
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        kind = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise InputError(f"mask is of type {kind}; needs bool; fewclicks.read_mask reads files.")
    if mask.shape != shape:
        raise ShapeError.differs("mask", mask.shape, needed=shape, of="the image")
    return mask
