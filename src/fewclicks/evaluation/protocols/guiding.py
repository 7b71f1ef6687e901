"""How guidance is made for a measurement: what the ablations of both papers vary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.errors import InputError
from fewclicks.settings import read_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidanceConfig:
    """How references and exemplars are given.

    Parameters
    ----------
    polygon_interval
        A reference mask becomes the polygon through every k-th point of its boundary; 1 leaves
        it as it is.
    reference_scale
        The reference, picture and masks, is made so much smaller; in (0, 1].
    shown
        Which object of a kind is the exemplar: a ``"random"`` one, as published, or the
        ``"deepest"``, where somebody who clicks all of them as one begins.
    most_clicks
        On an exemplar that is segmented first.
    least_gain
        In IoU: a click on it that gains less is the last one.
    satisfied
        IoU at which the user takes an exemplar without waiting for a click that gains too
        little; 1 as published.
    positives
        Which of the exemplar's positive clicks are passed on: ``"all"`` or the ``"first"``.
    negatives
        Which negative ones: ``"true"`` leaves out those that lie on others of its kind,
        ``"all"``, or ``"none"``.
    first_answer
        What is shown before the first click that is not on the exemplar: ``"proposal"``, what
        the method finds by the exemplar alone, or ``"exemplar"``, its mask.
    real
        Folder of exemplars that people made, in the place of golden ones: ``<kind>.png``, and
        ``<kind>.json`` with the clicks as ``fewclicks segment --clicks`` reads them. Empty for
        the truth with simulated clicks.

    References
    ----------
    .. [1] RefCut, Figure 5 (arXiv:2503.17820).
    .. [2] iCMFormer++, sections 3.5 and 4.4.2, Tables 7 and 8.
    """

    polygon_interval: int = 1
    reference_scale: float = 1.0
    shown: str = "random"
    most_clicks: int = 5
    least_gain: float = 0.01
    satisfied: float = 1.0
    positives: str = "all"
    negatives: str = "true"
    first_answer: str = "proposal"
    real: str = ""

    def __post_init__(self) -> None:
        for name, least in (("polygon_interval", 1), ("most_clicks", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; needs {least} or more.")
        if not 0 < self.reference_scale <= 1:
            raise InputError(
                f"reference_scale is {self.reference_scale}; needs a number above 0, at most 1."
            )
        for name in ("least_gain", "satisfied"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs an IoU from 0 to 1.")
        for name, known in (
            ("shown", ("random", "deepest")),
            ("positives", ("all", "first")),
            ("negatives", ("true", "all", "none")),
            ("first_answer", ("proposal", "exemplar")),
        ):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} is '{getattr(self, name)}'; needs {' or '.join(map(repr, known))}."
                )


def polygon_through(mask: BoolMask, interval: int) -> BoolMask:
    """Degrade a mask to the polygons through every k-th point of its outer boundaries.

    Parameters
    ----------
    mask : (H, W)
    interval
        k; 1 gives the mask back. What keeps fewer than three points is lost, holes are filled.

    References
    ----------
    .. [1] RefCut, Figure 5a.
    """
    if interval == 1:
        return mask
    rims, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    kept = [np.ascontiguousarray(rim[::interval]) for rim in rims if len(rim) > 2 * interval]
    drawn = np.zeros(mask.shape, dtype=np.uint8)
    for rim in kept:
        cv2.fillPoly(drawn, [rim], 1)
    return drawn.astype(bool)


def shrunken(image: RgbImage, scale: float) -> RgbImage:
    """Make a picture smaller, by the mean of what falls into each new pixel; at least one pixel."""
    if scale == 1:
        return image
    size = _smaller(image.shape[:2], scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def shrunken_mask(mask: BoolMask, scale: float) -> BoolMask:
    """Make a mask smaller: True where half of the new pixel or more is on it."""
    if scale == 1:
        return mask
    size = _smaller(mask.shape, scale)
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5)


def _smaller(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def read_guidance(settings: Mapping[str, str]) -> GuidanceConfig:
    """Read how guidance is made, as it was typed."""
    return GuidanceConfig(**read_settings(GuidanceConfig, settings, owner="guidance"))
