"""Seeds against the plain rule: the nearest click decides, the newest on a tie."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing import mask
from fewclicks.clicks import Click
from fewclicks.methods.energy.seeds import border_band, draw_seeds

clicks_on_a_small_picture = st.lists(
    st.builds(
        Click,
        x=st.integers(min_value=0, max_value=11),
        y=st.integers(min_value=0, max_value=8),
        is_positive=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def test_a_disk_holds_the_pixels_within_its_radius():
    seeds = draw_seeds((5, 6), [Click(x=2, y=2)], radius=2)

    assert np.array_equal(
        seeds.positive,
        mask(
            "..#...",
            ".###..",
            "#####.",
            ".###..",
            "..#...",
        ),
    )
    assert not seeds.negative.any()


def test_a_disk_ends_where_the_picture_ends():
    seeds = draw_seeds((3, 3), [Click(x=0, y=0, is_positive=False)], radius=1)

    assert np.array_equal(seeds.negative, mask("##.", "#..", "..."))


@settings(deadline=None, max_examples=60)
@given(clicks=clicks_on_a_small_picture, radius=st.integers(min_value=0, max_value=4))
def test_each_pixel_belongs_to_the_nearest_click_and_the_newest_on_a_tie(clicks, radius):
    seeds = draw_seeds((9, 12), clicks, radius=radius)

    for y, x in np.ndindex(9, 12):
        squares = [(click.x - x) ** 2 + (click.y - y) ** 2 for click in clicks]
        is_seed = min(squares) <= radius**2
        newest = max(i for i, square in enumerate(squares) if square == min(squares))
        assert seeds.positive[y, x] == (is_seed and clicks[newest].is_positive)
        assert seeds.negative[y, x] == (is_seed and not clicks[newest].is_positive)


@settings(deadline=None, max_examples=60)
@given(clicks=clicks_on_a_small_picture)
def test_a_clicked_pixel_keeps_the_class_of_its_newest_click(clicks):
    seeds = draw_seeds((9, 12), clicks, radius=3, border=2)

    for place, is_positive in {(c.y, c.x): c.is_positive for c in clicks}.items():
        assert seeds.positive[place] == is_positive
        assert seeds.negative[place] != is_positive


def test_the_border_is_background_as_long_as_no_click_is_negative():
    positive = Click(x=3, y=2)

    alone = draw_seeds((5, 7), [positive], radius=0, border=1)
    with_negative = draw_seeds(
        (5, 7), [positive, Click(x=1, y=1, is_positive=False)], radius=0, border=1
    )

    assert np.array_equal(alone.negative, border_band((5, 7), 1))
    assert with_negative.negative.sum() == 1


def test_a_positive_disk_goes_over_the_border():
    seeds = draw_seeds((5, 7), [Click(x=0, y=2)], radius=1, border=1)

    assert seeds.positive[2, 0]
    assert not (seeds.positive & seeds.negative).any()


def test_excluded_pixels_are_background_whatever_was_clicked():
    excluded = mask("###....", "###....", "###....")

    seeds = draw_seeds((3, 7), [Click(x=1, y=1), Click(x=5, y=1)], radius=1, excluded=excluded)

    assert np.array_equal(seeds.negative, excluded)
    assert np.array_equal(seeds.positive, mask(".....#.", "....###", ".....#."))


def test_a_band_wider_than_the_picture_is_the_picture():
    assert border_band((3, 4), 9).all()
    assert not border_band((3, 4), 0).any()
