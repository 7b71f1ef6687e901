"""The table of a report: our rows beside those that papers print, as text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fewclicks.evaluation.published import PublishedRow, published_rows
from fewclicks.evaluation.reports.resampling import Interval, bootstrap_interval
from fewclicks.evaluation.reports.rows import ReportRow, by_place
from fewclicks.evaluation.scores import TARGETS, USUAL_CLICKS

COLUMNS: Final = (
    "method",
    "data set",
    "rule",
    "objects",
    "NoC@80",
    "NoC@85",
    "NoC@90",
    "NoC@95",
    "NoF@90",
    "mIoU@1",
    "mIoU@5",
    "s/picture",
    "s/click",
)
TEXT_COLUMNS: Final = 3
SMALLER_IS_BETTER: Final = frozenset({"NoC@80", "NoC@85", "NoC@90", "NoC@95", "NoF@90"})
LARGER_IS_BETTER: Final = frozenset({"mIoU@1", "mIoU@5"})
_WORDS: Final = (
    "NoC: mean clicks to reach an IoU in per cent; NoF: objects that never reach it. Rows compare "
    "only where the rule is the same."
)
_ENDS: Final = ("NoC@90 low", "NoC@90 high")
_TARGETS: Final = tuple(str(target) for target in TARGETS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of the table.

    Parameters
    ----------
    cells
        One for each of `COLUMNS`; empty where nothing is known.
    published
        What a paper prints; None for our own rows.
    interval
        Of our NoC@90.
    """

    cells: tuple[str, ...]
    published: PublishedRow | None = None
    interval: Interval | None = None

    def figure(self, title: str) -> str:
        """Give the cell of a column."""
        return self.cells[COLUMNS.index(title)]


def lines_of(group: Sequence[ReportRow]) -> list[Line]:
    """Give the lines of rows that compare: ours, then those published for data set and rule."""
    lines = [Line(cells=_own(row), interval=_interval(row)) for row in group]
    of = group[0].result
    if of.config.get("jitter") or group[0].most != USUAL_CLICKS:
        return lines  # nobody prints such rows
    return lines + [
        Line(cells=_published(row), published=row)
        for row in published_rows(of.dataset, of.rule, protocol=of.protocol)
    ]


def markdown(rows: Sequence[ReportRow], plots: Mapping[str, str]) -> str:
    """Write the report as Markdown; `plots` are files without ending, by place."""
    align = ["---"] * TEXT_COLUMNS + ["---:"] * (len(COLUMNS) - TEXT_COLUMNS)
    lines = ["# Results", ""]
    lines += [markdown_line(cells) for cells in (COLUMNS, align, *map(_named, _all_lines(rows)))]
    for note in notes(rows):
        lines += ["", f"**{note}**" if note in warnings(rows) else note]
    for place, name in plots.items():
        lines += ["", f"## {place}", "", f"![Mean IoU after each click: {place}]({name}.png)"]
    lines += ["", "## How it was measured", ""]
    lines += [f"- {provenance(row)}" for row in rows]
    return "\n".join(lines) + "\n"


def comma_separated(rows: Sequence[ReportRow]) -> str:
    """Write the table as CSV, with the ends of the interval of NoC@90."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *_ENDS])
    for line in _all_lines(rows):
        ends = ("", "")
        if line.interval is not None:
            ends = (f"{line.interval.low:.2f}", f"{line.interval.high:.2f}")
        writer.writerow([*_named(line), *ends])
    return text.getvalue()


def markdown_line(cells: Sequence[str]) -> str:
    """Write one line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def notes(rows: Sequence[ReportRow]) -> list[str]:
    """Say what a reader must know, warnings last."""
    said = [_WORDS]
    if any(row.is_partial and row.result.protocol == "noc" for row in rows):
        said.append("Published rows are of whole data sets, whatever part of them was measured.")
    if any(row.result.rule == "ritm" and not row.result.config.get("curve") for row in rows):
        said.append(
            f"Under rule ritm an object is done at IoU {max(TARGETS) / 100} and keeps its last "
            "IoU in mIoU@k, unless the whole curve was asked for."
        )
    return [*said, *warnings(rows)]


def warnings(rows: Sequence[ReportRow]) -> list[str]:
    """Say where rows do not compare although their names agree."""
    return [
        f"{place}: these rows were measured on different files."
        for place, group in by_place(rows).items()
        if len({row.result.data_sha256 for row in group}) > 1
    ]


def provenance(row: ReportRow) -> str:
    """Say with what a row was measured."""
    result, machine = row.result, row.result.machine
    return (
        f"{row.method} on {row.place}: fewclicks {result.fewclicks}, data "
        f"{result.data_sha256[:12]}, {machine.get('cpu', 'unknown processor')}, workers "
        f"{machine.get('workers', '?')}, threads {machine.get('threads', '?')}"
    )


def _all_lines(rows: Sequence[ReportRow]) -> Iterator[Line]:
    for group in by_place(rows).values():
        yield from lines_of(group)


def _named(line: Line) -> tuple[str, ...]:
    """Name a published row so in a table that has all kinds of rows."""
    if line.published is None:
        return line.cells
    return f"{line.cells[0]}, published ({line.published.read_at})", *line.cells[1:]


def _own(row: ReportRow) -> tuple[str, ...]:
    result = row.result
    return (
        row.method,
        row.dataset,
        row.rule,
        str(result.objects),
        *(f"{result.noc[target]:.2f}" for target in _TARGETS),
        str(result.nof["90"]),
        *(f"{result.miou[k]:.3f}" if k in result.miou else "" for k in ("1", "5")),
        f"{result.seconds.prepare:.3f}",
        f"{result.seconds.per_click:.3f}",
    )


def _interval(row: ReportRow) -> Interval:
    return bootstrap_interval(row.clicks(90), row.pictures)


def _published(row: PublishedRow) -> tuple[str, ...]:
    noc = [f"{row.noc[target]:.2f}" if target in row.noc else "" for target in _TARGETS]
    nof, ious = row.scores.get("nof90"), [row.scores.get(f"miou{k}") for k in (1, 5)]
    return (
        row.label,
        row.dataset,
        row.rule,
        "",
        *noc,
        "" if nof is None else f"{nof:.0f}",
        *("" if each is None else f"{each:.3f}" for each in ious),
        "",
        "",
    )
