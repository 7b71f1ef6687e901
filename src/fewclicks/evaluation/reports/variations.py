"""Variations: results of one method that differ in how was clicked, or in a number that was set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fewclicks.evaluation.reports.rows import ReportRow

_LEAST_VALUES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickPlaces:
    """One method on the same objects, clicked in different ways.

    Parameters
    ----------
    title
        Names the method and the data set.
    rows
        Centre clicks first, then random ones, then by jitter; two or more.
    """

    title: str
    rows: tuple[ReportRow, ...]

    def names(self) -> list[str]:
        """Say of each row how was clicked, in words."""
        return [place_of_click(row) for row in self.rows]


@dataclass(frozen=True, kw_only=True, slots=True)
class Degradation:
    """Methods on one data set, each with several values of one number.

    Parameters
    ----------
    setting
        Which number: ``jitter``, ``settings.radius`` and so on.
    dataset
        With the part of it, and the rule.
    lines
        By method, rows with their values, ascending.
    """

    setting: str
    dataset: str
    lines: dict[str, tuple[tuple[float, ReportRow], ...]]


def place_of_click(row: ReportRow) -> str:
    """Say in words where a row's clicks lie.

    Centre clicks of rule ``m2n2`` are called so, as they are not those of ``ritm``.
    """
    result = row.result
    jitter = result.config.get("jitter")
    place = {"ritm": "centre", "m2n2": "centre of both errors", "random": "random"}[result.rule]
    return f"{place}, jittered by {jitter:g} px" if jitter else place


def click_places(rows: Sequence[ReportRow]) -> list[ClickPlaces]:
    """Find results that differ in rule and jitter alone, and are of the same objects."""
    groups: dict[Any, list[ReportRow]] = defaultdict(list)
    for row in rows:
        objects = tuple(sorted(found.id for found in row.result.per_object))
        setup = tuple((key, repr(each)) for key, each in sorted(row.setup().items()))
        groups[row.dataset, row.result.protocol, row.most, setup, objects].append(row)
    return [
        ClickPlaces(title=f"{found[0].method} on {found[0].dataset}", rows=tuple(found))
        for group in groups.values()
        if len(found := _in_order(group)) > 1
    ]


def degradations(rows: Sequence[ReportRow]) -> list[Degradation]:
    """Find methods that were measured with three values or more of one number, all else alike."""
    found: dict[tuple[str, str], dict[str, tuple[tuple[float, ReportRow], ...]]] = {}
    flat = [_choices(row) for row in rows]
    for setting in dict.fromkeys(key for choices in flat for key in choices):
        groups: dict[Any, dict[float, ReportRow]] = defaultdict(dict)
        for row, choices in zip(rows, flat, strict=True):
            value = choices.get(setting)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                others = {key: each for key, each in choices.items() if key != setting}
                groups[repr(sorted(others.items()))].setdefault(float(value), row)
        for group in groups.values():
            if len(group) >= _LEAST_VALUES:
                values = tuple(sorted(group.items(), key=lambda pair: pair[0]))
                row = values[0][1]
                where = f"{row.dataset}, rule {row.result.rule}"
                lines = found.setdefault((setting, where), {})
                lines[_unused(row.method, lines)] = values
    return [
        Degradation(setting=setting, dataset=where, lines=lines)
        for (setting, where), lines in found.items()
    ]


def _choices(row: ReportRow) -> dict[str, Any]:
    result = row.result
    return {
        **row.setup(),
        "dataset": row.dataset,
        "rule": result.rule,
        "protocol": result.protocol,
        "most": str(row.most),
        "jitter": float(result.config.get("jitter") or 0.0),
    }


def _in_order(group: Sequence[ReportRow]) -> list[ReportRow]:
    """Put ways of clicking in order, the first result of each; seeds are not told apart."""
    rules = ("ritm", "m2n2", "random")
    by_way: dict[tuple[float, int], ReportRow] = {}
    for row in group:
        jitter = float(row.result.config.get("jitter") or 0.0)
        by_way.setdefault((jitter, rules.index(row.result.rule)), row)
    return [by_way[way] for way in sorted(by_way)]


def _unused(name: str, taken: dict[str, Any]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused
