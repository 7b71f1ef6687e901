from __future__ import annotations

import numpy as np
import pytest

from drawing import mask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.transformer.click_maps import click_disks


class Between:
    """A click of a picture that was resized."""

    def __init__(self, x: float, y: float, is_positive: bool = True) -> None:
        self.x, self.y, self.is_positive = x, y, is_positive


def test_a_disk_has_every_pixel_within_its_radius_and_none_beyond():
    drawn = click_disks([[Click(x=3, y=2)]], (5, 8), radius=2)

    assert np.array_equal(
        drawn[0, 0],
        mask(
            "...#....",
            "..###...",
            ".#####..",
            "..###...",
            "...#....",
        ),
    )
    assert not drawn[0, 1].any()


def test_the_published_disk_has_eighty_one_pixels():
    assert click_disks([[Click(x=10, y=10)]], (21, 21)).sum() == 81  # 5 pixels, the rim included


def test_each_picture_and_each_class_has_a_map_of_its_own():
    clicks = [[Click(x=0, y=0)], [], [Click(x=3, y=3, is_positive=False), Click(x=1, y=1)]]

    drawn = click_disks(clicks, (4, 4), radius=0)

    assert drawn.shape == (3, 2, 4, 4)
    assert drawn.dtype == np.float32
    assert sorted(map(tuple, np.argwhere(drawn))) == [
        (0, 0, 0, 0),
        (2, 0, 1, 1),
        (2, 1, 3, 3),
    ]


def test_disks_between_pixels_and_over_the_border_are_as_a_full_distance_map_has_them():
    random = np.random.default_rng(0)
    height, width = 23, 31
    rows, columns = np.mgrid[:height, :width]
    for _ in range(100):
        clicks = [
            Between(x, y, bool(random.integers(2)))
            for x, y in random.uniform(-12, 42, (random.integers(5), 2))
        ]
        expected = np.zeros((2, height, width))
        for click in clicks:
            near = (columns - click.x) ** 2 + (rows - click.y) ** 2 <= 25
            expected[0 if click.is_positive else 1][near] = 1

        assert np.array_equal(click_disks([clicks], (height, width))[0], expected)


def test_a_radius_that_is_no_length_is_refused():
    with pytest.raises(InputError, match="radius is -1"):
        click_disks([[]], (3, 3), radius=-1)
