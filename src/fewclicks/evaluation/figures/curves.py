"""IoU-per-click curves: how fast each method gets there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from matplotlib.figure import Figure

from fewclicks.evaluation.figures.style import colour_of, marker_of, new_figure, tidy

Band: TypeAlias = tuple[Sequence[float], Sequence[float]]
"""Lower and upper ends after click 1, 2, …"""


class Measured(Protocol):
    """A result, or the mean of several."""

    @property
    def noc(self) -> Mapping[str, float]:
        """By target in per cent."""

    @property
    def miou(self) -> Mapping[str, float]:
        """By number of clicks."""


def draw_curves(
    title: str, results: Mapping[str, Measured], bands: Mapping[str, Band] | None = None
) -> Figure:
    """Draw the mean IoU after each click.

    Parameters
    ----------
    title
        Names the data set and the rule.
    results
        By the name that the legend shows; of one data set and rule.
    bands
        How sure each mean is, by the same names; a name may be missing.
    """
    figure = new_figure(4.5)
    axes = figure.add_subplot()
    most = max(len(result.miou) for result in results.values())
    for number, (name, result) in enumerate(results.items()):
        clicks = sorted(int(count) for count in result.miou)
        axes.plot(
            clicks,
            [result.miou[str(count)] for count in clicks],
            color=colour_of(number),
            marker=marker_of(number),
            markersize=4,
            linewidth=1.8,
            label=f"{name}, NoC@90 {result.noc['90']:.2f}",
        )
        if bands and name in bands:
            axes.fill_between(clicks, *bands[name], color=colour_of(number), alpha=0.14, lw=0)
    tidy(axes, title=title)
    axes.set_xlabel("Clicks")
    axes.set_ylabel("Mean IoU")
    axes.set_ylim(top=1.0)
    axes.set_xticks([1, *range(5, most + 1, 5)])
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    return figure
