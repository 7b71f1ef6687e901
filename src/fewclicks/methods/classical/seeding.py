"""What all baselines do with clicks: plant seeds, and ask a solver to spread them.

Baselines look at the clicks alone: ``previous``, a person's mask included, has no say. They work
on a picture of bounded size, as their memory grows with it, and enlarge the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError
from fewclicks.images.resizing import resize_map, resize_mask, shrink_to_longest_side
from fewclicks.methods.base import Prediction, Prepared, check_image
from fewclicks.methods.energy.seeds import Seeds, draw_seeds


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedConfig:
    """Seeds around the clicks, and the size to work at.

    Parameters
    ----------
    radius
        Of the disk of seeds around a click, in pixels.
    border
        Width in pixels of the band along the picture's border that is background as long as
        there is no negative click; at least 1, as every baseline needs some background.
    longest_side
        In pixels; a larger picture is worked on at this size.
    """

    radius: int = 5
    border: int = 5
    longest_side: int = 1024

    def __post_init__(self) -> None:
        for name, least in (("radius", 0), ("border", 1), ("longest_side", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least {least}.")


@dataclass(frozen=True, kw_only=True)
class WorkPicture(Prepared):
    """A picture beside the size at which its seeds spread.

    Parameters
    ----------
    work : (h, w, 3)
        The picture, shrunk if it is large.
    """

    work: RgbImage


def at_work_size(image: RgbImage, config: SeedConfig) -> RgbImage:
    """Shrink a large picture.

    Raises
    ------
    InputError
        If the image is none.
    """
    check_image(image)
    return shrink_to_longest_side(image, config.longest_side)


def excluded_at_work_size(prepared: WorkPicture) -> BoolMask | None:
    """Where the object cannot be, (h, w); None if it can be anywhere."""
    if prepared.excluded is None:
        return None
    return resize_mask(
        prepared.excluded, height=prepared.work.shape[0], width=prepared.work.shape[1]
    )


def plant(prepared: WorkPicture, clicks: Sequence[Click], config: SeedConfig) -> Seeds:
    """Draw the seeds of clicks and of excluded pixels at working size.

    Raises
    ------
    InputError
        For a click outside the picture.
    """
    check_clicks(clicks, height=prepared.height, width=prepared.width)
    height, width = prepared.work.shape[:2]
    excluded = excluded_at_work_size(prepared)
    if (height, width) == (prepared.height, prepared.width):
        return draw_seeds(
            (height, width), clicks, radius=config.radius, border=config.border, excluded=excluded
        )
    moved = [
        Click(
            x=click.x * width // prepared.width,
            y=click.y * height // prepared.height,
            is_positive=click.is_positive,
        )
        for click in clicks
    ]
    scale = max(height, width) / max(prepared.height, prepared.width)
    return draw_seeds(
        (height, width),
        moved,
        radius=round(config.radius * scale),
        border=max(1, round(config.border * scale)),
        excluded=excluded,
    )


def spread(
    prepared: WorkPicture,
    clicks: Sequence[Click],
    config: SeedConfig,
    solve: Callable[[Seeds], FloatMap],
) -> Prediction:
    """Answer clicks with what a solver makes of their seeds.

    Parameters
    ----------
    solve
        From seeds of both classes to a probability, (h, w) at working size. It is not asked where
        the seeds leave no question: without a positive one nothing is on the object, without a
        negative one everything is.

    Returns
    -------
    Prediction
        Clicked pixels have their click's class, excluded ones are off the object.

    Raises
    ------
    InputError
        For a click outside the picture.
    """
    seeds = plant(prepared, clicks, config)
    is_open = not (seeds.positive | seeds.negative).all()
    if is_open and seeds.positive.any() and seeds.negative.any():
        probability = solve(seeds)
    else:
        everything = seeds.positive.any() and not seeds.negative.any()
        probability = (seeds.positive | everything).astype(np.float32)
    full = resize_map(probability, height=prepared.height, width=prepared.width)
    full = full.copy() if full is probability else full
    for click in clicks:
        full[click.y, click.x] = click.is_positive
    if prepared.excluded is not None:
        full[prepared.excluded] = 0
    return Prediction(probability=full)
