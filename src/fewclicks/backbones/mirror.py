"""Mirroring: the mean of what is seen in a picture and in its mirror image.

For any backbone and any source of depth; it takes twice the time, and the attention twice the
memory.
"""

from __future__ import annotations

import numpy as np

from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Attention, Backbone, Depth, DepthSource


def mirrored_attention(backbone: Backbone, image: RgbImage) -> Attention:
    """Average the attention over the picture, (H, W, 3), and its mirror image.

    The tokens of the mirror image are brought back to where they came from, as queries and as
    keys.

    References
    ----------
    .. [1] M2N2V2, section 9 (arXiv:2503.16254).
    """
    seen = backbone.attention(image)
    mirrored = backbone.attention(_mirror(image))
    grid = seen.grid
    # What a backbone still needs it hands out read-only.
    matrix = seen.matrix if seen.matrix.flags.writeable else seen.matrix.copy()
    columns = np.arange(grid.count).reshape(grid.height, grid.width)[:, ::-1].ravel()
    for row in range(grid.height):  # a row of tokens at a time, for want of memory
        rows = slice(row * grid.width, (row + 1) * grid.width)
        matrix[rows] += mirrored.matrix[columns[rows]][:, columns]
    matrix *= 0.5
    return Attention(matrix=matrix, grid=grid)


def mirrored_depth(source: DepthSource, image: RgbImage) -> Depth:
    """Average the depth of the picture, (H, W, 3), and of its mirror image; still in [0, 1]."""
    mirrored = source.depth(_mirror(image)).values[:, ::-1]
    return Depth(values=(source.depth(image).values + mirrored) * np.float32(0.5))


def _mirror(image: RgbImage) -> RgbImage:
    return np.ascontiguousarray(image[:, ::-1])
