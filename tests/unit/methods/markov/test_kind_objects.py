"""Which of several objects a click means, and what it may change, on masks drawn as text."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from drawing import mask
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.markov.kind_objects import changed_at, object_meant, rounded

TWO = mask(
    "##........",
    "##........",
    "..........",
    ".......###",
    ".......###",
)


@pytest.mark.parametrize(
    ("at", "meant"),
    [
        pytest.param((1, 0), 1, id="on the first object"),
        pytest.param((8, 4), 2, id="on the second"),
        pytest.param((3, 0), 1, id="two pixels off the first"),
        pytest.param((7, 1), 2, id="two pixels off the second"),
        pytest.param((4, 0), None, id="three off"),
    ],
)
def test_a_click_means_the_nearest_object_within_reach(at, meant):
    found = object_meant(TWO, Click(*at), reach=3)

    labels, _ = ndimage.label(TWO)
    if meant is None:
        assert found is None
    else:
        assert (found == (labels == meant)).all()


def test_without_reach_a_click_means_the_object_that_it_lies_on():
    assert object_meant(TWO, Click(0, 0), reach=0) is not None
    assert object_meant(TWO, Click(2, 0), reach=0) is None
    assert object_meant(np.zeros_like(TWO), Click(0, 0), reach=9) is None


def test_a_click_changes_only_what_hangs_together_with_it():
    after = mask(
        "#.......##",
        "####....##",
        "..##......",
        ".......#..",
        ".......###",
    )

    added = changed_at(Click(3, 1), TWO, after)
    removed = changed_at(Click(9, 3, is_positive=False), TWO, after)

    # The pixel at (1, 0) touches what was added by its corner.
    assert (added == mask("#.........", "####......", "..##......", *[".......###"] * 2)).all()
    assert (removed == mask(*["##........"] * 2, "." * 10, ".......#..", ".......###")).all()


def test_nothing_changes_where_the_clicked_pixel_was_right():
    after = ~TWO
    after[0, 0] = True
    assert (changed_at(Click(0, 0), TWO, after) == TWO).all()


def test_a_box_grows_to_a_coarse_grid_inside_the_picture():
    found = rounded(Box(11, 20, 39, 99), height=100, width=160, steps=16)
    assert found == Box(10, 20, 40, 100)
    assert rounded(Box(12, 25, 31, 93), height=100, width=160, steps=16) == found
    assert rounded(Box(1, 1, 3, 3), height=5, width=4, steps=16) == Box(1, 1, 3, 3)
