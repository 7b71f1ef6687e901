"""Zoom-in: the part of the picture that a click network looks at, around the answer so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click, positives
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoomIn:
    """When to look closer, and how close.

    Parameters
    ----------
    expansion
        How many times as long as the object's box a side of the part is, from 1 on.
    least_side
        Of the part, in pixels; the picture's border may cut it shorter.
    keep
        A part is kept while it overlaps the new one by so much, in [0, 1]; see `overlap`.

    References
    ----------
    .. [1] Sofiiuk et al., "f-BRS: Rethinking Backpropagating Refinement for Interactive
       Segmentation", CVPR 2020, section 3.4 (arXiv:2001.10331), which calls it zoom-in.
    """

    expansion: float = 1.4
    least_side: int = 200
    keep: float = 0.5

    def __post_init__(self) -> None:
        if not self.expansion >= 1:
            raise InputError(f"expansion is {self.expansion}; needs a number from 1 on.")
        if self.least_side < 0:
            raise InputError(f"least_side is {self.least_side}; needs a number of pixels from 0.")
        if not 0 <= self.keep <= 1:
            raise InputError(f"keep is {self.keep}; needs a number in [0, 1].")

    def choose(self, mask: BoolMask, clicks: Sequence[Click], *, kept: Box | None) -> Box:
        """Choose where to look for the object.

        Parameters
        ----------
        mask : (H, W)
            The answer so far.
        clicks
            All of them; positive ones belong to the object whatever the answer says.
        kept
            Where was looked for the answer so far.

        Returns
        -------
        Box
            The whole picture where there is no answer yet. ``kept``, if it overlaps the new
            part enough and holds every positive click.
        """
        height, width = mask.shape
        new = Box(0, 0, width, height)
        if mask.any():
            new = self._around(mask, positives(clicks))
        if kept is None or any(not kept.holds(click.x, click.y) for click in positives(clicks)):
            return new
        return kept if overlap(kept, new) >= self.keep else new

    def _around(self, mask: BoolMask, clicks: Sequence[Click]) -> Box:
        tight = Box.around(mask)
        xs = [tight.x0, tight.x1 - 1, *(click.x for click in clicks)]
        ys = [tight.y0, tight.y1 - 1, *(click.y for click in clicks)]
        x0, x1 = self._widened(min(xs), max(xs))
        y0, y1 = self._widened(min(ys), max(ys))
        return Box(x0, y0, x1, y1).clamped(height=mask.shape[0], width=mask.shape[1])

    def _widened(self, first: int, last: int) -> tuple[int, int]:
        """Lengthen a row of pixels about its middle; gives the first and one past the last."""
        middle = (first + last) / 2
        length = max(self.expansion * (last - first + 1), self.least_side)
        return round(middle - length / 2), round(middle + length / 2) + 1


def overlap(one: Box, other: Box) -> float:
    """Say how much two boxes have in common, in [0, 1].

    It is the product of the intersections over unions of their columns and of their rows, as the
    published networks measure it: that of the boxes themselves if one lies within the other, and
    less if neither does.
    """
    return _common(one.x0, one.x1, other.x0, other.x1) * _common(one.y0, one.y1, other.y0, other.y1)


def _common(first: int, last: int, other_first: int, other_last: int) -> float:
    shared = max(0, min(last, other_last) - max(first, other_first))
    return shared / (max(last, other_last) - min(first, other_first))
