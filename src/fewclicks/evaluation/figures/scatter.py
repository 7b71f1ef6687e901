"""Scatter of two methods: each object once, by what it cost the one and the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fewclicks.evaluation.figures.style import COLOURS, GRID, INK, head, new_figure, tidy

_NAMES_SHOWN = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """An object, and what it cost under the one method (x) and the other (y)."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Scatter:
    """A figure, and the names that its dots stand for, by the dots' ids in it."""

    figure: Figure
    names: dict[str, str]


def draw_scatter(
    title: str,
    clicks: Sequence[Point],
    ious: Sequence[Point],
    *,
    methods: tuple[str, str],
    clicks_label: str,
    ious_label: str,
) -> Scatter:
    """Draw two panels: clicks, where dots grow with the objects at one place, and IoU.

    Where the first method is the better one, dots lie above the diagonal of the clicks and below
    that of the IoU; those dots are drawn in its colour, and the others in the other's.
    """
    figure = new_figure(3.7)
    left, right = figure.subplots(1, 2)
    head(figure, title)
    names: dict[str, str] = {}
    _draw_dots(left, clicks, names, "clicks", smaller_is_better=True)
    _draw_dots(right, ious, names, "iou", smaller_is_better=False)
    for axes, label in ((left, clicks_label), (right, ious_label)):
        axes.set_xlabel(f"{methods[0]}\n{label}")
        axes.set_ylabel(f"{methods[1]}\n{label}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(5, integer=axes is left))
    return Scatter(figure=figure, names=names)


def _draw_dots(
    axes: Axes,
    points: Sequence[Point],
    names: dict[str, str],
    prefix: str,
    *,
    smaller_is_better: bool,
) -> None:
    at: dict[tuple[float, float], list[str]] = defaultdict(list)
    for point in points:
        at[point.x, point.y].append(point.name)
    ends = [value for place in at for value in place]
    margin = 0.06 * (max(ends) - min(ends) or 1)
    low, high = min(ends) - margin, max(ends) + margin
    axes.plot([low, high], [low, high], color=GRID, linewidth=1.2, zorder=1)
    for number, ((x, y), found) in enumerate(sorted(at.items())):
        first_is_better = x < y if smaller_is_better else x > y
        dot = f"{prefix}-{number}"
        axes.plot(
            x,
            y,
            marker="o",
            markersize=min(3.5 + 2.2 * (len(found) ** 0.5), 22),
            color=INK if x == y else COLOURS[0 if first_is_better else 1],
            alpha=0.6,
            markeredgewidth=0,
            gid=dot,
        )
        names[dot] = _list(found) + f" ({x:.4g}, {y:.4g})"
    tidy(axes)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMES_SHOWN])
    left = len(names) - _NAMES_SHOWN
    return f"{shown} and {left} more" if left > 0 else shown
