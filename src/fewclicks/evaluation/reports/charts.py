"""Charts: rows of a report drawn as figures, with the intervals that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.figure import Figure

from fewclicks.evaluation.figures.bars import Panel, draw_bar_panels
from fewclicks.evaluation.figures.curves import draw_curves
from fewclicks.evaluation.figures.histograms import draw_histograms
from fewclicks.evaluation.figures.lines import Series, draw_lines
from fewclicks.evaluation.figures.scatter import Point, Scatter, draw_scatter
from fewclicks.evaluation.reports.paired import Comparison
from fewclicks.evaluation.reports.resampling import bootstrap_band, bootstrap_interval
from fewclicks.evaluation.reports.rows import ReportRow
from fewclicks.evaluation.reports.variations import Degradation

_RESAMPLES_OF_A_BAND: Final = 2_000
_TARGET: Final = 90  # per cent of IoU
_IOU_AFTER: Final = 1


def curves(title: str, rows: Mapping[str, ReportRow]) -> Figure:
    """Draw mean IoU after each click with its 95 % band, by the name in the legend."""
    bands = {}
    for name, row in rows.items():
        low, high = bootstrap_band(row.ious(), row.pictures, resamples=_RESAMPLES_OF_A_BAND)
        bands[name] = (low.tolist(), high.tolist())
    return draw_curves(title, {name: row.result for name, row in rows.items()}, bands)


def histograms(title: str, rows: Sequence[ReportRow]) -> Figure:
    """Draw how many objects needed how many clicks to an IoU of 90 %."""
    needed = {row.method: row.needed(_TARGET) for row in rows}
    return draw_histograms(title, needed, max(row.most for row in rows))


def scatter(comparison: Comparison) -> Scatter:
    """Draw what each object cost the one method and the other."""
    first, second = comparison.first, comparison.second
    ids = [found.id for found in first.result.per_object]
    others = {found.id: number for number, found in enumerate(second.result.per_object)}
    order = [others[name] for name in ids]
    target, k = comparison.target, _IOU_AFTER - 1
    clicks = zip(first.clicks(target).tolist(), second.clicks(target)[order].tolist(), strict=True)
    ious = zip(first.ious()[:, k].tolist(), second.ious()[order, k].tolist(), strict=True)
    return draw_scatter(
        "",
        [Point(name=name, x=x, y=y) for name, (x, y) in zip(ids, clicks, strict=True)],
        [Point(name=name, x=x, y=y) for name, (x, y) in zip(ids, ious, strict=True)],
        methods=(first.method, second.method),
        clicks_label=f"Clicks to IoU {comparison.target} %",
        ious_label="IoU after the first click",
    )


def degradation_curve(found: Degradation) -> Figure:
    """Draw NoC@90 over the number that was disturbed, a line for each method."""
    places, series = [], []
    for name, values in found.lines.items():
        places.append([value for value, _ in values])
        means = [row.result.noc[str(_TARGET)] for _, row in values]
        intervals = [bootstrap_interval(row.clicks(_TARGET), row.pictures) for _, row in values]
        series.append(
            Series(
                label=name,
                values=means,
                whiskers=(
                    [mean - each.low for mean, each in zip(means, intervals, strict=True)],
                    [each.high - mean for mean, each in zip(means, intervals, strict=True)],
                ),
            )
        )
    label = "jitter in pixels" if found.setting == "jitter" else found.setting
    return draw_lines(found.dataset, places, series, x_label=label, y_label=f"NoC@{_TARGET}")


def difference_bars(comparisons: Sequence[Comparison]) -> Figure:
    """Draw how far two methods are apart on each data set, in clicks and in IoU.

    Clicks to 85, 90 and the target stand beside mIoU after three clicks, or after the last if
    there are fewer.

    References
    ----------
    .. [1] M2N2V2, Figure 3 (arXiv:2503.16254): NoC@95 and mIoU@3 on ten data sets.
    """
    one = comparisons[0]
    clicks = dict.fromkeys(("NoC@85", "NoC@90", f"NoC@{one.target}"))
    known = [d.figure for d in one.differences if not d.is_clicks]
    early = "mIoU@3" if "mIoU@3" in known else known[0]
    return draw_bar_panels(
        "",
        [each.place for each in comparisons],
        [
            Panel(
                series=[_differences(comparisons, figure) for figure in clicks],
                x_label=f"Clicks of {one.first.method}\nless those of {one.second.method};\n"
                "to the left: fewer",
            ),
            Panel(
                series=[_differences(comparisons, early)],
                x_label=f"{early} of {one.first.method}\nless that of {one.second.method};\n"
                "to the right: better",
            ),
        ],
    )


def _differences(comparisons: Sequence[Comparison], figure: str) -> Series:
    found = [next(d for d in each.differences if d.figure == figure) for each in comparisons]
    return Series(
        label=figure,
        values=[each.mean for each in found],
        whiskers=(
            [max(0.0, each.mean - each.interval.low) for each in found],
            [max(0.0, each.interval.high - each.mean) for each in found],
        ),
    )
