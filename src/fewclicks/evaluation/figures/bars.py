"""Bars, row by row: clicks of each method, or how far two methods are apart on each data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fewclicks.evaluation.figures.lines import Series, add_legend
from fewclicks.evaluation.figures.style import INK, colour_of, head, hollow, new_figure, tidy


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Bars over one axis.

    Parameters
    ----------
    series
        One colour each, with a value for each row; negative ones go to the left.
    x_label
        What they count.
    """

    series: Sequence[Series]
    x_label: str


def draw_bars(title: str, rows: Sequence[str], series: Sequence[Series], *, x_label: str) -> Figure:
    """Draw a group of bars for each row; whiskers and published values as a series has them.

    Parameters
    ----------
    rows
        Their names, from above.
    series
        One colour each, with a value for each row; negative ones go to the left.
    """
    return draw_bar_panels(title, rows, [Panel(series=series, x_label=x_label)])


def draw_bar_panels(title: str, rows: Sequence[str], panels: Sequence[Panel]) -> Figure:
    """Draw panels side by side, of the same rows; each series has a colour of its own."""
    most = max(len(panel.series) for panel in panels)
    figure = new_figure(1.6 + (0.25 + 0.1 * most) * len(rows))
    head(figure, title)
    number = 0
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        _draw_panel(axes, panel, first=number)
        axes.set_yticks(range(len(rows)), list(rows) if place == 0 else [""] * len(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(panel.x_label)
        tidy(axes, grid="x")
        number += len(panel.series)
    add_legend(figure, *figure.axes)
    return figure


def _draw_panel(axes: Axes, panel: Panel, *, first: int) -> None:
    thickness, middle = 0.8 / len(panel.series), (len(panel.series) - 1) / 2
    for number, each in enumerate(panel.series):
        colour = colour_of(first + number)
        places = [i + (number - middle) * thickness for i in range(len(each.values))]
        axes.barh(
            places,
            each.values,
            thickness,
            xerr=None if each.whiskers is None else [*each.whiskers],
            color=colour,
            ecolor=INK,
            error_kw={"elinewidth": 1},
            label=each.label,
        )
        at, published = each.printed(places)
        if at:
            axes.plot(published, at, **hollow(colour), label=f"{each.label} published")
    if any(value < 0 for each in panel.series for value in each.values):
        axes.axvline(0, color=INK, linewidth=1)
