"""A picture clicked as a person would: all its objects in one session, one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.datasets.base import Sample, sharing_pixels
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.images.masks import iou
from fewclicks.methods.base import AnyMethod
from fewclicks.session.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickedObject:
    """One object of a picture.

    Parameters
    ----------
    name
        Of the object within its picture.
    mask : (H, W)
        The answer to the last click.
    clicks, ious
        As many as each other; none where earlier objects have taken every pixel.
    click_seconds
        For all clicks together, in the session alone.
    """

    name: str
    mask: BoolMask
    clicks: tuple[Click, ...]
    ious: tuple[float, ...]
    click_seconds: float

    @property
    def iou(self) -> float:
        """After the last click."""
        return self.ious[-1] if self.ious else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickedPicture:
    """One picture, its objects, and the seconds that its preparation took."""

    name: str
    image: RgbImage
    objects: tuple[ClickedObject, ...]
    prepare_seconds: float


def click_in_one_session(
    method: AnyMethod,
    samples: Sequence[Sample],
    user: SimulatedUser,
    *,
    max_clicks: int = 10,
    good_enough: float = 0.95,
) -> ClickedPicture:
    """Click the objects of one picture, finishing each before the next begins.

    A finished object keeps the pixels it was given. The user knows that and does not click on
    them, yet they count in the IoU of the objects they were taken from.

    Parameters
    ----------
    method
        What answers the clicks.
    samples
        Objects of one picture, in the order in which they are clicked.
    user
        Who clicks.
    max_clicks
        At most, for each object.
    good_enough
        IoU at which the user goes on to the next object.
    """
    shared = list(sharing_pixels(samples))
    image = shared[0].image
    started = time.perf_counter()
    session = Session(method, image)
    prepare_seconds = time.perf_counter() - started
    return ClickedPicture(
        name=samples[0].picture,
        image=image,
        objects=tuple(
            _click_object(session, sample, user, max_clicks, good_enough) for sample in shared
        ),
        prepare_seconds=prepare_seconds,
    )


def _click_object(
    session: Session, sample: Sample, user: SimulatedUser, max_clicks: int, good_enough: float
) -> ClickedObject:
    truth = sample.object_mask
    taken = np.zeros_like(truth)
    for earlier in session.objects:
        taken |= earlier.mask
    ious: list[float] = []
    seconds = 0.0
    while len(ious) < max_clicks and (not ious or ious[-1] < good_enough):
        click = user.next_click(
            truth, session.mask, void=taken, clicked=session.clicks, object_id=sample.id
        )
        if click is None:
            break
        started = time.perf_counter()
        session.click(click.x, click.y, is_positive=click.is_positive)
        seconds += time.perf_counter() - started
        ious.append(iou(session.mask, truth))
    clicked = ClickedObject(
        name=sample.id.removeprefix(f"{sample.picture}:"),
        mask=session.mask,
        clicks=session.clicks,
        ious=tuple(ious),
        click_seconds=seconds,
    )
    if clicked.mask.any():
        session.finish_object(clicked.name)
    while session.clicks:  # an object that stayed empty cannot be finished: leave no trace
        session.undo()
    return clicked
