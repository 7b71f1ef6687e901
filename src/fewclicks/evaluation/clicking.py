"""One picture, clicked object by object until each is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence

import numpy as np

from fewclicks.clicks import Click
from fewclicks.datasets.base import Sample, sharing_pixels
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.scores import TARGETS, USUAL_CLICKS
from fewclicks.images.depth_files import MeasuredDepth
from fewclicks.images.masks import iou
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.guidance import Guidance
from fewclicks.session.session import Session


def click_picture(
    method: AnyMethod,
    samples: Sequence[Sample],
    user: SimulatedUser,
    *,
    read_depth: Callable[[tuple[int, int]], MeasuredDepth] | None = None,
    max_clicks: int = USUAL_CLICKS,
    curve: bool = False,
) -> Generator[ObjectRecord, None, None]:
    """Click the objects of one picture, which is prepared once.

    Parameters
    ----------
    method
        What answers the clicks.
    samples
        Objects of one picture.
    user
        Who clicks.
    read_depth
        Gives the picture's measured depth, told its (height, width).
    max_clicks
        At most, for each object.
    curve
        Go on when the highest target is reached.

    Yields
    ------
    ObjectRecord
        As soon as an object is done.
    """
    prepared = None
    for sample in sharing_pixels(samples):
        truth, void = sample.object_mask, sample.void_mask
        depth = None
        if prepared is None and read_depth is not None:
            depth = read_depth(truth.shape).values
        started = time.perf_counter()
        prepare_seconds = None
        if prepared is None:
            prepared = method.prepare(sample.image)
            if depth is not None:
                prepared = method.condition(prepared, Guidance(depth=depth))
            prepare_seconds = time.perf_counter() - started
        session = Session(method, prepared)
        ious: list[float] = []
        click_seconds = 0.0
        while len(ious) < max_clicks:
            click = user.next_click(
                truth, session.mask, void=void, clicked=session.clicks, object_id=sample.id
            )
            if click is None:
                break
            asked = time.perf_counter()
            session.click(click.x, click.y, is_positive=click.is_positive)
            click_seconds += time.perf_counter() - asked
            ious.append(iou(session.mask, truth, void=void))
            if user.stops_at_target and not curve and ious[-1] >= max(TARGETS) / 100:
                break
        yield ObjectRecord(
            id=sample.id,
            picture=sample.picture,
            ious=tuple(ious),
            clicks=tuple((click.x, click.y, click.is_positive) for click in session.clicks),
            prepare_seconds=prepare_seconds,
            click_seconds=click_seconds,
            elapsed_seconds=time.perf_counter() - started,
        )


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
