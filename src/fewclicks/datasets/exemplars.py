"""Exemplars: which object of a kind stands for the others, and simulated clicks on it."""

from __future__ import annotations

import hashlib
from typing import Final

import cv2
import numpy as np

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.clicks import Click
from fewclicks.datasets.kinds import Kind

MOST_CLICKS: Final = 20
"""Positive and negative ones together."""

APART: Final = 40
"""Pixels between two clicks."""

INSIDE: Final = 20
"""Pixels between a click and the border of the object."""

_AROUND: Final = 40  # pixels from the object that negative clicks beside it may lie away


def choose_exemplar(kind: Kind, seed: int) -> int:
    """Choose one object of a kind at random, the same whoever asks; its index in ``names``."""
    return int(_chance(seed, kind.id).integers(len(kind.names)))


def deepest_object(kind: Kind) -> int:
    """Choose the object with the deepest middle, which the first click on all of them goes for.

    Returns
    -------
    int
        Its index in ``names``; ties: the first.
    """
    return int(np.argmax([_depth(mask).max() for mask in kind.masks]))


def simulate_clicks(
    mask: BoolMask, *, others: BoolMask | None = None, name: str = "", seed: int = 0
) -> tuple[Click, ...]:
    """Click an object as somebody may have done who has segmented it.

    The number of clicks is uniform from 1 to 20, that of positive ones uniform from 1 to all.
    Positive ones lie `INSIDE` pixels or more from the border. Negative ones lie around the object
    or, with even chance where there are any, on others. Clicks of one sign are `APART` pixels
    apart. Where an object has no room for a click, both distances are halved until it has
    (ours); where there is still none, there are fewer clicks.

    Parameters
    ----------
    mask : (H, W)
        True on the object; at least one pixel.
    others : (H, W), optional
        True on other objects of its category.
    name, seed
        Choose the chance.

    Returns
    -------
    tuple of Click
        Positive ones first; at least one.

    References
    ----------
    .. [1] iCMFormer++, sections 4.1.2 and 4.3; the random strategy is that of Xu et al., "Deep
       Interactive Object Selection", CVPR 2016, section 3.1.
    """
    chance = _chance(seed, f"{name}:clicks")
    count = int(chance.integers(1, MOST_CLICKS + 1))
    positive = int(chance.integers(1, count + 1))
    depth, distance = _depth(mask), _depth(~mask, edge_is_border=False)
    clicks = _scatter(depth, INSIDE, positive, chance, is_positive=True)
    around = np.where(~mask & (distance <= _AROUND), distance, 0).astype(np.float32)
    beyond = None if others is None else _depth(others & ~mask)
    on_others = beyond is not None and bool(beyond.any()) and bool(chance.integers(2))
    places = beyond if beyond is not None and on_others else around
    clicks += _scatter(places, INSIDE, count - len(clicks), chance, is_positive=False)
    return tuple(clicks)


def _scatter(
    depth: FloatMap, margin: float, count: int, chance: np.random.Generator, *, is_positive: bool
) -> list[Click]:
    """Draw places one after the other, each far enough from the border and from those before."""
    apart = float(APART)
    deepest = float(depth.max())
    while margin >= 1 and margin > deepest:
        margin, apart = margin / 2, apart / 2
    free = (depth > 0) & (depth >= margin)
    rows, columns = np.mgrid[: depth.shape[0], : depth.shape[1]]
    clicks: list[Click] = []
    while len(clicks) < count:
        places = np.flatnonzero(free)
        if places.size == 0:
            break
        y, x = divmod(int(places[chance.integers(places.size)]), depth.shape[1])
        clicks.append(Click(x=x, y=y, is_positive=is_positive))
        free &= (rows - y) ** 2 + (columns - x) ** 2 >= apart**2
    return clicks


def _depth(mask: BoolMask, *, edge_is_border: bool = True) -> FloatMap:
    """Distance in pixels to the nearest pixel off the mask; the picture's edge may count as one."""
    padded = np.pad(mask.astype(np.uint8), 1, constant_values=0 if edge_is_border else 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth[1:-1, 1:-1], dtype=np.float32)


def _chance(seed: int, name: str) -> np.random.Generator:
    # Python's own hash differs from process to process.
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, number])
