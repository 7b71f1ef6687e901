"""Sections of the page: each data set and rule, the place of a click, disturbed settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from fewclicks.errors import InputError
from fewclicks.evaluation.figures.style import COLOURS
from fewclicks.evaluation.figures.writing import inline_drawing
from fewclicks.evaluation.reports import charts
from fewclicks.evaluation.reports.markup import (
    Node,
    cells,
    drawing,
    element,
    group,
    photograph,
    table,
)
from fewclicks.evaluation.reports.paired import Comparison, compare_rows, in_words
from fewclicks.evaluation.reports.rows import ReportRow
from fewclicks.evaluation.reports.strips import Tile
from fewclicks.evaluation.reports.table import (
    COLUMNS,
    LARGER_IS_BETTER,
    SMALLER_IS_BETTER,
    TEXT_COLUMNS,
    Line,
    columns_of,
    lines_of,
)
from fewclicks.evaluation.reports.variations import ClickPlaces, Degradation

_PRINTED: Final = tuple(each for each in COLUMNS if each in SMALLER_IS_BETTER | LARGER_IS_BETTER)
_SCATTERS: Final = 3


def score_table(group_of_rows: Sequence[ReportRow]) -> Element:
    """Give our rows with their intervals, the best of each column bold."""
    lines = [line for line in lines_of(group_of_rows) if line.published is None]
    columns = columns_of(group_of_rows)
    titles = (columns[0], *columns[TEXT_COLUMNS:])
    best = _best(lines, titles)
    rows = []
    for number, line in enumerate(lines):
        contents: list[Node] = [_keyed(line.cells[0], number)]
        for title in titles[1:]:
            figure = line.figure(title)
            shown: Node = element("strong", figure) if best.get(title) == figure else figure
            if title == "NoC@90" and line.interval is not None:
                ends = f"{line.interval.low:.2f}–{line.interval.high:.2f}"
                shown = _with_small(shown, ends)
            contents.append(shown)
        rows.append(cells(contents))
    return table(titles, rows)


def published_table(group_of_rows: Sequence[ReportRow]) -> list[Element]:
    """Set our rows among those that papers print, by NoC@90; nothing where none is printed."""
    lines = lines_of(group_of_rows)
    printed = [line for line in lines if line.published is not None]
    figures = [each for each in _PRINTED if any(line.figure(each) for line in printed)]
    if not printed:
        return []
    rows = []
    for line in sorted(lines, key=lambda line: float(line.figure("NoC@90") or "inf")):
        of = line.published
        said = ["", "", "measured here"] if of is None else [of.backbone, of.training_data]
        if of is not None:
            said.append(of.read_at)
        name = line.cells[0] if of is None else f"{of.method} {of.variant}".strip()
        contents = [name, *said, *(line.figure(each) for each in figures)]
        rows.append(cells(contents, text_columns=4, class_="ours" if of is None else ""))
    row = group_of_rows[0]
    titles = ["method", "backbone", "trained on", "read in", *figures]
    explained = (
        f"Rows of papers for {row.result.dataset} under rule {row.result.rule}, by NoC@90, ours "
        "among them. Where two papers print a method differently, both stand here."
    )
    return [
        element("h3", "Beside what papers print"),
        element("p", explained, class_="quiet"),
        group(table(titles, rows, text_columns=4), class_="published"),
    ]


def curve_figure(name: str, title: str, rows: Mapping[str, ReportRow]) -> Element:
    """Draw IoU per click with bands, and say how to read it."""
    figure = charts.curves("", rows)
    return drawing(
        inline_drawing(figure, name, says=f"Mean IoU after each click: {title}"),
        "Mean IoU after each click. A curve that is higher, and further to the left, is the better "
        "one. The bands hold 95 % of the means that other draws of as many pictures would give.",
    )


def histogram_figure(name: str, title: str, rows: Sequence[ReportRow]) -> Element:
    """Draw how many objects needed how many clicks."""
    figure = charts.histograms("", rows)
    return drawing(
        inline_drawing(figure, name, says=f"Objects by clicks to IoU 90 %: {title}"),
        "Objects by the clicks that they needed to IoU 90 %. The pale bar to the right are those "
        "that never came there; NoC counts them as the most clicks allowed.",
    )


def pair_figures(name: str, rows: Sequence[ReportRow]) -> list[Element]:
    """Set the first method beside each of the next ones, object by object."""
    found = []
    for number, other in enumerate(rows[1 : 1 + _SCATTERS]):
        try:
            comparison = compare_rows(rows[0], other)
        except InputError as error:
            found.append(element("p", f"{rows[0].method} and {other.method}: {error}"))
            continue
        title = f"{rows[0].method} and {other.method}, object by object"
        found += [
            element("h3", title),
            verdict(comparison),
            scatter_figure(f"{name}-pair{number}", comparison),
        ]
    return found


def verdict(comparison: Comparison) -> Element:
    """Say in words who needs fewer clicks."""
    return element("p", " ".join(in_words(comparison)), class_="verdict")


def scatter_figure(name: str, comparison: Comparison) -> Element:
    """Draw each object by what it cost the two methods."""
    scatter = charts.scatter(comparison)
    first, second = comparison.first.method, comparison.second.method
    drawn = inline_drawing(
        scatter.figure,
        name,
        says=f"Each object under {first} and {second}",
        hints=scatter.names,
    )
    return drawing(
        drawn,
        f"Each dot is an object; a larger dot to the left is several. Dots in the colour of "
        f"{first} are those on which it is the better one; on the grey line both are equal. Names "
        "come up under the pointer.",
    )


def case_strips(
    title: str, cases: Sequence[tuple[str, Sequence[Tile]]], *, explained: str
) -> list[Element]:
    """Show cases click by click; each has its name and its tiles."""
    if not cases:
        return []
    shown = []
    for name, tiles in cases:
        figures = [
            element(
                "figure",
                photograph(tile.picture, says=f"{name}: {tile.caption}"),
                element("figcaption", tile.caption),
            )
            for tile in tiles
        ]
        shown.append(group(element("p", name), group(figures, class_="strip"), class_="case"))
    return [element("h3", title), element("p", explained, class_="quiet"), *shown]


def click_places_section(name: str, found: ClickPlaces) -> list[Element]:
    """Show one method under centre, random and jittered clicks."""
    by_name = dict(zip(found.names(), found.rows, strict=True))
    titles = ("clicks", "NoC@85", "NoC@90", "more clicks", "NoF@90", "mIoU@1", "mIoU@5")
    lines = []
    for number, (way, row) in enumerate(by_name.items()):
        result = row.result
        lines.append(
            cells(
                [
                    _keyed(way, number),
                    f"{result.noc['85']:.2f}",
                    f"{result.noc['90']:.2f}",
                    _against_centre(found.rows[0], row),
                    str(result.nof["90"]),
                    *(f"{result.miou[k]:.3f}" if k in result.miou else "" for k in ("1", "5")),
                ]
            )
        )
    return [
        element("h3", found.title),
        table(titles, lines),
        curve_figure(name, found.title, by_name),
    ]


def degradation_figure(name: str, found: Degradation) -> Element:
    """Draw NoC over a number that was disturbed."""
    figure = charts.degradation_curve(found)
    return drawing(
        inline_drawing(figure, name, says=f"NoC@90 over {found.setting}"),
        f"NoC@90 as {found.setting} varies and nothing else does; whiskers are 95 % intervals. A "
        "flat line does not mind.",
    )


def _against_centre(centre: ReportRow, row: ReportRow) -> Node:
    """Give the mean difference in NoC@90 with its interval."""
    if row is centre:
        return "–"
    found = compare_rows(row, centre).main
    interval = f"{found.interval.low:+.2f} to {found.interval.high:+.2f}"
    return _with_small(f"{found.mean:+.2f}", interval)


def _best(lines: Sequence[Line], titles: Sequence[str]) -> dict[str, str]:
    """Find the best figure of each column that has a better and a worse."""
    best: dict[str, str] = {}
    for title in titles:
        found = [figure for line in lines if (figure := line.figure(title))]
        if len(set(found)) > 1:
            if title in SMALLER_IS_BETTER:
                best[title] = min(found, key=float)
            elif title in LARGER_IS_BETTER:
                best[title] = max(found, key=float)
    return best


def _keyed(name: str, number: int) -> Element:
    key = element("span", class_=f"key key-{number % len(COLOURS)}")
    return element("span", key, name)


def _with_small(content: Node, below: str) -> Element:
    return element("span", content, element("small", below))
