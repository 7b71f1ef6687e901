"""One picture, clicked target by target until each is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from fewclicks.datasets.base import sharing_pixels
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.protocols.target import Opening, Target
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.scores import TARGETS, USUAL_CLICKS
from fewclicks.images.depth_files import MeasuredDepth
from fewclicks.images.masks import iou
from fewclicks.methods.base import AnyMethod


def click_targets(
    method: AnyMethod,
    targets: Sequence[Target],
    user: SimulatedUser,
    *,
    read_depth: Callable[[tuple[int, int]], MeasuredDepth] | None = None,
    max_clicks: int = USUAL_CLICKS,
    curve: bool = False,
) -> Generator[ObjectRecord, None, None]:
    """Click the targets of one picture, which is prepared once.

    Parameters
    ----------
    method
        What answers the clicks.
    targets
        Of one picture.
    user
        Who clicks.
    read_depth
        Gives the picture's measured depth, told its (height, width).
    max_clicks
        At most, for each target.
    curve
        Go on when the highest target IoU is reached.

    Yields
    ------
    ObjectRecord
        As soon as a target is done.
    """
    opening = None
    for target, sample in zip(targets, sharing_pixels([t.sample for t in targets]), strict=True):
        shape = sample.object_mask.shape
        depth = None
        if opening is None and read_depth is not None:
            depth = read_depth(shape).values
        started = time.perf_counter()
        prepare_seconds = None
        if opening is None:
            opening = Opening.prepare(
                method, sample.image, user, max_clicks=max_clicks, depth=depth
            )
            prepare_seconds = time.perf_counter() - started
        clicked = _click(replace(target, sample=sample), opening, curve=curve)
        yield replace(
            clicked,
            prepare_seconds=prepare_seconds,
            elapsed_seconds=time.perf_counter() - started,
        )


def _click(target: Target, opening: Opening, *, curve: bool) -> ObjectRecord:
    """Click one target; its record lacks what the picture took."""
    sample, user = target.sample, opening.user
    truth, void = sample.object_mask, sample.void_mask
    beginning = target.begin(opening)
    session, ious, click_seconds = beginning.session, [*beginning.ious], beginning.click_seconds
    start_iou = None
    if session.prediction is not None:
        shown = iou(session.mask, truth, void=void)
        if ious:
            ious[-1] = shown  # what a person sees after that click
        else:
            start_iou = shown
    stops_at = max(TARGETS) / 100 if user.stops_at_target and not curve else 2.0
    reached = ious[-1] if ious else start_iou or 0.0
    while len(ious) < opening.max_clicks and reached < stops_at:
        click = user.next_click(
            truth, session.mask, void=void, clicked=session.clicks, object_id=sample.id
        )
        if click is None:
            break
        asked = time.perf_counter()
        session.click(click.x, click.y, is_positive=click.is_positive)
        click_seconds += time.perf_counter() - asked
        reached = iou(session.mask, truth, void=void)
        ious.append(reached)
    clicks = (*beginning.clicks, *session.clicks)
    return ObjectRecord(
        id=sample.id,
        picture=sample.picture,
        ious=tuple(ious),
        clicks=tuple((click.x, click.y, click.is_positive) for click in clicks),
        prepare_seconds=None,
        click_seconds=click_seconds,
        elapsed_seconds=0.0,
        start_iou=start_iou,
        exemplar_clicks=len(beginning.clicks),
        part_of=target.part_of,
        objects=target.objects,
    )
