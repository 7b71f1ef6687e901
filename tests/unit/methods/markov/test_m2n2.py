from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.base import Method
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.markov.m2n2 import (
    M2N2,
    M2N2Config,
    M2N2Prepared,
)
from fewclicks.methods.registry import create_method

INSIDE = Click(x=32, y=25)
OUTSIDE = Click(x=70, y=50, is_positive=False)


COARSE = ColourBackbone(ColourConfig(longest_side=32))


@pytest.fixture(scope="module")
def method() -> M2N2:
    return M2N2(COARSE)


@pytest.fixture
def prepared(method: M2N2, disk_image: RgbImage) -> M2N2Prepared:
    return method.prepare(disk_image)


def _iou(found: BoolMask, wanted: BoolMask) -> float:
    return float((found & wanted).sum() / (found | wanted).sum())


def test_one_click_finds_a_plain_object(method: M2N2, prepared: M2N2Prepared, disk_mask: BoolMask):
    assert _iou(method.predict(prepared, [INSIDE]).mask, disk_mask) > 0.97


def test_without_a_click_or_with_negative_ones_only_the_mask_is_empty(
    method: M2N2, prepared: M2N2Prepared
):
    for clicks in ([], [OUTSIDE], [replace(INSIDE, is_positive=False)]):
        prediction = method.predict(prepared, clicks)
        assert prediction.probability.shape == (60, 80)
        assert not prediction.mask.any()


def test_a_negative_click_on_the_object_takes_it_away(method: M2N2):
    on = enlarge(mask("........", ".##..##.", ".##..##.", "........"), 10)
    prepared = method.prepare(paint(on))
    left, right = Click(x=20, y=20), Click(x=60, y=20, is_positive=False)
    found = method.predict(prepared, [left, right]).mask
    assert found[20, 20]
    assert not found[:, 40:].any()


def test_clicked_pixels_keep_their_class_whatever_is_around_them(
    method: M2N2, prepared: M2N2Prepared
):
    lone = Click(x=75, y=5)
    hole = Click(x=33, y=26, is_positive=False)
    prediction = method.predict(prepared, [INSIDE, hole, lone])
    assert prediction.mask[25, 32]
    assert prediction.mask[5, 75]
    assert not prediction.mask[26, 33]


def test_excluded_pixels_are_never_in_the_mask(
    method: M2N2, prepared: M2N2Prepared, disk_mask: BoolMask
):
    excluded = np.zeros_like(disk_mask)
    excluded[:, :33] = True
    barred = method.condition(prepared, Guidance(excluded=excluded))
    found = method.predict(barred, [INSIDE]).mask
    np.testing.assert_array_equal(found, method.predict(prepared, [INSIDE]).mask & ~excluded)
    freed = method.condition(barred, Guidance())
    assert method.predict(freed, [INSIDE]).mask[25, 32]
    with pytest.raises(ShapeError):
        method.condition(prepared, Guidance(excluded=np.zeros((2, 3), dtype=bool)))


def test_the_same_question_gets_the_same_answer_from_a_fresh_and_a_used_picture(
    method: M2N2, disk_image: RgbImage
):
    used = method.prepare(disk_image)
    for x in range(30):  # more maps than are kept
        method.predict(used, [Click(x=x, y=x)])
    clicks = [INSIDE, OUTSIDE]
    again = method.predict(used, clicks, previous=method.predict(used, [INSIDE]))
    fresh = method.predict(method.prepare(disk_image), clicks)
    np.testing.assert_array_equal(again.probability, fresh.probability)


def test_threads_may_share_a_picture(method: M2N2, prepared: M2N2Prepared):
    clicks = [Click(x=x, y=20) for x in range(5, 75, 5)]
    expected = [method.predict(prepared, [click]).probability for click in clicks]
    found: dict[int, FloatMap] = {}
    shared = replace(prepared, guide=replace(prepared.guide))

    def ask(index: int) -> None:
        found[index] = method.predict(shared, [clicks[index]]).probability

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(clicks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, probability in enumerate(expected):
        np.testing.assert_array_equal(found[index], probability)


@pytest.mark.parametrize(
    "setting",
    [
        {"start": "one-hot"},
        {"flood_fill": False},
        {"edge_score": False},
        {"prior_score": False},
        {"same_class_score": False},
        {"other_class_score": False},
        {"max_steps": 10},
        {"sinkhorn_rounds": 3},
    ],
    ids=str,
)
def test_every_switch_still_answers(setting: dict[str, Any], disk_image: RgbImage):
    method = M2N2(COARSE, M2N2Config(**setting))
    prediction = method.predict(method.prepare(disk_image), [INSIDE, OUTSIDE])
    assert prediction.mask[25, 32]
    assert not prediction.mask[50, 70]


def test_without_flood_fill_a_click_reaches_what_is_alike_but_apart():
    on = enlarge(mask("........", ".##..##.", ".##..##.", "........"), 10)
    click = Click(x=20, y=20)
    masks = {}
    for flood_fill in (True, False):
        config = M2N2Config(flood_fill=flood_fill, temperature=3.0)
        method = M2N2(COARSE, config)
        masks[flood_fill] = method.predict(method.prepare(paint(on)), [click]).mask
    assert not masks[True][:, 40:].any()
    assert masks[False][20, 60]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 200)], ids=str)
def test_tiny_and_thin_pictures_are_answered(method: M2N2, size: tuple[int, int]):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    prediction = method.predict(method.prepare(image), [Click(x=size[1] - 1, y=0)])
    assert prediction.mask[0, -1]
    assert prediction.probability.shape == size


def test_a_picture_of_one_colour_is_answered(method: M2N2):
    prepared = method.prepare(np.full((40, 50, 3), 99, dtype=np.uint8))
    prediction = method.predict(prepared, [Click(x=25, y=20)])
    assert prediction.mask[20, 25]
    assert np.isfinite(prediction.probability).all()


def test_a_large_picture_is_worked_on_small_and_answered_at_its_size(
    method: M2N2, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fewclicks.methods.markov.m2n2._SHORTEST_SIDE", 60)
    on = enlarge(mask("......", "..##..", "..##..", "......"), 60)
    prepared = method.prepare(paint(on))
    assert (prepared.guide.height, prepared.guide.width) == (60, 90)
    found = method.predict(prepared, [Click(x=180, y=120), Click(x=359, y=239, is_positive=False)])
    assert found.mask.shape == on.shape
    assert _iou(found.mask, on) > 0.9


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0; needs a number above 0"),
        ({"sinkhorn_rounds": 0}, "sinkhorn_rounds is 0; needs at least 1"),
        ({"saturation": 1.0}, "saturation is 1.0; needs a number between 0 and 1"),
        ({"max_segment_area": 1.5}, "max_segment_area is 1.5; needs a share"),
        ({"start": "middle"}, "start is 'middle'; needs one of: splat, one-hot"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        M2N2Config(**setting)


def test_clicks_outside_and_pictures_of_another_kind_are_refused(
    method: M2N2, prepared: M2N2Prepared
):
    with pytest.raises(InputError, match="outside the image"):
        method.predict(prepared, [Click(x=80, y=0)])
    with pytest.raises(InputError, match="needs \\(height, width, 3\\)"):
        method.prepare(np.zeros((5, 5), dtype=np.uint8))


def test_the_registry_builds_it_with_settings_from_text():
    method: Method[Any] = create_method("m2n2", temperature="0.5", flood_fill="no")
    assert method.config == M2N2Config(temperature=0.5, flood_fill=False)


def test_one_click_finds_about_half_of_a_real_object(real_data: Path):
    """The first pictures of the tuning half; a sanity check, not a benchmark."""
    folder, method = real_data / "grabcut", M2N2(ColourBackbone())
    if not folder.is_dir():
        pytest.skip(f"No GrabCut at {folder}.")
    best = []
    for path in sorted((folder / "masks").glob("*.png"))[0:10:2]:
        labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        image = cv2.imread(str(next((folder / "images").glob(f"{path.stem}.*"))))[..., ::-1]
        depth = cv2.distanceTransform((labels == 255).astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        prepared = method.prepare(np.ascontiguousarray(image))
        found = method.predict(prepared, [Click(x=int(x), y=int(y))]).mask
        best.append(_iou(found[labels != 128], labels[labels != 128] == 255))
    assert np.mean(best) > 0.4
