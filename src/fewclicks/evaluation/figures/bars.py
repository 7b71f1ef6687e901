"""Bars, row by row: clicks of each method, or how far two methods are apart on each data set."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from fewclicks.evaluation.figures.lines import Series, add_legend
from fewclicks.evaluation.figures.style import INK, colour_of, head, hollow, new_figure, tidy


def draw_bars(title: str, rows: Sequence[str], series: Sequence[Series], *, x_label: str) -> Figure:
    """Draw a group of bars for each row; whiskers and published values as a series has them.

    Parameters
    ----------
    rows
        Their names, from above.
    series
        One colour each, with a value for each row; negative ones go to the left.
    """
    figure = new_figure(1.6 + 0.55 * len(rows))
    axes = figure.add_subplot()
    head(figure, title)
    thickness, middle = 0.8 / len(series), (len(series) - 1) / 2
    for number, each in enumerate(series):
        places = [i + (number - middle) * thickness for i in range(len(rows))]
        axes.barh(
            places,
            each.values,
            thickness,
            xerr=None if each.whiskers is None else [*each.whiskers],
            color=colour_of(number),
            ecolor=INK,
            error_kw={"elinewidth": 1},
            label=each.label,
        )
        at, published = each.printed(places)
        if at:
            axes.plot(published, at, **hollow(colour_of(number)), label=f"{each.label} published")
    if any(value < 0 for each in series for value in each.values):
        axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xlabel(x_label)
    tidy(axes, grid="x")
    add_legend(figure, axes)
    return figure
