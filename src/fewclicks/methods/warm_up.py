"""Warm-up: compile and load before anybody waits, and before anything is measured."""

from __future__ import annotations

import numpy as np

from fewclicks.clicks import Click
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.maps import HasLevels


def warm_up(method: AnyMethod, *, guided: bool = False) -> None:
    """Have a small picture clicked, so that compiling and loading fall in no measured time.

    Parameters
    ----------
    guided
        Whether by depth.
    """
    image = np.full((64, 96, 3), 40, dtype=np.uint8)
    image[16:48, 24:72] = 200
    prepared = method.prepare(image)
    if guided:
        depth = image[..., 0].astype(np.float32) / np.float32(255.0)
        prepared = method.condition(prepared, Guidance(depth=depth))
    clicks = [Click(48, 32), Click(8, 8, is_positive=False)]
    method.predict(prepared, clicks, method.predict(prepared, clicks[:1]))
    if isinstance(method, HasLevels):
        method.levels(prepared, clicks[:1])
