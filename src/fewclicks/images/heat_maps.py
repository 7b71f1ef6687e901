"""Heat maps: a method's maps as pictures, in colours that grow evenly lighter."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, RgbImage

Palette: TypeAlias = Literal["viridis", "magma", "cividis"]

_SHADES: Final = 256


def draw_heat_map(
    values: FloatMap,
    *,
    height: int,
    width: int,
    palette: Palette = "viridis",
    is_high_light: bool = True,
) -> RgbImage:
    """Draw a map; each of its values stays a rectangle of one colour where the picture is larger.

    Parameters
    ----------
    values : (h, w)
        Not negative; the largest gets the colour at one end, 0 the other.
    height, width
        Of the picture, in pixels.
    palette
        Of matplotlib's.
    is_high_light
        Whether high values are light; else low ones are.

    Returns
    -------
    (height, width, 3)
    """
    from matplotlib import colormaps  # heavy, and only pictures of maps need it

    largest = float(values.max())
    shares = values / largest if largest > 0.0 else np.zeros_like(values)
    enlarged = cv2.resize(
        shares.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    shades = np.rint(np.asarray(enlarged) * (_SHADES - 1)).astype(np.uint8)
    table = np.array(colormaps[palette](np.arange(_SHADES), bytes=True))[:, :3].astype(np.uint8)
    return np.asarray((table if is_high_light else table[::-1])[shades])
