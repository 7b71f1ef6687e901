"""Cases: the best and the worst objects of a result, clicked once more to see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.datasets.base import Sample
from fewclicks.errors import InputError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.protocols.opening import open_targets
from fewclicks.evaluation.protocols.target import Opening, Target, TargetSource
from fewclicks.evaluation.reports.rows import ReportRow
from fewclicks.evaluation.result import ObjectResult, Result
from fewclicks.images.masks import iou

SHOWN_CLICKS: Final = (1, 2, 3, 5, 10)
"""After which clicks a case is shown; after the last one as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """What stood there after so many clicks."""

    clicks: int
    mask: BoolMask
    iou: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One object, clicked again as the result says.

    Parameters
    ----------
    found
        As the result has it.
    image, truth
        (H, W, 3) and (H, W).
    clicks
        All of them.
    shots
        After some of them, the last one always.
    """

    found: ObjectResult
    image: RgbImage
    truth: BoolMask
    clicks: tuple[Click, ...]
    shots: tuple[Shot, ...]

    @property
    def is_as_stored(self) -> bool:
        """Whether the last answer is as good as the result says, to one per cent of IoU."""
        return abs(self.shots[-1].iou - self.found.ious[self.shots[-1].clicks - 1]) < 0.01


def choose_cases(row: ReportRow, count: int) -> tuple[list[ObjectResult], list[ObjectResult]]:
    """Choose the worst objects, the worst one first, and the best, the best first.

    The fewer clicks to 90 % the better; among equals, the higher the mean IoU of all clicks. No
    object is both; objects without a click are neither.
    """
    clicks, means = row.clicks(90), row.ious().mean(axis=1)
    ranked = sorted(
        (number for number, found in enumerate(row.result.per_object) if found.ious),
        key=lambda number: (clicks[number], -means[number], number),
    )
    objects = [row.result.per_object[number] for number in ranked]
    worst = objects[::-1][: min(count, (len(objects) + 1) // 2)]
    return worst, objects[: min(count, len(objects) - len(worst))]


def replay(row: ReportRow, chosen: Sequence[ObjectResult], data: str | None) -> Iterator[Case]:
    """Click objects again, with the result's method and its stored clicks.

    Parameters
    ----------
    data
        Folder of data sets, or the data set's own; None for one that needs no folder.

    Raises
    ------
    FewclicksError
        If the method cannot be built here, or the data set does not have the objects.
    """
    plan = plan_of(row.result, data)
    method = plan.create_method()
    targets = open_targets(plan, plan.open_dataset())
    depths = plan.depth_files()
    for found in chosen:
        target = _find(targets, found.id)
        image = target.sample.image
        depth = None
        if depths is not None:
            depth = depths.read(target.sample.picture, image.shape[:2]).values
        opening = Opening.prepare(
            method,
            image,
            plan.create_user(),
            max_clicks=plan.max_clicks,
            depth=depth,
        )
        yield _replayed(found, target, opening)


def plan_of(result: Result, data: str | None) -> Plan:
    """Give the plan that a result was made with, for data that may lie elsewhere now."""
    config = result.config
    settings: dict[str, Any] = {**_settings(config, "settings", "")}
    for part in ("backbone", "depth"):
        settings |= _settings(config, f"{part}_settings", f"{part}.")
    guidance = config.get("guidance") or {}
    return Plan(
        method=result.method,
        backbone=config.get("backbone"),
        depth=config.get("depth"),
        depth_kind=config.get("depth_kind") or "inverse",
        settings=settings,
        dataset=result.dataset,
        data=data,
        dataset_settings=config.get("dataset_settings") or {},
        rule=result.rule,
        jitter=config.get("jitter") or 0.0,
        seed=config.get("seed") or 0,
        max_clicks=len(result.miou),
        protocol=result.protocol,
        reference=config.get("reference", "none"),
        exemplar=config.get("exemplar", "none"),
        guidance={key: str(each) for key, each in guidance.items()},
        initial_masks=config.get("initial_masks"),
    )


def _settings(config: dict[str, Any], key: str, prefix: str) -> dict[str, Any]:
    """Read settings back; JSON has lists where a configuration has tuples."""
    return {
        prefix + name: tuple(each) if isinstance(each, list) else each
        for name, each in (config.get(key) or {}).items()
    }


def _find(source: TargetSource, object_id: str) -> Target:
    for picture in source.pictures:
        if object_id == picture or object_id.startswith(f"{picture}:"):
            for target in source.targets(picture):
                if target.sample.id == object_id:
                    return target
    raise InputError(f"The data set has no object '{object_id}'; give the data of the result.")


def _replayed(found: ObjectResult, target: Target, opening: Opening) -> Case:
    sample: Sample = target.sample
    beginning = target.begin(opening)
    session, before = beginning.session, len(beginning.clicks)
    total = len(found.clicks)
    shown = {each for each in SHOWN_CLICKS if before < each < total} | {total}
    shots = []
    for number, (x, y, is_positive) in enumerate(found.clicks[before:], start=before + 1):
        session.click(x, y, is_positive=is_positive)
        if number in shown:
            mask = session.mask
            reached = iou(mask, sample.object_mask, void=sample.void_mask)
            shots.append(Shot(clicks=number, mask=np.array(mask), iou=reached))
    if not shots:  # an exemplar's clicks were enough
        reached = iou(session.mask, sample.object_mask, void=sample.void_mask)
        shots.append(Shot(clicks=total, mask=np.array(session.mask), iou=reached))
    return Case(
        found=found,
        image=sample.image,
        truth=sample.object_mask,
        clicks=tuple(Click(x, y, is_positive) for x, y, is_positive in found.clicks),
        shots=tuple(shots),
    )
