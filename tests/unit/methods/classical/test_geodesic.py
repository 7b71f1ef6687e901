"""The geodesic baseline: which seed is nearer, over the likelihood."""

from __future__ import annotations

import numpy as np
import pytest

from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.masks import iou
from fewclicks.methods.classical.geodesic import Geodesic, GeodesicConfig, nearer


def test_the_nearer_seed_wins_and_a_tie_is_undecided():
    to_positive = np.array([[0.0, 1.0, 2.0, 3.0, 0.0]], dtype=np.float32)
    to_negative = np.array([[4.0, 3.0, 2.0, 0.0, 0.0]], dtype=np.float32)

    assert nearer(to_positive, to_negative) == pytest.approx(np.array([[1.0, 0.75, 0.5, 0.0, 0.5]]))


def test_a_plain_object_is_filled_up_to_its_edge(disk_image, disk_mask):
    method = Geodesic()

    answer = method.predict(method.prepare(disk_image), [Click(x=30, y=24)])

    assert iou(answer.mask, disk_mask) > 0.9


def test_in_a_flat_picture_the_way_alone_decides():
    method = Geodesic(GeodesicConfig(radius=0))
    prepared = method.prepare(np.full((21, 41, 3), 99, dtype=np.uint8))

    on = method.predict(prepared, [Click(x=10, y=10), Click(x=30, y=10, is_positive=False)]).mask

    assert on[:, :20].all()
    assert not on[:, 21:].any()


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"bins": 99}, "bins is 99"), ({"spatial": -0.5}, r"spatial is -0.5; needs a number from 0")],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        GeodesicConfig(**setting)
