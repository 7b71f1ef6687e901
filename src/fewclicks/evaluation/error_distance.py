"""How deep inside an error a pixel lies: the one measure behind every simulated click."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask

SquaredDistance: TypeAlias = NDArray[np.int32]
"""(H, W), in pixels squared, so that equal depths compare as equal."""

# Up to here a distance in float32 still tells its whole squared number; tests go to this limit.
_FLOAT_LIMIT = 512.0


def error_distance(error: BoolMask) -> SquaredDistance:
    """Squared distance of each wrong pixel to the nearest pixel that is not wrong.

    Parameters
    ----------
    error : (H, W)
        True on wrong pixels; the picture's border is an edge.

    Returns
    -------
    (H, W) int32
        Exact squared Euclidean distance; 0 off the error, at least 1 on it.
    """
    depth = np.zeros(error.shape, dtype=np.int32)
    wrong = np.ascontiguousarray(error, dtype=bool).view(np.uint8)
    left, top, width, height = cv2.boundingRect(wrong)
    if width == 0:
        return depth
    # Outside its bounding box nothing is wrong, so one pixel of padding is all the box needs.
    box = (slice(top, top + height), slice(left, left + width))
    depth[box] = _squared(np.pad(wrong[box], 1))[1:-1, 1:-1]
    return depth


def _squared(padded: NDArray[np.uint8]) -> SquaredDistance:
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if float(distance.max()) < _FLOAT_LIMIT:
        # OpenCV's root is off by a last bit, not the same one everywhere: rounding restores ties.
        return np.asarray(np.rint(distance * distance), dtype=np.int32)
    return _squared_of_large(padded)


def _squared_of_large(padded: NDArray[np.uint8]) -> SquaredDistance:
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(padded, return_distances=False, return_indices=True)
    rows, columns = np.ogrid[: padded.shape[0], : padded.shape[1]]
    return np.asarray((nearest[0] - rows) ** 2 + (nearest[1] - columns) ** 2, dtype=np.int32)
