"""Paired comparison: two results on the same objects, object by object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fewclicks.errors import InputError
from fewclicks.evaluation.reports.resampling import Interval, Values, bootstrap_interval
from fewclicks.evaluation.reports.rows import ReportRow
from fewclicks.evaluation.scores import TARGETS

_MIOU_AT: Final = (1, 3, 5, 10, 20)
_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How far the first result is from the second in one figure.

    Parameters
    ----------
    figure
        ``NoC@90``, ``mIoU@5`` and the like.
    first, second
        Means over objects.
    interval
        Of the mean difference, first minus second.
    better, equal, worse
        Objects on which the first is so: fewer clicks, or a larger IoU.
    """

    figure: str
    first: float
    second: float
    interval: Interval
    better: int
    equal: int
    worse: int

    @property
    def mean(self) -> float:
        """Mean difference, first minus second."""
        return self.first - self.second

    @property
    def is_clicks(self) -> bool:
        """Whether less is better."""
        return self.figure.startswith("NoC")

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no doubt about the sign."""
        return not self.interval.holds(0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two results on the same objects.

    Parameters
    ----------
    first, second
        As named for a report.
    target
        IoU in per cent that counts for who is better on how many objects.
    differences
        NoC first, then mIoU.
    notes
        In what else the two differ, so that the reader may judge.
    """

    first: ReportRow
    second: ReportRow
    target: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def main(self) -> Difference:
        """The difference in clicks to the target."""
        return next(d for d in self.differences if d.figure == f"NoC@{self.target}")

    @property
    def place(self) -> str:
        """Names the data set, and how was clicked."""
        rules = dict.fromkeys((self.first.rule, self.second.rule))
        return f"{self.first.dataset}, rule {' against '.join(rules)}"

    @property
    def objects(self) -> int:
        """How many there are."""
        return self.first.result.objects


def compare_rows(first: ReportRow, second: ReportRow, *, target: int = 90) -> Comparison:
    """Compare two results object by object.

    Raises
    ------
    InputError
        If they are not of the same objects with as many clicks at most, or the target is none.
    """
    if target not in TARGETS:
        known = ", ".join(map(str, TARGETS))
        raise InputError(f"Target is {target}; needs an IoU in per cent among {known}.")
    _check_same_objects(first, second)
    order = _order(first, second)
    pictures = first.pictures
    targets = sorted({85, 90, target})
    clicks = [
        _difference(f"NoC@{each}", first.clicks(each), second.clicks(each)[order], pictures)
        for each in targets
    ]
    ious, others = first.ious(), second.ious()[order]
    shown = [k for k in _MIOU_AT if k <= first.most]
    curves = [_difference(f"mIoU@{k}", ious[:, k - 1], others[:, k - 1], pictures) for k in shown]
    return Comparison(
        first=first,
        second=second,
        target=target,
        differences=(*clicks, *curves),
        notes=tuple(_notes(first, second)),
    )


def in_words(comparison: Comparison) -> list[str]:
    """Say in sentences which result needs fewer clicks, how sure that is, and on how many objects.

    Examples
    --------
    ``A needs 1.35 fewer clicks than B to IoU 90 % (95 % interval: 0.40 to 2.30 fewer).``
    """
    main, first, second = comparison.main, comparison.first.method, comparison.second.method
    if first == second:
        first, second = f"{first}, {comparison.first.rule}", f"{second}, {comparison.second.rule}"
    goal = f"to IoU {comparison.target} %"
    low, high = main.interval.low, main.interval.high
    if main.is_clear:
        word = "fewer" if main.mean < 0 else "more"
        ends = sorted((abs(low), abs(high)))
        told = (
            f"{first} needs {abs(main.mean):.2f} {word} clicks than {second} {goal} "
            f"(95 % interval: {ends[0]:.2f} to {ends[1]:.2f} {word})."
        )
    elif main.mean == low == high == 0:
        told = f"{first} and {second} need the same clicks {goal}."
    else:
        told = (
            f"Which of {first} and {second} needs fewer clicks {goal} cannot be told: the mean "
            f"difference is {main.mean:+.2f} (95 % interval: {low:+.2f} to {high:+.2f})."
        )
    counts = (
        f"Of {comparison.objects} objects the first needs fewer clicks on {main.better}, as many "
        f"on {main.equal}, more on {main.worse}."
    )
    return [told, counts]


def _difference(figure: str, first: Values, second: Values, pictures: Sequence[str]) -> Difference:
    apart = first - second
    gain = -apart if figure.startswith("NoC") else apart
    return Difference(
        figure=figure,
        first=float(first.mean()),
        second=float(second.mean()),
        interval=bootstrap_interval(apart, pictures),
        better=int(np.count_nonzero(gain > 0)),
        equal=int(np.count_nonzero(gain == 0)),
        worse=int(np.count_nonzero(gain < 0)),
    )


def _order(first: ReportRow, second: ReportRow) -> list[int]:
    at = {found.id: number for number, found in enumerate(second.result.per_object)}
    return [at[found.id] for found in first.result.per_object]


def _check_same_objects(first: ReportRow, second: ReportRow) -> None:
    if first.result.dataset != second.result.dataset:
        raise InputError(
            f"The results are of different data sets, '{first.result.dataset}' and "
            f"'{second.result.dataset}'; needs two of the same objects."
        )
    if first.result.protocol != second.result.protocol:
        raise InputError(
            f"The results are of different protocols, '{first.result.protocol}' and "
            f"'{second.result.protocol}'; needs two of the same one."
        )
    if first.most != second.most:
        raise InputError(
            f"The results allow different numbers of clicks, {first.most} and {second.most}; needs "
            "as many in both."
        )
    own = {found.id for found in first.result.per_object}
    other = {found.id for found in second.result.per_object}
    if own != other:
        parts = [_lacking("second", own - other), _lacking("first", other - own)]
        raise InputError(
            f"The results are not of the same objects: {' and '.join(filter(None, parts))}; "
            "evaluate both with the same --subset and --limit."
        )


def _lacking(which: str, missing: set[str]) -> str:
    if not missing:
        return ""
    named = ", ".join(f"'{name}'" for name in sorted(missing)[:_NAMED])
    more = ", …" if len(missing) > _NAMED else ""
    return f"the {which} lacks {len(missing)} ({named}{more})"


def _notes(first: ReportRow, second: ReportRow) -> list[str]:
    one, other = first.result, second.result
    notes = []
    if first.rule != second.rule:
        notes.append(
            f"Clicked differently: {first.rule} and {second.rule}. The difference is that of the "
            "clicks as well."
        )
    if one.data_sha256 != other.data_sha256:
        notes.append("Measured on different files: the checksums of the data differ.")
    if one.fewclicks != other.fewclicks:
        notes.append(f"Measured with different versions: {one.fewclicks} and {other.fewclicks}.")
    early = [row.rule == "ritm" and not row.config.get("curve") for row in (one, other)]
    if any(early):
        notes.append(
            "Under rule ritm an object is done at IoU 0.95 and keeps its last IoU in mIoU@k, "
            "unless the whole curve was asked for."
        )
    return notes
