"""Sums over kinds: what the objects of one category in one picture cost together.

The papers do not say how clicks on several objects are averaged, so all ways are given.
"""

from __future__ import annotations

from collections.abc import Sequence

from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.result import KindsResult, ObjectResult
from fewclicks.evaluation.scores import TARGETS, number_of_clicks, score

_FURTHER = (1, 5, 10)


def sum_up_kinds(records: Sequence[ObjectRecord], max_clicks: int) -> KindsResult:
    """Sum up a run on kinds, given the records of kinds and of their objects, if there are any."""
    kinds = [record for record in records if record.part_of is None]
    alone = [record for record in records if record.part_of is not None]
    objects = sum(kind.objects for kind in kinds)
    clicks = {
        str(target): sum(
            number_of_clicks(each.ious, target, max_clicks=max_clicks, start=each.start_iou)
            for each in alone or kinds
        )
        for target in TARGETS
    }
    scores = None
    if alone:
        scores = score(
            [each.ious for each in alone],
            [each.picture for each in alone],
            max_clicks=max_clicks,
            starts=[each.start_iou for each in alone],
        )
    return KindsResult(
        objects=objects,
        noc_sum={target: count / len(kinds) for target, count in clicks.items()},
        noc_mean={target: count / objects for target, count in clicks.items()},
        nof=None if scores is None else scores.nof,
        nofi=None if scores is None else scores.nofi,
        miou_plus={
            str(further): sum(_iou_after(kind, further) for kind in kinds) / len(kinds)
            for further in _FURTHER
        },
        per_object=[object_result(each, of_kinds=False) for each in alone],
    )


def object_result(record: ObjectRecord, *, of_kinds: bool) -> ObjectResult:
    """Say what a target came to; of a kind also how many objects it unites."""
    return ObjectResult(
        id=record.id,
        ious=list(record.ious),
        clicks=list(record.clicks),
        start_iou=record.start_iou,
        exemplar_clicks=record.exemplar_clicks if of_kinds else None,
        objects=record.objects if of_kinds else None,
    )


def _iou_after(kind: ObjectRecord, further: int) -> float:
    """IoU after so many clicks that are not on the exemplar; the last one where it ended early."""
    if not kind.ious:
        return kind.start_iou or 0.0
    return kind.ious[min(kind.exemplar_clicks + further, len(kind.ious)) - 1]
