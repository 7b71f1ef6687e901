"""All objects of a picture, one after the other, in one session."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fake_method import BlobConfig, BlobMethod
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Masks, Sample
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.demonstration import click_in_one_session

LEFT = enlarge(mask("......", ".##...", ".##...", "......"), 8)
RIGHT = enlarge(mask("......", "....#.", "....#.", "......"), 8)
IMAGE = paint(LEFT | RIGHT)


def samples(image: RgbImage, **masks: BoolMask) -> list[Sample]:
    return [
        Sample(
            id=f"picture:{name}",
            picture="picture",
            load_image=lambda: image,
            load_masks=lambda _, drawn=drawn: Masks(object_mask=drawn),
        )
        for name, drawn in masks.items()
    ]


def test_each_object_gets_its_own_clicks_and_mask():
    method = BlobMethod()
    picture = click_in_one_session(method, samples(IMAGE, left=LEFT, right=RIGHT), SimulatedUser())
    left, right = picture.objects
    assert (left.name, right.name) == ("left", "right")
    assert left.ious == right.ious == (1.0,)
    np.testing.assert_array_equal(left.mask, LEFT)
    np.testing.assert_array_equal(right.mask, RIGHT)
    assert method.prepared == 1


def test_a_finished_object_keeps_its_pixels_and_they_count_as_missed():
    """The right half of the left blob is said to be another object, but it is taken already."""
    columns = np.arange(LEFT.shape[1])[None, :]
    half = LEFT & (columns >= 16)
    picture = click_in_one_session(
        BlobMethod(), samples(IMAGE, left=LEFT, half=half | RIGHT), SimulatedUser()
    )
    found = picture.objects[1]
    assert not (found.mask & LEFT).any()
    assert found.iou == pytest.approx(RIGHT.sum() / (half | RIGHT).sum())
    assert all(not LEFT[click.y, click.x] for click in found.clicks)


def test_an_object_that_was_taken_whole_ends_without_a_click():
    picture = click_in_one_session(
        BlobMethod(), samples(IMAGE, left=LEFT, again=LEFT, right=RIGHT), SimulatedUser()
    )
    again, right = picture.objects[1:]
    assert (again.clicks, again.ious, again.iou) == ((), (), 0.0)
    assert right.iou == 1.0


def test_an_object_that_stays_empty_leaves_no_click_to_the_next():
    """This method answers nothing at all where the first click is on the left blob."""

    class Contrary(BlobMethod):
        def predict(self, prepared, clicks, previous=None):
            answer = super().predict(prepared, clicks, previous)
            if LEFT[clicks[0].y, clicks[0].x]:
                answer.probability[:] = 0
            return answer

    picture = click_in_one_session(
        Contrary(BlobConfig()),
        samples(IMAGE, left=LEFT, right=RIGHT),
        SimulatedUser(),
        max_clicks=2,
    )
    left, right = picture.objects
    assert left.ious == (0.0, 0.0)
    assert right.ious == (1.0,)
    assert len(right.clicks) == 1


def test_the_user_stops_after_the_last_click_allowed():
    rough = LEFT.copy()
    rough[8, 8] = False  # never reached: the method knows blobs only
    picture = click_in_one_session(
        BlobMethod(), samples(IMAGE, left=rough), SimulatedUser(), max_clicks=3, good_enough=1.0
    )
    assert len(picture.objects[0].clicks) == 3
