"""Lines over a number that was varied: how a score falls as something is disturbed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fewclicks.evaluation.figures.style import colour_of, head, hollow, marker_of, new_figure, tidy


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line, or the bars of one colour.

    Parameters
    ----------
    label
        In the legend.
    values
        One for each place.
    whiskers
        How far the lower and the upper end lie from each value, both 0 or more; None for none.
    published
        What a paper prints at each place; None where it prints nothing.
    """

    label: str
    values: Sequence[float]
    whiskers: tuple[Sequence[float], Sequence[float]] | None = None
    published: Sequence[float | None] = ()

    def printed(self, places: Sequence[float]) -> tuple[list[float], list[float]]:
        """Give the places that a paper has a value for, and the values."""
        pairs = [
            (place, value)
            for place, value in zip(places, self.published, strict=False)
            if value is not None
        ]
        return [place for place, _ in pairs], [value for _, value in pairs]


def draw_lines(
    title: str,
    places: Sequence[Sequence[float]],
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
) -> Figure:
    """Draw series over a number, in ascending order whatever order they come in.

    Parameters
    ----------
    places
        For each series, the number that was varied, one for each of its values.
    """
    figure = new_figure(4.5)
    axes = figure.add_subplot()
    head(figure, title)
    for number, (at, each) in enumerate(zip(places, series, strict=True)):
        _draw_line(axes, number, each, at)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    tidy(axes)
    add_legend(figure, axes)
    return figure


def add_legend(figure: Figure, *panels: Axes) -> None:
    """Name the series of all panels below the figure."""
    named = [axes.get_legend_handles_labels() for axes in panels]
    handles = [handle for each, _ in named for handle in each]
    labels = [label for _, each in named for label in each]
    figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=4)


def _draw_line(axes: Axes, number: int, series: Series, places: Sequence[float]) -> None:
    order = sorted(range(len(places)), key=places.__getitem__)
    whiskers = None
    if series.whiskers is not None:
        whiskers = [[end[i] for i in order] for end in series.whiskers]
    axes.errorbar(
        [places[i] for i in order],
        [series.values[i] for i in order],
        whiskers,
        color=colour_of(number),
        marker=marker_of(number),
        markersize=4,
        capsize=2,
        label=series.label,
    )
    at, published = series.printed(places)
    if at:
        axes.plot(at, published, **hollow(colour_of(number)), label=f"{series.label} published")
