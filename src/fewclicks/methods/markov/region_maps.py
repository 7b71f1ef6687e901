"""Maps over regions: what fewclicks sees of a picture from each click, as pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMap
from fewclicks.clicks import Click
from fewclicks.images.resizing import resize_map
from fewclicks.methods.base import Prediction
from fewclicks.methods.maps import ClickMaps
from fewclicks.methods.markov.distances import DISTANCES, TOKEN_WALK
from fewclicks.methods.markov.view import View

_LARGEST_OFF: Final = float(1.0 - np.nextafter(np.float32(0.5), np.float32(1.0)))


def region_maps(
    view: View, clicks: Sequence[Click], *, doubt: NDArray[np.floating], answer: Prediction
) -> list[ClickMaps]:
    """Draw the distances from each click over the regions, and what all clicks led to.

    Parameters
    ----------
    view
        Of the whole picture.
    clicks
        Of the answer, in pixels of the picture.
    doubt : (n,)
        How much the evidence leaves to be wished for each region to be the object, from 0 on.
    answer
        Of the method.

    Returns
    -------
    list of ClickMaps
        One for each click: a stage for each distance by its name (the walk over tokens where there
        is one), then ``"doubt"`` and ``"off"``, which is one less the answer's probability; its
        segment is the answer's mask.
    """
    height, width = view.shape
    labels = view.regions.superpixels.labels
    off = np.float32(1.0) - resize_map(answer.probability, height=height, width=width)
    ends = {"doubt": np.maximum(doubt, 0.0).astype(np.float32)[labels], "off": off}
    located = view.locate(clicks)
    maps = []
    for click, inside in zip(clicks, located, strict=True):
        distances = view.seen(inside).distances.astype(np.float32)
        stages: dict[str, FloatMap] = {
            _stage(name): distances[:, column][labels]
            for column, name in enumerate(DISTANCES)
            if column != TOKEN_WALK or view.walked is not None
        }
        maps.append(ClickMaps(click=click, stages=stages | ends, threshold=_LARGEST_OFF))
    return maps


def _stage(distance: str) -> str:
    """Name a distance so that a file can be called so."""
    return distance.replace("'s", "").replace(" ", "-")
