"""Figures, by what they draw, and drawings that a page takes in."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from fewclicks.evaluation.figures.bars import Panel, draw_bar_panels, draw_bars
from fewclicks.evaluation.figures.histograms import count_clicks, draw_histograms
from fewclicks.evaluation.figures.lines import Series, draw_lines
from fewclicks.evaluation.figures.scatter import Point, draw_scatter
from fewclicks.evaluation.figures.style import COLOURS
from fewclicks.evaluation.figures.writing import inline_drawing


def test_clicks_are_counted_as_numpy_does():
    chance = np.random.default_rng(0)
    needed = [int(each) if each <= 20 else None for each in chance.integers(1, 24, size=300)]
    counts, never = count_clicks(needed, 20)
    reached = [each for each in needed if each is not None]
    expected, _ = np.histogram(reached, bins=np.arange(-0.5, 21.5))
    assert counts == expected.tolist()
    assert never == 300 - len(reached)
    assert never > 0


def test_a_histogram_has_a_bar_for_each_number_of_clicks_and_one_for_never():
    figure = draw_histograms("T", {"A": [1, 1, 3, None], "B": [2, 2, 2, 4]}, 4)
    first, second = ([bar.get_height() for bar in axes.patches] for axes in figure.axes)
    assert (first, second) == ([2, 0, 1, 0, 1], [0, 3, 0, 1, 0])
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["1", "never"]
    with_start = draw_histograms("T", {"A": [0, 0, 1]}, 4)
    assert [bar.get_height() for bar in with_start.axes[0].patches] == [2, 1, 0, 0, 0, 0]


def test_lines_are_drawn_in_ascending_order_with_their_whiskers():
    series = Series(label="A", values=[3.0, 1.0], whiskers=([0.5, 0.25], [1.0, 0.75]))
    axes = draw_lines("T", [[9, 2]], [series], x_label="x", y_label="y").axes[0]
    (container,) = axes.containers
    assert list(container.lines[0].get_xdata()) == [2, 9]
    assert list(container.lines[0].get_ydata()) == [1.0, 3.0]
    ends = [segment[:, 1].tolist() for segment in container.lines[2][0].get_segments()]
    assert ends == [[0.75, 1.75], [2.5, 4.0]]


def test_bars_go_to_the_left_where_the_difference_is_negative():
    series = Series(label="A", values=[-2.0, 1.0], whiskers=([0.5, 0.5], [0.5, 0.5]))
    axes = draw_bars("T", ["one", "two"], [series], x_label="x").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [-2.0, 1.0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]
    assert any(list(line.get_xdata()) == [0, 0] for line in axes.lines)


def test_panels_share_their_rows_and_name_all_series_once():
    clicks = [Series(label="A", values=[-2.0, 1.0]), Series(label="B", values=[-1.0, 0.5])]
    ious = [Series(label="C", values=[0.1, -0.2])]
    panels = [Panel(series=clicks, x_label="clicks"), Panel(series=ious, x_label="IoU")]
    figure = draw_bar_panels("T", ["one", "two"], panels)
    left, right = figure.axes
    assert [bar.get_width() for bar in right.patches] == [0.1, -0.2]
    assert left.get_ylim() == right.get_ylim()
    assert [text.get_text() for text in left.get_yticklabels()] == ["one", "two"]
    assert [text.get_text() for text in right.get_yticklabels()] == ["", ""]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A", "B", "C"]
    assert len({bar.get_facecolor() for bar in (*left.patches, *right.patches)}) == 3


def test_dots_at_one_place_are_one_larger_dot_that_names_them_all():
    clicks = [Point(name="a", x=1, y=2), Point(name="b", x=1, y=2), Point(name="c", x=5, y=2)]
    ious = [Point(name="a", x=0.9, y=0.2), Point(name="c", x=0.1, y=0.2)]
    drawn = draw_scatter(
        "", clicks, ious, methods=("A", "B"), clicks_label="clicks", ious_label="IoU"
    )
    assert drawn.names["clicks-0"] == "a, b (1, 2)"
    left, right = drawn.figure.axes
    dots = {line.get_gid(): line for axes in (left, right) for line in axes.lines}
    assert dots["clicks-0"].get_markersize() > dots["clicks-1"].get_markersize()
    better_first, better_second = COLOURS[0], COLOURS[1]
    assert dots["clicks-0"].get_color() == better_first
    assert dots["clicks-1"].get_color() == better_second
    assert (dots["iou-0"].get_color(), dots["iou-1"].get_color()) == (better_second, better_first)


@pytest.fixture
def figure() -> Figure:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], marker="o", gid="line", color=COLOURS[1], label="a <b> & c")
    axes.legend()
    axes.grid()
    return figure


def test_an_inline_drawing_refers_to_nothing_but_itself(figure: Figure):
    drawn = inline_drawing(figure, "one", says="A line")
    ids = {each.get("id") for each in drawn.iter() if each.get("id")}
    targets = [each.get("href") for each in drawn.iter() if each.get("href")]
    assert targets
    assert all(target.removeprefix("#") in ids for target in targets)
    assert all(each.startswith("one-") for each in ids)
    text = ElementTree.tostring(drawn, encoding="unicode")
    assert "http" not in text
    assert "<style" not in text
    clips = {each.get("clip-path") for each in drawn.iter() if each.get("clip-path")}
    assert clips
    assert all(clip.removeprefix("url(#").removesuffix(")") in ids for clip in clips)


def test_an_inline_drawing_takes_its_colours_from_the_page_and_keeps_text_as_text(figure: Figure):
    drawn = inline_drawing(figure, "one", says="A line", hints={"line": "<hint>"})
    text = ElementTree.tostring(drawn, encoding="unicode")
    assert "var(--series-1)" in text
    assert COLOURS[1].lower() not in text.lower()
    assert "a <b> & c" in [each.text for each in drawn.iter("text")]
    assert all("var(--ink)" in each.get("style", "") for each in drawn.iter("text"))
    (hint,) = [each for each in drawn.iter("title") if each.text == "<hint>"]
    assert hint.text == "<hint>"
    assert drawn.get("aria-label") == "A line"


def test_drawings_of_one_figure_under_two_names_share_no_id(figure: Figure):
    one, two = (inline_drawing(figure, name, says="A line") for name in ("one", "two"))
    ids = [{each.get("id") for each in drawn.iter()} - {None} for drawn in (one, two)]
    assert not ids[0] & ids[1]
