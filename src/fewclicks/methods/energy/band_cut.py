"""Band cut: a min cut found on a small picture, then moved in a band around its edge."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from fewclicks.arrays import BoolMask, FloatImage, FloatMap
from fewclicks.methods.energy.edges import EdgeMap, contrast_weights
from fewclicks.methods.energy.min_cut import min_cut


def contrast_pyramid(image: FloatImage, *, strength: float, levels: int) -> list[EdgeMap]:
    """Weigh the contrast of a picture at its own size, at half of it, and so on.

    Parameters
    ----------
    image : (H, W, C)
    strength
        As of `contrast_weights`; doubled with each halving, as an edge there stands for two.
    levels
        How often the picture is halved.

    Returns
    -------
    list
        Edge maps, the largest first; each side is half of the one before, rounded up.
    """
    weights = [contrast_weights(image, strength=strength)]
    for level in range(1, levels + 1):
        image = _halved(image)
        weights.append(contrast_weights(image, strength=strength * 2**level))
    return weights


def band_cut(
    unary: FloatMap,
    pyramid: Sequence[EdgeMap],
    *,
    positive: BoolMask,
    negative: BoolMask,
    reach: int = 2,
    doubt: float = 1.0,
) -> BoolMask:
    """Find an object of low energy, in a fraction of the time of `min_cut`.

    Parameters
    ----------
    unary, positive, negative
        As of `min_cut`.
    pyramid
        Weights of the edges, from `contrast_pyramid`; one level is `min_cut` itself.
    reach
        How many coarse pixels to each side the edge may move when the picture is doubled again.
    doubt
        Unary with which a pixel that contradicts the coarse answer is asked again, with its
        surroundings: that is how what is thinner than a coarse pixel is found.

    Returns
    -------
    (H, W) bool
        The best object within what was asked again.

    References
    ----------
    .. [1] Lombaert et al., "A Multilevel Banded Graph Cuts Method for Fast Image Segmentation",
       ICCV 2005.
    """
    weights, *coarser = pyramid
    if not coarser:
        return min_cut(unary, weights, positive=positive, negative=negative)
    held = positive & ~negative
    has_held, has_refused = _any_in_block(held), _any_in_block(negative)
    coarse = band_cut(
        _sum_of_block(unary),
        coarser,
        positive=has_held & ~has_refused,
        negative=has_refused & ~has_held,
        reach=reach,
        doubt=doubt,
    )
    is_open = (_dilated(coarse, reach) & _dilated(~coarse, reach)) | (has_held & has_refused)
    against = np.where(coarse, _any_in_block(unary < -doubt), _any_in_block(unary > doubt))
    is_open |= _dilated(against, 1)
    inside = _doubled(coarse & ~is_open, unary.shape) & ~negative
    outside = _doubled(~coarse & ~is_open, unary.shape) & ~held
    return min_cut(unary, weights, positive=inside | held, negative=outside | negative)


def _halved(image: FloatImage) -> FloatImage:
    """Mean of each 2x2 block; an odd last row or column counts twice."""
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    size = (even.shape[1] // 2, even.shape[0] // 2)
    half = cv2.resize(even, size, interpolation=cv2.INTER_AREA)
    return half.reshape(size[1], size[0], -1).astype(np.float32, copy=False)


def _sum_of_block(values: FloatMap) -> FloatMap:
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)))
    sums: FloatMap = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return sums


def _any_in_block(mask: BoolMask) -> BoolMask:
    height, width = mask.shape
    even = np.pad(mask, ((0, height % 2), (0, width % 2)))
    found: BoolMask = even[::2, ::2] | even[1::2, ::2] | even[::2, 1::2] | even[1::2, 1::2]
    return found


def _dilated(mask: BoolMask, reach: int) -> BoolMask:
    square = np.ones((2 * reach + 1, 2 * reach + 1), dtype=np.uint8)
    return cv2.dilate(mask.astype(np.uint8), square).astype(bool)


def _doubled(mask: BoolMask, shape: tuple[int, ...]) -> BoolMask:
    return mask.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
