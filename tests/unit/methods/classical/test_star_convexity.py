"""Star convexity: what a pixel needs to see, and what the two kinds of path allow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.masks import iou
from fewclicks.methods.classical.star_convexity import (
    EuclideanStarConvexity,
    GeodesicStarConfig,
    GeodesicStarConvexity,
    straight_parents,
)
from fewclicks.methods.energy.geodesic import WAYS

HOOK = enlarge(
    mask(
        "............",
        ".#########..",
        ".#########..",
        ".##....###..",
        ".##....###..",
        ".##....###..",
        "............",
    ),
    8,
)


def test_straight_parents_lead_to_a_centre_on_the_shortest_way():
    random = np.random.default_rng(0)
    centres = random.random((17, 23)) < 0.01
    centres[3, 4] = True
    parents = straight_parents(centres)

    assert np.array_equal(parents < 0, centres)
    for start in np.ndindex(17, 23):
        place, steps = start, 0
        while parents[place] >= 0:
            down, right = WAYS[parents[place]]
            place, steps = (place[0] + down, place[1] + right), steps + 1
        # A line of pixels has as many steps as the longer of its two sides.
        offsets = np.abs(np.argwhere(centres) - start)
        nearest = offsets[(offsets**2).sum(axis=1).argmin()]
        assert centres[place]
        assert steps <= nearest.max() + 1


def test_straight_lines_keep_their_direction():
    centres = np.zeros((5, 9), dtype=bool)
    centres[2, 4] = True

    parents = straight_parents(centres)

    assert WAYS[parents[2, 0]] == (0, 1)
    assert WAYS[parents[2, 8]] == (0, -1)
    assert WAYS[parents[0, 4]] == (1, 0)
    assert WAYS[parents[4, 6]] == (-1, -1)
    assert WAYS[parents[0, 2]] == (1, 1)


@pytest.mark.parametrize("method", [GeodesicStarConvexity(), EuclideanStarConvexity()])
def test_a_round_object_is_found_whole(method, disk_image, disk_mask):
    answer = method.predict(method.prepare(disk_image), [Click(x=30, y=24)])

    assert iou(answer.mask, disk_mask) > 0.95


@pytest.mark.parametrize("method", [GeodesicStarConvexity(), EuclideanStarConvexity()])
def test_the_object_hangs_together_with_its_clicks(method):
    like_colours_in_two_places = enlarge(
        mask(
            "................",
            ".####......####.",
            ".####......####.",
            ".####......####.",
            "................",
        ),
        8,
    )
    prepared = method.prepare(paint(like_colours_in_two_places, noise=60))

    for clicks in ([Click(x=24, y=20)], [Click(x=24, y=20), Click(x=104, y=20)]):
        on = method.predict(prepared, clicks).mask
        _, parts = cv2.connectedComponents(on.astype(np.uint8), connectivity=8)
        assert set(np.unique(parts[on])) == {parts[click.y, click.x] for click in clicks}


def test_only_geodesic_paths_go_round_a_bend():
    click = Click(x=16, y=40)  # in the hook's left leg; its right leg is out of sight

    bent, straight = (
        method.predict(method.prepare(paint(HOOK)), [click]).mask
        for method in (
            GeodesicStarConvexity(GeodesicStarConfig(spatial=1.0)),
            EuclideanStarConvexity(),
        )
    )

    assert iou(bent, HOOK) > 0.95
    # To have the right leg it must take what lies between.
    assert straight[40, 30:50].all() or not straight[40, 60:].any()


def test_every_pixel_of_a_euclidean_star_sees_its_click():
    random = np.random.default_rng(1)
    noisy = paint(HOOK, noise=60)
    method = EuclideanStarConvexity()
    clicks = [Click(x=16, y=16), Click(x=60, y=40), Click(x=40, y=44, is_positive=False)]

    on = method.predict(method.prepare(noisy), clicks).mask

    centres = np.zeros(HOOK.shape, dtype=bool)
    ys, xs = np.indices(HOOK.shape)
    for click in clicks[:2]:
        centres |= (xs - click.x) ** 2 + (ys - click.y) ** 2 <= 25
    parents = straight_parents(centres)
    inside = np.argwhere(on & ~centres)
    for y, x in inside[random.permutation(len(inside))[:500]]:
        down, right = WAYS[parents[y, x]]
        assert on[y + down, x + right]


def test_a_negative_price_of_way_is_refused():
    with pytest.raises(InputError, match=r"spatial is -1.0; needs a number from 0 on"):
        GeodesicStarConfig(spatial=-1.0)
