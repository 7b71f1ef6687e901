"""Histograms of NoC: not only how many clicks on average, but how they are shared out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fewclicks.evaluation.figures.style import INK, colour_of, head, new_figure, tidy


def count_clicks(needed: Sequence[int | None], most: int) -> tuple[list[int], int]:
    """Count objects by the clicks that they needed.

    Parameters
    ----------
    needed
        Of each object, in [0, most]; None where it never came there.

    Returns
    -------
    list of int, int
        Objects that needed 0, 1, … `most` clicks, and those that never came there.
    """
    counts = [0] * (most + 1)
    for clicks in needed:
        if clicks is not None:
            counts[clicks] += 1
    return counts, sum(clicks is None for clicks in needed)


def draw_histograms(title: str, needed: Mapping[str, Sequence[int | None]], most: int) -> Figure:
    """Draw how many objects needed so many clicks, a panel for each method.

    Parameters
    ----------
    needed
        By method, as for `count_clicks`. Who never came there stands apart, in a paler bar.
    most
        Clicks that were allowed.
    """
    figure = new_figure(0.9 + 1.25 * len(needed))
    panels = figure.subplots(len(needed), sharex=True, sharey=True, squeeze=False)[:, 0]
    head(figure, title)
    never_at = most + 2
    first = 0 if any(0 in each for each in needed.values()) else 1
    for number, (axes, (name, clicks)) in enumerate(zip(panels, needed.items(), strict=True)):
        counts, never = count_clicks(clicks, most)
        axes.bar(range(first, most + 1), counts[first:], 0.85, color=colour_of(number))
        axes.bar(never_at, never, 0.85, color=colour_of(number), alpha=0.45)
        tidy(axes)
        axes.set_title(name, loc="left", fontsize=9, color=INK)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ticks = [*range(first, 1), 1, *range(5, most + 1, 5)]
    panels[-1].set_xticks([*ticks, never_at], [*map(str, ticks), "never"])
    panels[-1].set_xlabel("Clicks that an object needed")
    figure.supylabel("Objects", fontsize=10)
    return figure
