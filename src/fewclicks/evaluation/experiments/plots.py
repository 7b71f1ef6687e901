"""Plots of an experiment: clicks for each row, and the IoU after each click."""

from __future__ import annotations

from collections.abc import Sequence
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
}
_TARGETS: Final = ("85", "90", "95")
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73")


def write_plots(experiment: Experiment, measured: Sequence[MeasuredRow], out: Path) -> list[Path]:
    """Write ``clicks`` and ``iou_per_click``, each as PNG and SVG; say where."""
    places = {f"{row.any.dataset}, rule {row.any.rule}" for row in measured}
    title = f"{experiment.title}\n{places.pop()}" if len(places) == 1 else experiment.title
    curves = draw_curves(title, {row.row.name: row for row in measured})
    clicks = draw_clicks(title, measured)
    figures = dict(zip(PLOTS, (clicks, curves), strict=True))
    return [path for name, each in figures.items() for path in write_figure(out / name, each)]


def draw_clicks(title: str, measured: Sequence[MeasuredRow]) -> Figure:
    """Draw NoC as lines over the number that the rows vary, or as bars where it is not a number.

    Hollow marks are published figures; whiskers are the standard deviation over the runs.
    """
    varied = varied_number([each.row for each in measured])
    height = 4.5 if varied else 1.6 + 0.55 * len(measured)
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.add_subplot()
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=11)
    if varied:
        _draw_lines(axes, measured, *varied)
    else:
        _draw_bars(axes, measured)
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
    return name.removeprefix("settings."), numbers


def _draw_lines(
    axes: Axes, measured: Sequence[MeasuredRow], name: str, values: Sequence[float]
) -> None:
    order = sorted(range(len(values)), key=values.__getitem__)
    x = [values[i] for i in order]
    for target, colour in zip(_TARGETS, _COLOURS, strict=True):
        rows = [measured[i] for i in order]
        y = [row.noc[target] for row in rows]
        spreads = [row.spread(f"noc{target}") or 0.0 for row in rows]
        axes.errorbar(x, y, spreads, color=colour, marker="o", markersize=4, label=f"NoC@{target}")
        printed = [
            (value, row.row.published[f"noc{target}"])
            for value, row in zip(x, rows, strict=True)
            if f"noc{target}" in row.row.published
        ]
        if printed:
            places, figures = zip(*printed, strict=True)
            axes.plot(places, figures, **_hollow(colour), label=f"NoC@{target} published")
    axes.set_xlabel(name)
    axes.set_ylabel("Clicks")
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)


def _draw_bars(axes: Axes, measured: Sequence[MeasuredRow]) -> None:
    thickness = 0.8 / len(_TARGETS)
    for number, (target, colour) in enumerate(zip(_TARGETS, _COLOURS, strict=True)):
        places = [i + (number - 1) * thickness for i in range(len(measured))]
        lengths = [row.noc[target] for row in measured]
        spreads = [row.spread(f"noc{target}") or 0.0 for row in measured]
        axes.barh(
            places,
            lengths,
            thickness,
            xerr=spreads if any(spreads) else None,
            color=colour,
            label=f"NoC@{target}",
        )
        printed = [
            (row.row.published[f"noc{target}"], place)
            for row, place in zip(measured, places, strict=True)
            if f"noc{target}" in row.row.published
        ]
        if printed:
            figures, heights = zip(*printed, strict=True)
            axes.plot(figures, heights, **_hollow(colour), label=f"NoC@{target} published")
    axes.set_yticks(range(len(measured)), [row.row.name for row in measured])
    axes.invert_yaxis()
    axes.set_xlabel("Clicks")
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)


def _hollow(colour: str) -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": "D",
        "markersize": 6,
        "markerfacecolor": "white",
        "markeredgecolor": colour,
    }
