"""Report: several results as a page that stands alone, as Markdown and as CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element

from fewclicks.datasets.registry import find_dataset
from fewclicks.errors import FewclicksError
from fewclicks.evaluation.figures.writing import write_figure
from fewclicks.evaluation.reports import charts, sections
from fewclicks.evaluation.reports.cases import Case, choose_cases, replay
from fewclicks.evaluation.reports.markup import Node, cells, element, page, table
from fewclicks.evaluation.reports.rows import ReportRow, by_place, name_rows
from fewclicks.evaluation.reports.strips import Tile, draw_strip
from fewclicks.evaluation.reports.table import (
    comma_separated,
    markdown,
    notes,
    provenance,
    warnings,
)
from fewclicks.evaluation.reports.variations import click_places, degradations
from fewclicks.evaluation.result import read_result
from fewclicks.files import write_text

PAGE: Final = "report.html"
TABLES: Final = ("report.md", "report.csv")

Watcher: TypeAlias = Callable[[int, int], None]
"""Told how many cases are drawn, and of how many."""

_CENTRE: Final = (
    "People do not click centres. Here the same method meets the same objects, clicked at the "
    "deepest point of the error, anywhere in it, or beside the point aimed at. More clicks: mean "
    "difference to the first row in NoC@90, with its 95 % interval, paired by object."
)
_CASES: Final = (
    "What was meant in orange, the answer in blue; green clicks belong to the object, red square "
    "ones do not. Small objects are shown with their surroundings alone."
)


def write_report(
    paths: Sequence[Path],
    out: Path,
    *,
    data: str | None = None,
    cases: int = 3,
    watch: Watcher = lambda _done, _total: None,
) -> list[Path]:
    """Write ``report.html``, ``report.md``, ``report.csv`` and, for each place, a plot.

    Parameters
    ----------
    paths
        Of ``result.json`` files.
    out
        Folder for the report.
    data
        Folder of data sets, where the best and the worst cases are to be shown: they are clicked
        again with the result's own method. None leaves out those of data sets with a folder.
    cases
        How many of the best, and how many of the worst, for each result.
    watch
        Called as cases are clicked.

    Returns
    -------
    list of Path
        What was written, the page first.

    Raises
    ------
    InputError, StorageError
        If a file is no result, or cannot be read or written; then nothing is written.
    """
    rows = name_rows([(path, read_result(path)) for path in paths])
    shown = _Cases(rows, data, cases, watch)
    whole = report_page(rows, shown.of)

    written: list[Path] = []
    plots: dict[str, str] = {}
    for place, group in by_place(rows).items():
        plots[place] = "iou_per_click_" + _slug(place)
        figure = charts.curves(place, {row.method: row for row in group})
        written += write_figure(out / plots[place], figure)
    files = out / PAGE, out / TABLES[0], out / TABLES[1]
    for path, text in zip(
        files, (whole, markdown(rows, plots), comma_separated(rows)), strict=True
    ):
        write_text(path, text)
    return [*files, *written]


def report_page(rows: Sequence[ReportRow], cases_of: Callable[[ReportRow], list[Element]]) -> str:
    """Put the page together; `cases_of` gives a result's best and worst cases."""
    places = by_place(rows)
    body: list[Node] = []
    entries: list[tuple[str, str]] = []
    if len(places) > 1:
        body += [element("h2", "At a glance", id="glance", class_="together"), _glance(places)]
        entries.append(("glance", "At a glance"))
    for number, (place, group) in enumerate(places.items()):
        name = f"place{number}"
        entries.append((name, place))
        body += [element("h2", place, id=name), *_place(name, place, group)]
        for row in group:
            body += cases_of(row)
    for title, name, content in (
        ("How much the place of a click matters", "clicks", _click_places(rows)),
        ("What disturbs, and how much", "disturbed", _degradations(rows)),
    ):
        if content:
            entries.append((name, title))
            body += [element("h2", title, id=name), *content]
    entries.append(("measured", "How it was measured"))
    body += [element("h2", "How it was measured", id="measured"), *_measured(rows)]
    return page("fewclicks: results", *_opening(rows, entries), *body)


class _Cases:
    """Strips of each result's cases, or one line that says why there are none."""

    def __init__(
        self, rows: Sequence[ReportRow], data: str | None, count: int, watch: Watcher
    ) -> None:
        self._data, self._count, self._watch = data, count, watch
        self._done = 0
        self._total = sum(sum(map(len, choose_cases(row, count))) for row in rows)

    def of(self, row: ReportRow) -> list[Element]:
        """Click a result's cases again and show them."""
        if self._count < 1:
            return []
        title = f"Worst and best of {row.method}"
        worst, best = choose_cases(row, self._count)
        tiles: list[tuple[str, list[Tile]]] = []
        try:
            if self._data is None and find_dataset(row.result.dataset).needs_folder:
                why = "To see them click by click, pass --data with the folder of data sets."
                return [element("h3", title), element("p", why, class_="quiet")]
            for case in replay(row, [*worst, *best], self._data):
                self._watch(self._done, self._total)
                tiles.append((_name(row, case), draw_strip(case)))
                self._done += 1
        except FewclicksError as error:
            why = f"They cannot be clicked again here: {error}"
            return [element("h3", title), element("p", why, class_="quiet")]
        return [
            *sections.case_strips(f"Worst of {row.method}", tiles[: len(worst)], explained=_CASES),
            *sections.case_strips(f"Best of {row.method}", tiles[len(worst) :], explained=""),
        ]


def _name(row: ReportRow, case: Case) -> str:
    """Name a case, with what it came to; say so where it came to something else this time."""
    (needed,) = [
        clicks
        for clicks, found in zip(row.needed(90), row.result.per_object, strict=True)
        if found.id == case.found.id
    ]
    told = "never reached IoU 90 %" if needed is None else f"IoU 90 % at click {needed}"
    name = f"{case.found.id}: {told}"
    if case.is_as_stored:
        return name
    return (
        f"{name}. Clicked again it differs from the result, whose last IoU is "
        f"{case.found.ious[-1]:.2f}: another version, other weights or other data."
    )


def _opening(rows: Sequence[ReportRow], entries: Sequence[tuple[str, str]]) -> list[Node]:
    count = len(rows)
    objects = sum(row.result.objects for row in rows)
    lead = (
        f"{count} result{'s' * (count != 1)}, {objects} objects clicked. Fewer clicks are better; "
        "figures compare within a data set and a rule only."
    )
    links = [element("li", element("a", title, href=f"#{name}")) for name, title in entries]
    return [
        element("h1", "Results"),
        element("p", lead, class_="lead"),
        element("nav", element("ul", *links), aria_label="Contents"),
    ]


def _glance(places: Mapping[str, Sequence[ReportRow]]) -> Element:
    """NoC@90 of every method in every place."""
    methods = dict.fromkeys(row.method for group in places.values() for row in group)
    lines = []
    for place, group in places.items():
        found = {row.method: f"{row.result.noc['90']:.2f}" for row in group}
        lines.append(cells([place, *(found.get(method, "") for method in methods)]))
    return table(["NoC@90", *methods], lines)


def _place(name: str, place: str, group: Sequence[ReportRow]) -> list[Element]:
    by_name = {row.method: row for row in group}
    return [
        sections.score_table(group),
        sections.curve_figure(f"{name}-curves", place, by_name),
        sections.histogram_figure(f"{name}-histogram", place, group),
        *sections.pair_figures(name, group),
        *sections.published_table(group),
    ]


def _click_places(rows: Sequence[ReportRow]) -> list[Element]:
    found = [
        each
        for number, way in enumerate(click_places(rows))
        for each in sections.click_places_section(f"clicks{number}", way)
    ]
    return [element("p", _CENTRE), *found] if found else []


def _degradations(rows: Sequence[ReportRow]) -> list[Element]:
    return [
        sections.degradation_figure(f"disturbed{number}", found)
        for number, found in enumerate(degradations(rows))
    ]


def _measured(rows: Sequence[ReportRow]) -> list[Element]:
    warned = warnings(rows)
    said = [element("li", note, class_="warning" if note in warned else "") for note in notes(rows)]
    runs = [element("li", provenance(row)) for row in rows]
    interval = (
        "Intervals and bands are 95 % percentile bootstraps over pictures, each with all its "
        "objects: 10,000 draws for intervals, 2,000 for bands, seed 0."
    )
    return [element("ul", *said, element("li", interval), *runs, class_="notes")]


def _slug(place: str) -> str:
    return re.sub(r"\W+", "_", place.replace("rule ", ""))
