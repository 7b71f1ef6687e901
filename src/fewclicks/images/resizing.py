"""Pictures, masks and maps at another size; pixel centres stay where they are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.errors import InputError


def resize_image(image: RgbImage, *, height: int, width: int) -> RgbImage:
    """Resize a picture: means of areas where it shrinks, cubic where it grows.

    Parameters
    ----------
    image : (H, W, 3)
        In [0, 255].
    height, width
        Of the result, in pixels, at least 1.
    """
    return _resize(image, height, width, growing=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def resize_mask(mask: BoolMask, *, height: int, width: int) -> BoolMask:
    """Resize a mask: each new pixel takes the old one under its centre.

    Parameters
    ----------
    mask : (H, W)
    height, width
        Of the result, in pixels, at least 1.
    """
    _check_size(height, width)
    nearest = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return nearest.astype(bool)


def resize_map(values: FloatMap, *, height: int, width: int) -> FloatMap:
    """Resize a map: means of areas where it shrinks, linear where it grows.

    No new value is below the smallest or above the largest old one, so a probability stays one.

    Parameters
    ----------
    values : (H, W)
    height, width
        Of the result, in pixels, at least 1.
    """
    real = values.astype(np.float32, copy=False)
    return _resize(real, height, width, growing=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def shrink_to_longest_side(image: RgbImage, longest: int) -> RgbImage:
    """Shrink a picture until its longer side is ``longest``; a smaller picture comes back itself.

    Parameters
    ----------
    image : (H, W, 3)
        In [0, 255].
    longest
        In pixels, at least 1.
    """
    return _shrink(image, longest / max(image.shape[:2]))


def shrink_to_shortest_side(image: RgbImage, shortest: int) -> RgbImage:
    """Shrink a picture until its shorter side is ``shortest``; a smaller one comes back itself.

    Parameters
    ----------
    image : (H, W, 3)
        In [0, 255].
    shortest
        In pixels, at least 1.
    """
    return _shrink(image, shortest / min(image.shape[:2]))


def _shrink(image: RgbImage, scale: float) -> RgbImage:
    height, width = image.shape[:2]
    if scale >= 1:
        return image
    return resize_image(
        image, height=max(1, round(height * scale)), width=max(1, round(width * scale))
    )


def _resize(array: RgbImage | FloatMap, height: int, width: int, *, growing: int) -> NDArray[Any]:
    """Shrink first, then grow: OpenCV takes one kernel for both axes, and we need one for each."""
    _check_size(height, width)
    smaller = (min(width, array.shape[1]), min(height, array.shape[0]))
    shrunk = cv2.resize(array, smaller, interpolation=cv2.INTER_AREA)
    if (height, width) == shrunk.shape[:2]:
        return np.asarray(shrunk)
    return np.asarray(cv2.resize(shrunk, (width, height), interpolation=growing))


def _check_size(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise InputError(f"New size is height {height}, width {width}; needs 1 pixel at least.")
