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
from fewclicks.evaluation.result import Result
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
    "NoC@85 an object",
    "NoC@90 an object",
    "NoFI@85",
    "NoFI@90",
    "mIoU1+",
    "mIoU5+",
    "mIoU10+",
    "s/picture",
    "s/click",
)
TEXT_COLUMNS: Final = 3
_OF_KINDS: Final = COLUMNS[COLUMNS.index("NoC@85 an object") : COLUMNS.index("s/picture")]
_IOUS: Final = frozenset(title for title in COLUMNS if title.startswith("mIoU"))
SMALLER_IS_BETTER: Final = frozenset(COLUMNS[TEXT_COLUMNS + 1 : -2]) - _IOUS
LARGER_IS_BETTER: Final = _IOUS
_WORDS: Final = (
    "NoC: mean clicks to reach an IoU in per cent; NoF: objects that never reach it. Rows compare "
    "only where the rule is the same."
)
_WORDS_OF_KINDS: Final = (
    "Protocols collective and additional: NoC takes all objects of a category as one target; NoC "
    "an object is the mean over objects, which are clicked one by one where there is no exemplar; "
    "NoFI: pictures with a target that is never reached. Papers do not say how they average: their "
    "NoC of methods without an exemplar compares with NoC an object."
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


def columns_of(rows: Sequence[ReportRow]) -> tuple[str, ...]:
    """Choose the columns that any of the rows can have a figure in."""
    if any(row.result.kinds is not None for row in rows):
        return COLUMNS
    return tuple(title for title in COLUMNS if title not in _OF_KINDS)


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
    columns = columns_of(rows)
    align = ["---"] * TEXT_COLUMNS + ["---:"] * (len(columns) - TEXT_COLUMNS)
    named = [_named(line, columns) for line in _all_lines(rows)]
    lines = ["# Results", ""]
    lines += [markdown_line(cells) for cells in (columns, align, *named)]
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
    columns = columns_of(rows)
    writer.writerow([*columns, *_ENDS])
    for line in _all_lines(rows):
        ends = ("", "")
        if line.interval is not None:
            ends = (f"{line.interval.low:.2f}", f"{line.interval.high:.2f}")
        writer.writerow([*_named(line, columns), *ends])
    return text.getvalue()


def markdown_line(cells: Sequence[str]) -> str:
    """Write one line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def notes(rows: Sequence[ReportRow]) -> list[str]:
    """Say what a reader must know, warnings last."""
    said = [_WORDS]
    if any(row.result.kinds is not None for row in rows):
        said.append(_WORDS_OF_KINDS)
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


def _named(line: Line, columns: Sequence[str]) -> tuple[str, ...]:
    """Give a line's cells; a published row is named so in a table that has all kinds of rows."""
    name, *cells = map(line.figure, columns)
    if line.published is not None:
        name = f"{name}, published ({line.published.read_at})"
    return name, *cells


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
        *_of_kinds(result),
        f"{result.seconds.prepare:.3f}",
        f"{result.seconds.per_click:.3f}",
    )


def _of_kinds(result: Result) -> list[str]:
    kinds = result.kinds
    if kinds is None:
        return [""] * len(_OF_KINDS)
    return [
        *(f"{kinds.noc_mean[target]:.2f}" for target in ("85", "90")),
        *(str(result.nofi[target]) for target in ("85", "90")),
        *(f"{kinds.miou_plus[further]:.3f}" for further in ("1", "5", "10")),
    ]


def _interval(row: ReportRow) -> Interval:
    return bootstrap_interval(row.clicks(90), row.pictures)


def _published(row: PublishedRow) -> tuple[str, ...]:
    noc = [f"{row.noc[target]:.2f}" if target in row.noc else "" for target in _TARGETS]
    nof = [row.scores.get(name) for name in ("nof90", "nofi85", "nofi90")]
    ious = [row.scores.get(name) for name in ("miou1", "miou5", "plus1", "plus5", "plus10")]
    failed = ["" if each is None else f"{each:.0f}" for each in nof]
    met = ["" if each is None else f"{each:.3f}" for each in ious]
    return (
        row.label,
        row.dataset,
        row.rule,
        "",
        *noc,
        *failed[:1],
        *met[:2],
        *("", ""),  # no paper says that it averages over objects
        *failed[1:],
        *met[2:],
        *("", ""),
    )
