"""Report: several results in one table, beside what papers print, and their curves."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fewclicks.errors import InputError
from fewclicks.evaluation.published import PublishedRow, published_rows
from fewclicks.evaluation.result import Result, read_result
from fewclicks.evaluation.scores import TARGETS, USUAL_CLICKS
from fewclicks.files import write_text

_COLUMNS: Final = (
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
_TEXT_COLUMNS: Final = 3
_TARGETS: Final = tuple(str(target) for target in TARGETS)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A result, and what the report calls it; rows compare where data set and rule agree."""

    method: str
    dataset: str
    rule: str
    result: Result

    @property
    def place(self) -> str:
        return f"{self.dataset}, rule {self.rule}"


def write_report(paths: Sequence[Path], out: Path) -> list[Path]:
    """Write ``report.md``, ``report.csv`` and, for each data set and rule, a plot.

    Parameters
    ----------
    paths
        Of ``result.json`` files.
    out
        Folder for the report.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError, StorageError
        If a file is no result, or cannot be read or written; then nothing is written.
    """
    rows = _rows([(path, read_result(path)) for path in paths])
    from fewclicks.evaluation.curves import draw_curves, write_figure

    written: list[Path] = []
    plots: dict[str, str] = {}
    for place, group in _by_place(rows).items():
        plots[place] = "iou_per_click_" + re.sub(r"\W+", "_", place.replace("rule ", ""))
        figure = draw_curves(place, {row.method: row.result for row in group})
        written += write_figure(out / plots[place], figure)
    table = out / "report.md", out / "report.csv"
    write_text(table[0], _markdown(rows, plots))
    write_text(table[1], _csv(rows))
    return [*table, *written]


def _rows(found: Sequence[tuple[Path, Result]]) -> list[_Row]:
    """Name each result after its method; after its folder as well where that is not enough."""
    if not found:
        raise InputError("There is no result to report; needs one result.json or more.")
    plain = [_row(_method(result), result) for _, result in found]
    names = Counter((row.place, row.method) for row in plain)
    rows = [
        row
        if names[row.place, row.method] == 1
        else replace(row, method=f"{row.method} [{path.resolve().parent.name}]")
        for row, (path, _) in zip(plain, found, strict=True)
    ]
    for (place, name), count in Counter((row.place, row.method) for row in rows).items():
        if count > 1:
            raise InputError(
                f"{count} results on {place} are called '{name}'; give each once, from folders "
                "of different names."
            )
    return rows


def _method(result: Result) -> str:
    backbone = result.config.get("backbone")
    name = f"{result.method} ({backbone})" if backbone else result.method
    guided = [
        f"{result.config[key]} {key}" for key in ("reference", "exemplar") if key in result.config
    ]
    if result.config.get("initial_masks"):
        guided.append(f"masks {Path(result.config['initial_masks']).name}")
    return ", ".join([name, *guided])


def _row(method: str, result: Result) -> _Row:
    config = result.config
    subset, limit, jitter = config.get("subset"), config.get("limit"), config.get("jitter")
    most = len(result.miou)
    dataset = [
        result.dataset,
        Path(subset).stem if subset else "",
        f"first {limit}" if limit else "",
    ]
    rule = [
        result.rule,
        f"protocol {result.protocol}" if result.protocol != "noc" else "",
        f"jitter {jitter:g}" if jitter else "",
        f"at most {most}" if most != USUAL_CLICKS else "",
    ]
    return _Row(
        method=method,
        dataset=" ".join(filter(None, dataset)),
        rule=" ".join(filter(None, rule)),
        result=result,
    )


def _by_place(rows: Sequence[_Row]) -> dict[str, list[_Row]]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row.place, []).append(row)
    return groups


def _table(rows: Sequence[_Row]) -> Iterator[list[str]]:
    """Our rows, place by place, then those that papers print for the same data sets."""
    for group in _by_place(rows).values():
        yield from map(_own_cells, group)
    by_object = [row.result.dataset for row in rows if row.result.protocol == "noc"]
    for dataset in dict.fromkeys(by_object):
        yield from map(_published_cells, published_rows(dataset))


def _own_cells(row: _Row) -> list[str]:
    result = row.result
    return [
        row.method,
        row.dataset,
        row.rule,
        str(result.objects),
        *(f"{result.noc[target]:.2f}" for target in _TARGETS),
        str(result.nof["90"]),
        *(f"{result.miou[k]:.3f}" if k in result.miou else "" for k in ("1", "5")),
        f"{result.seconds.prepare:.3f}",
        f"{result.seconds.per_click:.3f}",
    ]


def _published_cells(row: PublishedRow) -> list[str]:
    noc = [f"{row.noc[target]:.2f}" if target in row.noc else "" for target in _TARGETS]
    first = [f"{row.method}, published ({row.source})", row.dataset, row.rule, "", *noc]
    return first + [""] * (len(_COLUMNS) - len(first))


def _csv(rows: Sequence[_Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_table(rows))
    return text.getvalue()


def _markdown(rows: Sequence[_Row], plots: Mapping[str, str]) -> str:
    align = ["---"] * _TEXT_COLUMNS + ["---:"] * (len(_COLUMNS) - _TEXT_COLUMNS)
    lines = ["# Results", ""]
    lines += [_line(cells) for cells in (_COLUMNS, align, *_table(rows))]
    for note in _notes(rows):
        lines += ["", note]
    for place, name in plots.items():
        lines += ["", f"## {place}", "", f"![Mean IoU after each click: {place}]({name}.png)"]
    lines += ["", "## How it was measured", "", *map(_provenance, rows)]
    return "\n".join(lines) + "\n"


def _notes(rows: Sequence[_Row]) -> Iterator[str]:
    yield (
        "NoC: mean clicks to reach an IoU in per cent; NoF: objects that never reach it. Rows "
        "compare only where the rule is the same."
    )
    if any(row.result.rule == "ritm" and not row.result.config.get("curve") for row in rows):
        yield (
            f"Under rule ritm an object is done at IoU {max(TARGETS) / 100} and keeps its last "
            "IoU in mIoU@k, unless the whole curve was asked for."
        )
    for place, group in _by_place(rows).items():
        if len({row.result.data_sha256 for row in group}) > 1:
            yield f"**{place}: these rows were measured on different files.**"


def _provenance(row: _Row) -> str:
    result, machine = row.result, row.result.machine
    return (
        f"- {row.method} on {row.place}: fewclicks {result.fewclicks}, data "
        f"{result.data_sha256[:12]}, {machine.get('cpu', 'unknown processor')}, workers "
        f"{machine.get('workers', '?')}, threads {machine.get('threads', '?')}"
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
