"""Plots of an experiment: clicks for each row, and the IoU after each click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fewclicks.evaluation.curves import draw_curves, write_figure
from fewclicks.evaluation.experiments.experiment import Experiment, Row
from fewclicks.evaluation.experiments.measured import MeasuredRow

PLOTS: Final = {
    "clicks": "Mean clicks to reach an IoU, row by row",
    "iou_per_click": "Mean IoU after each click",
    "first_click": "Mean IoU after the first click, row by row",
}
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73")
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
    varied = varied_number([each.row for each in measured])
    height = 4.5 if varied else 1.6 + 0.55 * len(measured)
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.add_subplot()
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=11)
    if varied:
        _draw_lines(axes, measured, figures, unit, *varied)
    else:
        _draw_bars(axes, measured, figures, unit)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=4
    )
    return figure


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


def _draw_lines(
    axes: Axes,
    measured: Sequence[MeasuredRow],
    figures: Mapping[str, str],
    unit: str,
    name: str,
    values: Sequence[float],
) -> None:
    order = sorted(range(len(values)), key=values.__getitem__)
    x, rows = [values[i] for i in order], [measured[i] for i in order]
    for (figure, label), colour in zip(figures.items(), _COLOURS, strict=False):
        y = [row.figure(figure) or 0.0 for row in rows]
        spreads = [row.spread(figure) or 0.0 for row in rows]
        axes.errorbar(x, y, spreads, color=colour, marker="o", markersize=4, label=label)
        printed = [
            (value, row.row.published[figure])
            for value, row in zip(x, rows, strict=True)
            if figure in row.row.published
        ]
        if printed:
            places, published = zip(*printed, strict=True)
            axes.plot(places, published, **_hollow(colour), label=f"{label} published")
    axes.set_xlabel(name)
    axes.set_ylabel(unit)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)


def _draw_bars(
    axes: Axes, measured: Sequence[MeasuredRow], figures: Mapping[str, str], unit: str
) -> None:
    thickness = 0.8 / len(figures)
    middle = (len(figures) - 1) / 2
    for number, ((figure, label), colour) in enumerate(
        zip(figures.items(), _COLOURS, strict=False)
    ):
        places = [i + (number - middle) * thickness for i in range(len(measured))]
        lengths = [row.figure(figure) or 0.0 for row in measured]
        spreads = [row.spread(figure) or 0.0 for row in measured]
        axes.barh(
            places,
            lengths,
            thickness,
            xerr=spreads if any(spreads) else None,
            color=colour,
            label=label,
        )
        printed = [
            (row.row.published[figure], place)
            for row, place in zip(measured, places, strict=True)
            if figure in row.row.published
        ]
        if printed:
            published, heights = zip(*printed, strict=True)
            axes.plot(published, heights, **_hollow(colour), label=f"{label} published")
    axes.set_yticks(range(len(measured)), [row.row.name for row in measured])
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)


def _hollow(colour: str) -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": "D",
        "markersize": 6,
        "markerfacecolor": "white",
        "markeredgecolor": colour,
    }
