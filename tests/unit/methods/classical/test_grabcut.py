"""GrabCut: OpenCV's, made repeatable and safe with few seeds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.masks import iou
from fewclicks.methods.classical.grabcut import GrabCut, GrabCutConfig


def test_a_plain_object_is_found(disk_image, disk_mask):
    method = GrabCut()

    answer = method.predict(method.prepare(disk_image), [Click(x=30, y=24)])

    assert iou(answer.mask, disk_mask) > 0.9


def test_answers_do_not_hang_on_opencvs_random_state(disk_image):
    method = GrabCut()
    noisy = disk_image + np.random.default_rng(0).integers(0, 90, disk_image.shape).astype(np.uint8)
    prepared = method.prepare(noisy)
    answers = []
    for state in (1, 2, 3):
        cv2.setRNGSeed(state)
        answers.append(method.predict(prepared, [Click(x=30, y=24)]).mask)

    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


def test_one_seed_pixel_of_each_class_is_enough():
    method = GrabCut(GrabCutConfig(radius=0, border=1))
    prepared = method.prepare(np.random.default_rng(0).integers(0, 256, (30, 30, 3), np.uint8))

    answer = method.predict(prepared, [Click(x=15, y=15), Click(x=3, y=3, is_positive=False)])

    assert answer.mask[15, 15]
    assert not answer.mask[3, 3]


def test_no_turns_are_refused():
    with pytest.raises(InputError, match="turns is 0; needs at least 1"):
        GrabCutConfig(turns=0)
