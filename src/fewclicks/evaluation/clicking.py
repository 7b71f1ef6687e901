"""One picture, clicked object by object until each is done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from fewclicks.clicks import Click
from fewclicks.datasets.base import Sample, sharing_pixels
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.scores import TARGETS
from fewclicks.images.masks import iou
from fewclicks.methods.base import AnyMethod, Prediction


def click_picture(
    method: AnyMethod,
    samples: Sequence[Sample],
    user: SimulatedUser,
    *,
    max_clicks: int = 20,
    curve: bool = False,
) -> Iterator[ObjectRecord]:
    """Click the objects of one picture, which is prepared once.

    Parameters
    ----------
    method
        What answers the clicks.
    samples
        Objects of one picture.
    user
        Who clicks.
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
    for sample in sharing_pixels(list(samples)):
        truth, void = sample.object_mask, sample.void_mask
        prepare_seconds = None
        started = time.perf_counter()
        if prepared is None:
            prepared = method.prepare(sample.image)
            prepare_seconds = time.perf_counter() - started
        clicks: list[Click] = []
        ious: list[float] = []
        mask = np.zeros_like(truth)
        prediction: Prediction | None = None
        click_seconds = 0.0
        while len(clicks) < max_clicks:
            click = user.next_click(truth, mask, void=void, clicked=clicks, object_id=sample.id)
            if click is None:
                break
            clicks.append(click)
            asked = time.perf_counter()
            prediction = method.predict(prepared, clicks, prediction)
            mask = prediction.mask
            click_seconds += time.perf_counter() - asked
            ious.append(iou(mask, truth, void=void))
            if user.stops_at_target and not curve and ious[-1] >= max(TARGETS) / 100:
                break
        yield ObjectRecord(
            id=sample.id,
            picture=sample.picture,
            ious=tuple(ious),
            clicks=tuple((click.x, click.y, click.is_positive) for click in clicks),
            prepare_seconds=prepare_seconds,
            click_seconds=click_seconds,
            elapsed_seconds=time.perf_counter() - started,
        )
