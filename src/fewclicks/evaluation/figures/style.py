"""Style: what all figures share, so that one method has one colour wherever it is drawn."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which most colour-blind readers can tell apart; they repeat after seven."""

INK: Final = "#1b1f24"
GRID: Final = "#dddddd"
PAPER: Final = "#ffffff"

_MARKERS: Final = "osD^vPX"
_WIDTH: Final = 7.2


def colour_of(number: int) -> str:
    """Give the colour of the series with this number, from 0."""
    return COLOURS[number % len(COLOURS)]


def marker_of(number: int) -> str:
    """Give its mark, which is another one when the colours come round again."""
    return _MARKERS[(number + number // len(COLOURS)) % len(_MARKERS)]


def new_figure(height: float) -> Figure:
    """Open an empty figure of this height, in inches; all are of one width."""
    return Figure(figsize=(_WIDTH, height), layout="constrained")


def head(figure: Figure, title: str) -> None:
    """Write a figure's title to the left above all its panels; nothing takes no room."""
    if title:
        figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=11, color=INK)


def tidy(axes: Axes, *, title: str = "", grid: str = "y") -> None:
    """Take away what says nothing, and lay a pale grid below the rest."""
    if title:
        axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]  # "x" or "y"
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def hollow(colour: str) -> dict[str, Any]:
    """Say how a published figure is marked."""
    return {
        "linestyle": "none",
        "marker": "D",
        "markersize": 6,
        "markerfacecolor": PAPER,
        "markeredgecolor": colour,
    }
