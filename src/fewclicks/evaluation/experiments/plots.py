"""Plots of an experiment: clicks for each row, and the IoU after each click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from fewclicks.evaluation.experiments.experiment import Experiment, Row
from fewclicks.evaluation.experiments.measured import MeasuredRow
from fewclicks.evaluation.figures.bars import draw_bars
from fewclicks.evaluation.figures.curves import draw_curves
from fewclicks.evaluation.figures.lines import Series, draw_lines
from fewclicks.evaluation.figures.writing import write_figure

PLOTS: Final = {
    "clicks": "Mean clicks to reach an IoU, row by row",
    "iou_per_click": "Mean IoU after each click",
    "first_click": "Mean IoU after the first click, row by row",
}
_CLICKS: Final = {f"noc{target}": f"NoC@{target}" for target in ("85", "90", "95")}
_CLICKS_ON_KINDS: Final = {"noc85": "NoC@85", "noc90": "NoC@90", "sum85": "sum NoC@85"}
_FIRST_CLICK: Final = {"miou1": "IoU&1"}


def plots_of(measured: Sequence[MeasuredRow]) -> dict[str, str]:
    """Name the plots of an experiment, with captions; the first click's where parts are asked."""
    of_parts = any(row.any.protocol == "combination" for row in measured)
    return {name: each for name, each in PLOTS.items() if of_parts or name != "first_click"}


def write_plots(experiment: Experiment, measured: Sequence[MeasuredRow], out: Path) -> list[Path]:
    """Write each plot as PNG and SVG; say where."""
    places = {f"{row.any.dataset}, rule {row.any.rule}" for row in measured}
    title = f"{experiment.title}\n{places.pop()}" if len(places) == 1 else experiment.title
    figures = {
        "clicks": draw_clicks(title, measured),
        "iou_per_click": draw_curves(title, {row.row.name: row for row in measured}),
    }
    if "first_click" in plots_of(measured):
        figures["first_click"] = draw_first_click(title, measured)
    return [path for name, each in figures.items() for path in write_figure(out / name, each)]


def draw_clicks(title: str, measured: Sequence[MeasuredRow]) -> Figure:
    """Draw NoC as lines over the number that the rows vary, or as bars where it is not a number.

    Hollow marks are published figures; whiskers are the standard deviation over the runs. Of
    kinds, the sum of the clicks on each object stands beside the clicks on all as one.
    """
    of_kinds = any(row.any.protocol == "collective" for row in measured)
    return _draw(title, measured, _CLICKS_ON_KINDS if of_kinds else _CLICKS, "Clicks")


def draw_first_click(title: str, measured: Sequence[MeasuredRow]) -> Figure:
    """Draw the mean IoU after the first click in the same way."""
    return _draw(title, measured, _FIRST_CLICK, "Mean IoU after the first click")


def _draw(
    title: str, measured: Sequence[MeasuredRow], figures: Mapping[str, str], unit: str
) -> Figure:
    series = [_series(label, name, measured) for name, label in figures.items()]
    varied = varied_number([each.row for each in measured])
    if varied is None:
        return draw_bars(title, [each.row.name for each in measured], series, x_label=unit)
    name, values = varied
    return draw_lines(title, [values] * len(series), series, x_label=name, y_label=unit)


def _series(label: str, name: str, measured: Sequence[MeasuredRow]) -> Series:
    spreads = [row.spread(name) or 0.0 for row in measured]
    return Series(
        label=label,
        values=[row.figure(name) or 0.0 for row in measured],
        whiskers=(spreads, spreads) if any(spreads) else None,
        published=[row.row.published.get(name) for row in measured],
    )


def varied_number(rows: Sequence[Row]) -> tuple[str, list[float]] | None:
    """Say which one number the rows differ in, and its value in each; None if it is not so."""
    names = {name for row in rows for name in row.chosen}
    if len(names) != 1 or len(rows) < 2:
        return None
    name = names.pop()
    values = [row.chosen.get(name) for row in rows]
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(set(numbers)) < len(rows):
        return None
    return name.removeprefix("settings.").removeprefix("guidance."), numbers
