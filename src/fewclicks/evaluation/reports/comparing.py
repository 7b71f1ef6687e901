"""Comparing: two results, or two folders of them, pair by pair."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

from fewclicks.errors import InputError
from fewclicks.evaluation.figures.writing import inline_drawing, write_figure
from fewclicks.evaluation.reports import charts, sections
from fewclicks.evaluation.reports.markup import Node, cells, drawing, element, page, table
from fewclicks.evaluation.reports.paired import Comparison, Difference, compare_rows, in_words
from fewclicks.evaluation.reports.rows import ReportRow, name_row
from fewclicks.evaluation.reports.table import markdown_line, provenance
from fewclicks.evaluation.result import read_result
from fewclicks.files import write_text

FILES: Final = ("compare.html", "compare.md", "compare.csv")
BARS: Final = "difference"
_RESULT: Final = "result.json"
_COLUMNS: Final = (
    "data set",
    "figure",
    "first",
    "second",
    "difference",
    "low",
    "high",
    "better",
    "equal",
    "worse",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What two places came to.

    Parameters
    ----------
    comparisons
        One for each pair; one or more.
    alone
        Results of one side that the other has no partner for, as a person would name them.
    """

    comparisons: tuple[Comparison, ...]
    alone: tuple[str, ...]


def compare(first: Path, second: Path, *, target: int = 90) -> Compared:
    """Compare two results, or the results below two folders that are of the same data and rule.

    Parameters
    ----------
    first, second
        Each a ``result.json``, or a folder with such files in it or below it.
    target
        IoU in per cent.

    Raises
    ------
    InputError
        If a folder has no result or two of one data set and rule, no two results belong
        together, or two that do are not of the same objects.
    StorageError
        If a file cannot be read.
    """
    ours, theirs = _results(first), _results(second)
    alone: list[str] = []
    if len(ours) == len(theirs) == 1:
        pairs = [(ours[0], theirs[0])]
    else:
        by_place, others = _by_place(first, ours), _by_place(second, theirs)
        pairs = [(row, others[place]) for place, row in by_place.items() if place in others]
        alone = [
            f"{place} in {folder}"
            for folder, own, other in ((first, by_place, others), (second, others, by_place))
            for place in own
            if place not in other
        ]
    if not pairs:
        raise InputError(
            f"No result in {first} has its like in {second}; needs two of one data set and rule. "
            f"There are: {'; '.join(alone)}."
        )
    named = [_told_apart(pair, (first, second)) for pair in pairs]
    found = [compare_rows(one, other, target=target) for one, other in named]
    return Compared(comparisons=tuple(found), alone=tuple(alone))


def write_comparison(compared: Compared, out: Path) -> list[Path]:
    """Write ``compare.html``, ``.md``, ``.csv`` and the difference bars; say where."""
    paths = [out / name for name in FILES]
    whole = comparison_page(compared)
    bars = write_figure(out / BARS, charts.difference_bars(compared.comparisons))
    for path, text in zip(
        paths, (whole, _markdown(compared), _comma_separated(compared)), strict=True
    ):
        write_text(path, text)
    return [*paths, *bars]


def as_content(compared: Compared) -> dict[str, Any]:
    """Give what a program may read."""
    return {
        "pairs": [
            {
                "first": each.first.method,
                "second": each.second.method,
                "dataset": each.first.dataset,
                "rules": [each.first.rule, each.second.rule],
                "objects": each.objects,
                "target": each.target,
                "differences": [_content(found) for found in each.differences],
                "in_words": in_words(each),
                "notes": list(each.notes),
            }
            for each in compared.comparisons
        ],
        "alone": list(compared.alone),
    }


def comparison_page(compared: Compared) -> str:
    """Put the page together."""
    comparisons = compared.comparisons
    first, second = comparisons[0].first.method, comparisons[0].second.method
    bars = inline_drawing(
        charts.difference_bars(comparisons), "bars", says=f"{first} against {second}"
    )
    body: list[Node] = [
        element("h1", f"{first} against {second}"),
        element(
            "p",
            "Both were asked for the same objects, so that every object is compared with itself.",
            class_="lead",
        ),
        drawing(
            bars,
            "Mean difference in clicks, and in IoU after three; whiskers are 95 % intervals. Where "
            "they cross the line, "
            "the sign cannot be told.",
        ),
    ]
    for number, each in enumerate(comparisons):
        body += [
            element("h2", each.place, class_="together"),
            sections.verdict(each),
            _differences(each),
            sections.scatter_figure(f"pair{number}", each),
            element("ul", *_notes(each), class_="notes"),
        ]
    if compared.alone:
        body.append(
            element("p", f"Without a partner: {'; '.join(compared.alone)}.", class_="quiet")
        )
    return page(f"fewclicks: {first} against {second}", *body)


def _results(path: Path) -> list[tuple[Path, ReportRow]]:
    if not path.is_dir():
        return [(path, name_row(read_result(path)))]
    found = sorted(path.rglob(_RESULT))
    if not found:
        raise InputError(f"{path} holds no {_RESULT}; needs one, or a folder with some below it.")
    return [(each, name_row(read_result(each))) for each in found]


def _by_place(
    folder: Path, results: Sequence[tuple[Path, ReportRow]]
) -> dict[str, tuple[Path, ReportRow]]:
    places: dict[str, tuple[Path, ReportRow]] = {}
    for path, row in results:
        if row.place in places:
            raise InputError(
                f"{folder} holds two results on {row.place}: {places[row.place][0]} and {path}; "
                "needs one, so that it is clear which is meant."
            )
        places[row.place] = (path, row)
    return places


def _told_apart(
    pair: tuple[tuple[Path, ReportRow], tuple[Path, ReportRow]], given: tuple[Path, Path]
) -> tuple[ReportRow, ReportRow]:
    """Name two of one method after what was typed for them."""
    (_, first), (_, second) = pair
    if first.method != second.method or first.rule != second.rule:
        return first, second
    names = [(path if path.is_dir() else path.resolve().parent).name for path in given]
    if names[0] == names[1]:
        names = [str(path) for path in given]
    named = [
        replace(row, method=f"{row.method} [{name}]")
        for row, name in zip((first, second), names, strict=True)
    ]
    return named[0], named[1]


def _content(found: Difference) -> dict[str, Any]:
    return {
        "figure": found.figure,
        "first": found.first,
        "second": found.second,
        "difference": found.mean,
        "low": found.interval.low,
        "high": found.interval.high,
        "better": found.better,
        "equal": found.equal,
        "worse": found.worse,
    }


def _cells(each: Comparison, found: Difference) -> list[str]:
    digits = 2 if found.is_clicks else 3
    apart = (found.mean, found.interval.low, found.interval.high)
    return [
        each.place,
        found.figure,
        *(f"{value:.{digits}f}" for value in (found.first, found.second)),
        *(f"{value:+.{digits}f}" for value in apart),
        *(str(count) for count in (found.better, found.equal, found.worse)),
    ]


def _differences(each: Comparison) -> Element:
    titles = ("figure", each.first.method, each.second.method, *_COLUMNS[4:])
    return table(titles, [cells(_cells(each, found)[1:]) for found in each.differences])


def _notes(each: Comparison) -> list[Element]:
    told = [*each.notes, provenance(each.first), provenance(each.second)]
    return [element("li", note) for note in told]


def _markdown(compared: Compared) -> str:
    one = compared.comparisons[0]
    lines = [f"# {one.first.method} against {one.second.method}"]
    for each in compared.comparisons:
        lines += ["", f"## {each.place}", "", *in_words(each), ""]
        lines += [markdown_line(_COLUMNS[1:]), markdown_line(["---", *["---:"] * 8])]
        lines += [markdown_line(_cells(each, found)[1:]) for found in each.differences]
        for note in each.notes:
            lines += ["", note]
    lines += ["", f"![Mean difference in clicks, and in IoU after three]({BARS}.png)"]
    if compared.alone:
        lines += ["", f"Without a partner: {'; '.join(compared.alone)}."]
    return "\n".join(lines) + "\n"


def _comma_separated(compared: Compared) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in compared.comparisons:
        writer.writerows(_cells(each, found) for found in each.differences)
    return text.getvalue()
