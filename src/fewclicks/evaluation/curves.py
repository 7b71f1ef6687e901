"""IoU-per-click curves: how fast each method gets there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from matplotlib import rc_context
from matplotlib.figure import Figure

from fewclicks.files import written_beside

# Okabe and Ito's colours, which most colour-blind readers can tell apart.
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS: Final = "osD^vPX"


class Measured(Protocol):
    """A result, or the mean of several."""

    @property
    def noc(self) -> Mapping[str, float]:
        """By target in per cent."""

    @property
    def miou(self) -> Mapping[str, float]:
        """By number of clicks."""


def draw_curves(title: str, results: Mapping[str, Measured]) -> Figure:
    """Draw the mean IoU after each click.

    Parameters
    ----------
    title
        Names the data set and the rule.
    results
        By the name that the legend shows; of one data set and rule.
    """
    figure = Figure(figsize=(7.2, 4.5), layout="constrained")
    axes = figure.add_subplot()
    most = max(len(result.miou) for result in results.values())
    for number, (name, result) in enumerate(results.items()):
        clicks = sorted(int(count) for count in result.miou)
        axes.plot(
            clicks,
            [result.miou[str(count)] for count in clicks],
            color=_COLOURS[number % len(_COLOURS)],
            marker=_MARKERS[(number + number // len(_COLOURS)) % len(_MARKERS)],
            markersize=4,
            linewidth=1.8,
            label=f"{name}, NoC@90 {result.noc['90']:.2f}",
        )
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("Clicks")
    axes.set_ylabel("Mean IoU")
    axes.set_ylim(top=1.0)
    axes.set_xticks([1, *range(5, most + 1, 5)])
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    return figure


def write_figure(path: Path, figure: Figure) -> list[Path]:
    """Write a figure as PNG and as SVG, and say where; the same figure gives the same bytes."""
    written = []
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        target = path.with_name(f"{path.name}.{kind}")
        with written_beside(target) as beside, rc_context({"svg.hashsalt": "fewclicks"}):
            figure.savefig(beside, format=kind, dpi=160, metadata=metadata)
        written.append(target)
    return written
