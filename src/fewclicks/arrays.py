"""The arrays that travel through the house, by name.

Rows run down and columns run right, so an array is indexed ``[y, x]``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""(H, W, 3), red, green, blue in [0, 255]."""

BoolMask: TypeAlias = NDArray[np.bool_]
"""(H, W), True on the object."""

LabelMap: TypeAlias = NDArray[np.int32]
"""(H, W), 0 for nothing, 1..n for regions or objects."""

FloatMap: TypeAlias = NDArray[np.float32]
"""(H, W), one real number for each pixel."""

FloatImage: TypeAlias = NDArray[np.float32]
"""(H, W, C), several real numbers for each pixel."""

FloatMatrix: TypeAlias = NDArray[np.float32]
"""(rows, columns), of tokens most often."""
