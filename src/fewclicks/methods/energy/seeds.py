"""Seeds: the pixels whose class the clicks settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeds:
    """Pixels that are surely on the object, and pixels that are surely off it.

    Parameters
    ----------
    positive, negative : (H, W)
        Never both.
    """

    positive: BoolMask
    negative: BoolMask


def draw_seeds(
    shape: tuple[int, int],
    clicks: Sequence[Click],
    *,
    radius: int = 5,
    border: int = 0,
    excluded: BoolMask | None = None,
) -> Seeds:
    """Draw a disk around each click.

    Parameters
    ----------
    shape
        (height, width) of the picture.
    clicks
        Inside the picture. A pixel that several disks cover belongs to the nearest click, at
        equal distance to the newest; so a clicked pixel always keeps its own click's class.
    radius
        In pixels, to the last pixel's centre; 0 marks the clicked pixel alone.
    border
        Width in pixels of a band along the picture's border that is negative as long as no
        click has made a pixel so; disks go over it.
    excluded : (H, W), optional
        Negative, whatever was clicked there.
    """
    height, width = shape
    nearest = np.full(shape, radius * radius + 1, dtype=np.int64)
    positive = np.zeros(shape, dtype=bool)
    for click in clicks:
        window = (
            slice(max(click.y - radius, 0), min(click.y + radius + 1, height)),
            slice(max(click.x - radius, 0), min(click.x + radius + 1, width)),
        )
        ys, xs = np.ogrid[window]
        squares = (ys - click.y) ** 2 + (xs - click.x) ** 2
        is_nearest = squares <= np.minimum(nearest[window], radius * radius)
        nearest[window][is_nearest] = squares[is_nearest]
        positive[window][is_nearest] = click.is_positive
    negative = (nearest <= radius * radius) & ~positive
    if border > 0 and not negative.any():
        negative |= border_band(shape, border) & ~positive
    if excluded is not None:
        positive &= ~excluded
        negative |= excluded
    return Seeds(positive=positive, negative=negative)


def border_band(shape: tuple[int, int], width: int) -> BoolMask:
    """Mark the pixels at most ``width`` away from the picture's outside."""
    band = np.ones(shape, dtype=bool)
    band[width : shape[0] - width, width : shape[1] - width] = False
    return band


def keep_clicked(mask: BoolMask, clicks: Sequence[Click], excluded: BoolMask | None) -> BoolMask:
    """Give clicked pixels their click's class, the newest of a pixel, and excluded ones none.

    Parameters
    ----------
    mask : (H, W)
        Left as it is.
    clicks
        Inside the mask.
    excluded : (H, W), optional
        Goes over the clicks.
    """
    kept = mask.copy()
    for click in clicks:
        kept[click.y, click.x] = click.is_positive
    if excluded is not None:
        kept &= ~excluded
    return kept
