"""What the IoU after each click says about a method: NoC, NoF and mIoU@k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fewclicks.errors import InputError

TARGETS: Final = (80, 85, 90, 95)
"""IoU in per cent."""

USUAL_CLICKS: Final = 20
"""At most, for each object, in every table of the literature."""


def number_of_clicks(
    ious: Sequence[float],
    target: int,
    *,
    max_clicks: int = USUAL_CLICKS,
    start: float | None = None,
) -> int:
    """Clicks until an object first reaches a target; ``max_clicks`` where it never does.

    Parameters
    ----------
    ious
        After click 1, 2, …
    target
        IoU in per cent; reaching it exactly is enough.
    start
        IoU before any click, where there was a mask then; 0 clicks if it is enough.

    Examples
    --------
    >>> number_of_clicks([0.5, 0.9, 0.8], 85)
    2
    """
    first = first_success(ious, target, start=start)
    return max_clicks if first is None else min(first, max_clicks)


def first_success(ious: Sequence[float], target: int, *, start: float | None = None) -> int | None:
    """Which click, counted from 1, first reaches a target; 0 for the start, None for none."""
    needed = target / 100
    if start is not None and start >= needed:
        return 0
    return next((k for k, iou in enumerate(ious, start=1) if iou >= needed), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """The figures of one run; keys are targets in per cent, or numbers of clicks.

    Parameters
    ----------
    noc
        Mean number of clicks.
    nof
        Objects that never reach the target.
    nof_at_20
        Objects whose score is the largest number of clicks, as the literature counts failures: a
        success on the very last click is among them.
    nofi
        Pictures with at least one object that never reaches the target.
    miou
        Mean IoU after each number of clicks; an object that ended early keeps its last IoU.
    """

    noc: dict[str, float]
    nof: dict[str, int]
    nof_at_20: dict[str, int]
    nofi: dict[str, int]
    miou: dict[str, float]


def score(
    ious: Sequence[Sequence[float]],
    pictures: Sequence[str],
    *,
    max_clicks: int = USUAL_CLICKS,
    starts: Sequence[float | None] | None = None,
) -> Scores:
    """Sum up a run.

    Parameters
    ----------
    ious
        For each object, the IoU after click 1, 2, …; at least one object. An object without any
        click counts as IoU 0.
    pictures
        For each object, the picture that shows it.
    starts
        For each object, the IoU before any click, where there was a mask then.

    Raises
    ------
    InputError
        If there is no object.
    """
    if not ious:
        raise InputError("There is no object to score; needs at least one.")
    before = [None] * len(ious) if starts is None else starts
    runs = list(zip(ious, before, strict=True))
    first = {t: [first_success(run, t, start=start) for run, start in runs] for t in TARGETS}
    clicks = {t: [max_clicks if k is None else k for k in first[t]] for t in TARGETS}
    count = len(ious)
    return Scores(
        noc={str(t): sum(clicks[t]) / count for t in TARGETS},
        nof={str(t): sum(k is None for k in first[t]) for t in TARGETS},
        nof_at_20={str(t): sum(k >= max_clicks for k in clicks[t]) for t in TARGETS},
        nofi={
            str(t): len({p for p, k in zip(pictures, first[t], strict=True) if k is None})
            for t in TARGETS
        },
        miou={
            str(k): sum(iou_after(k, run, start) for run, start in runs) / count
            for k in range(1, max_clicks + 1)
        },
    )


def iou_after(clicks: int, ious: Sequence[float], start: float | None = None) -> float:
    """IoU after so many clicks, 1 or more; an object that ended early keeps its last one."""
    return ious[min(clicks, len(ious)) - 1] if ious else start or 0.0
