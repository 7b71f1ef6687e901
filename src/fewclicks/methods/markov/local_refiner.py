"""Local refiner: the newest click changes what it was meant for, and undoes nothing else.

People click the middle of what is wrong. So no part that a click turns is much thicker than the
click is away from the outline that it corrects, its clearance: the middle of such a part would
have been clicked instead. And a click on the object only adds to it, one off it only takes away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.base import Prediction


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What the next click needs to know of an answer.

    Parameters
    ----------
    box
        The part of the picture that was looked at.
    clicks
        How many it answered.
    """

    box: Box
    clicks: int


def corrected_by_one(clicks: Sequence[Click], previous: Prediction | None) -> BoolMask | None:
    """Find the mask, (H, W), that the newest click alone corrects.

    None after a stroke, whose last click is the middle of nothing, and where no answer came before.
    A mask that no method answered with has answered no click.
    """
    if previous is None:
        return None
    answered = previous.state.clicks if isinstance(previous.state, Looked) else 0
    return previous.mask if len(clicks) == answered + 1 else None


def refine_locally(
    mask: BoolMask, before: BoolMask, clicks: Sequence[Click], *, bulge: float, one_way: bool
) -> BoolMask:
    """Give back what the newest click cannot have meant to change.

    Parameters
    ----------
    mask : (H, W)
        The answer to all clicks; left as it is.
    before : (H, W)
        The answer that the newest click corrects.
    clicks
        In pixels of the masks; the newest is the last.
    bulge
        Radius of the thickest part that may turn to the click's class, in clearances. What is
        thicker stays as it was before, and so does what hangs together with the click through
        that only. 0 lets everything turn.
    one_way
        Whether nothing turns against the click's class.

    Returns
    -------
    (H, W) bool
        Between ``before`` and ``mask`` at every pixel; ``mask`` where the newest click lies on no
        error, so that nothing is known of what it is meant for.

    References
    ----------
    .. [1] M2N2V2, arXiv:2503.16254: the distance from a click to the last answer bounds the area
       that it may change.
    """
    clearance = clearance_of(before, clicks)
    if clearance == 0:
        return mask
    newest = clicks[-1]
    has, had = mask == newest.is_positive, before == newest.is_positive
    turned, kept = has & ~had, had if one_way else has & had
    if bulge:
        turned = _without_bulges(turned, newest, clearance, bulge * clearance)
    return np.asarray((turned | kept) == newest.is_positive)


def clearance_of(before: BoolMask, clicks: Sequence[Click]) -> float:
    """Measure how far the newest click is from the outline that it corrects.

    Parameters
    ----------
    before : (H, W)
        The answer before it.
    clicks
        In pixels of it; the newest is the last.

    Returns
    -------
    float
        In pixels, to the nearest pixel that had the click's class, or to a click of the other
        class if that is nearer; 0 where the click's own pixel had its class, or none did.
    """
    *earlier, newest = clicks
    lacks = before != newest.is_positive
    if lacks.all() or not lacks[newest.y, newest.x]:
        return 0.0
    others = [click for click in earlier if click.is_positive != newest.is_positive]
    away = [np.hypot(click.x - newest.x, click.y - newest.y) for click in others]
    nearest = _squared_distances(before.shape, newest)[~lacks].min()
    return float(min([np.sqrt(nearest), *away]))


def _without_bulges(turned: BoolMask, click: Click, clearance: float, thickness: float) -> BoolMask:
    """Take out of what turned what is thicker, and what hangs on the click through that only."""
    disk = _squared_distances(turned.shape, click) <= clearance**2
    box = Box.around(turned | disk)
    inside, core = box.crop(turned), box.crop(disk)
    thick = _depth(np.pad(inside, 1))[1:-1, 1:-1] > thickness
    if not thick.any():
        return turned
    slender = inside & (core | (_depth(~thick) > thickness))
    _, labels = cv2.connectedComponents((slender | core).astype(np.uint8), connectivity=8)
    meant = slender & (labels == labels[click.y - box.y0, click.x - box.x0])
    return box.paste(meant, np.zeros_like(turned))


def _squared_distances(shape: tuple[int, ...], click: Click) -> NDArray[np.int64]:
    """Of all pixels from a click, (H, W)."""
    ys, xs = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((ys - click.y) ** 2 + (xs - click.x) ** 2)


def _depth(mask: BoolMask) -> FloatMap:
    """Distance of each pixel of a mask to the nearest pixel off it."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth, dtype=np.float32)
