"""The table of an experiment: our figures beside those that the paper prints."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fewclicks.evaluation.experiments.experiment import Experiment, Row
from fewclicks.evaluation.experiments.measured import MeasuredRow, split_figure
from fewclicks.evaluation.experiments.plots import plots_of
from fewclicks.evaluation.protocols.target import ProtocolName
from fewclicks.files import write_text

TABLES: Final = ("table.md", "table.csv")
_USUAL: Final[dict[ProtocolName, tuple[str, ...]]] = {
    "noc": ("noc85", "noc90", "noc95", "miou5", "miou10"),
    "combination": ("noc80", "noc85", "noc90", "miou1"),
    "collective": ("noc85", "noc90", "sum85", "sum90", "mean85", "mean90", "plus5"),
    "additional": ("noc85", "noc90", "plus1", "plus5", "plus10"),
}
_TITLES: Final = {
    "noc": "NoC@{}",
    "sum": "sum NoC@{}",
    "mean": "NoC@{} an object",
    "miou": "mIoU@{}",
    "plus": "mIoU{}+",
}


def write_tables(experiment: Experiment, measured: Sequence[MeasuredRow], out: Path) -> None:
    """Write ``table.md`` and ``table.csv``; rows that are not measured yet have empty cells."""
    write_text(out / TABLES[0], _markdown(experiment, measured))
    write_text(out / TABLES[1], _csv(experiment, measured))


def title_of(figure: str) -> str:
    """Write ``noc85`` as NoC@85, ``miou5`` as mIoU@5, ``plus5`` as mIoU5+."""
    kind, number = split_figure(figure)
    return _TITLES[kind].format(number)


def is_clicks(figure: str) -> bool:
    """Whether a figure is a number of clicks, and no IoU."""
    return split_figure(figure)[0] in ("noc", "sum", "mean")


def _figures(experiment: Experiment, measured: Sequence[MeasuredRow]) -> list[tuple[str, bool]]:
    """Choose the figures that the table has, and whether the paper prints them."""
    printed = {name for row in experiment.rows for name in row.published}
    usual = {name for row in experiment.rows for name in _USUAL[row.plans[0].protocol]}
    found = {name for name in usual for row in measured if row.figure(name) is not None}
    kinds = list(_TITLES)

    def place(name: str) -> tuple[int, int]:
        kind, number = split_figure(name)
        return kinds.index(kind), int(number)

    return [(name, name in printed) for name in sorted({*found, *printed}, key=place)]


def _cells(
    row: Row, found: MeasuredRow | None, figures: Sequence[tuple[str, bool]], *, joined: bool
) -> list[str]:
    """Give a row's cells; a spread stands with its mean, or in a cell of its own."""
    cells = [row.name, row.plans[0].dataset, row.plans[0].rule]
    cells.append("" if found is None else str(found.any.objects))
    for name, printed in figures:
        digits = 2 if is_clicks(name) else 3
        mean = None if found is None else found.figure(name)
        spread = None if found is None else found.spread(name)
        own = ["" if each is None else f"{each:.{digits}f}" for each in (mean, spread)]
        cells += [" ± ".join(filter(None, own))] if joined else own
        if printed:
            cells.append(f"{row.published[name]:g}" if name in row.published else "")
    seconds = None if found is None else found.any.seconds
    for each in (seconds and seconds.prepare, seconds and seconds.per_click):
        cells.append("" if each is None else f"{each:.3f}")
    return cells


def _titles(figures: Sequence[tuple[str, bool]], *, joined: bool) -> list[str]:
    titles = ["row", "data set", "rule", "objects"]
    for name, printed in figures:
        titles.append(title_of(name))
        if not joined:
            titles.append(f"{title_of(name)} spread")
        if printed:
            titles.append("published" if joined else f"{title_of(name)} published")
    return [*titles, "s/picture", "s/click"]


def _csv(experiment: Experiment, measured: Sequence[MeasuredRow]) -> str:
    figures = _figures(experiment, measured)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_titles(figures, joined=False))
    for row, found in _pairs(experiment, measured):
        writer.writerow(_cells(row, found, figures, joined=False))
    return text.getvalue()


def _markdown(experiment: Experiment, measured: Sequence[MeasuredRow]) -> str:
    figures = _figures(experiment, measured)
    titles = _titles(figures, joined=True)
    lines = [f"# {experiment.title}", "", f"Published: {experiment.source}.", ""]
    lines += [_line(titles), _line(["---"] * 3 + ["---:"] * (len(titles) - 3))]
    for row, found in _pairs(experiment, measured):
        lines.append(_line(_cells(row, found, figures, joined=True)))
    for note in _notes(experiment, measured):
        lines += ["", note]
    if len(measured) == len(experiment.rows):
        for name, caption in plots_of(measured).items():
            lines += ["", f"![{caption}]({name}.png)"]
    return "\n".join(lines) + "\n"


def _notes(experiment: Experiment, measured: Sequence[MeasuredRow]) -> Iterator[str]:
    yield (
        "NoC: mean clicks to reach an IoU in per cent. Rows compare only where rule and data set "
        "are the same."
    )
    if any(row.any.protocol == "collective" for row in measured):
        yield (
            "NoC takes all objects of a category in a picture as one target, at most 20 clicks; "
            "sum NoC clicks them one by one where there is no exemplar, at most 20 clicks each. "
            "An exemplar's own clicks are counted in both."
        )
    skipped = {row.any.skipped for row in measured if row.any.skipped}
    if skipped:
        yield f"Skipped for want of a reference: {', '.join(map(str, sorted(skipped)))} targets."
    if experiment.changed:
        differences = ", ".join(f"{key} = {each}" for key, each in experiment.changed.items())
        yield f"**Not as published, so not to be compared one to one: {differences}.**"
    if any(len(row.plans) > 1 for row in experiment.rows):
        most = max(len(row.plans) for row in experiment.rows)
        yield f"±: standard deviation over the {most} runs of a row; seconds are of the first run."
    if any(row.any.rule == "ritm" and not row.any.config.get("curve") for row in measured):
        yield (
            "Under rule ritm an object is done at IoU 0.95 and keeps its last IoU in mIoU@k, "
            "unless the whole curve was asked for."
        )
    if len({row.any.data_sha256 for row in measured if row.any.dataset}) > 1:
        yield "**The rows were measured on different files.**"
    yield from dict.fromkeys(_provenance(row) for row in measured)


def _provenance(row: MeasuredRow) -> str:
    result, machine = row.any, row.any.machine
    processor = machine.get("cpu", "an unknown processor")
    return (
        f"Measured with fewclicks {result.fewclicks} on {processor}, workers "
        f"{machine.get('workers', '?')}, threads {machine.get('threads', '?')}; data "
        f"{result.data_sha256[:12]}."
    )


def _pairs(
    experiment: Experiment, measured: Sequence[MeasuredRow]
) -> Iterator[tuple[Row, MeasuredRow | None]]:
    by_name = {each.row.name: each for each in measured}
    for row in experiment.rows:
        yield row, by_name.get(row.name)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
