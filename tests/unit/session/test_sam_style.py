from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fake_method import BlobMethod
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.session.sam_style import SamStylePredictor

TWO_BLOBS = enlarge(
    mask(
        "............",
        ".###....###.",
        ".###....###.",
        ".###....###.",
        "............",
        "............",
    ),
    8,
)
LEFT = np.where(np.arange(96) < 48, TWO_BLOBS, False)


@pytest.fixture
def method() -> BlobMethod:
    return BlobMethod()


@pytest.fixture
def predictor(method: BlobMethod) -> SamStylePredictor:
    predictor = SamStylePredictor(method)
    predictor.set_image(paint(TWO_BLOBS))
    return predictor


POINT = {"point_coords": np.array([[16, 16]]), "point_labels": np.array([1])}


def test_results_have_sams_shapes_and_types(predictor: SamStylePredictor):
    masks, scores, logits = predictor.predict(**POINT)

    assert masks.shape == (3, 48, 96)
    assert masks.dtype == np.bool_
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert logits.shape == (3, 256, 256)
    assert logits.dtype == np.float32


def test_one_mask_comes_where_one_is_wanted(predictor: SamStylePredictor):
    masks, scores, logits = predictor.predict(**POINT, multimask_output=False)

    assert (masks == LEFT[None]).all()
    assert scores.shape == (1,)
    assert logits.shape == (1, 256, 256)


def test_the_three_masks_grow(predictor: SamStylePredictor, method: BlobMethod, monkeypatch):
    ramp = np.linspace(0, 1, 96, dtype=np.float32)[None].repeat(48, axis=0)
    monkeypatch.setattr(method, "predict", lambda *_: Prediction(probability=ramp, threshold=0.4))
    masks, _, _ = predictor.predict(**POINT)

    assert (masks[0] <= masks[1]).all()
    assert (masks[1] <= masks[2]).all()
    assert masks[0].sum() < masks[1].sum() < masks[2].sum()
    assert (masks[1] == (ramp > 0.4)).all()


def test_the_score_is_sams_stability_score(
    predictor: SamStylePredictor, method: BlobMethod, monkeypatch
):
    ramp = np.linspace(0.01, 0.99, 96, dtype=np.float32)[None].repeat(48, axis=0)
    monkeypatch.setattr(method, "predict", lambda *_: Prediction(probability=ramp))
    logits, scores, _ = predictor.predict(**POINT, return_logits=True)

    for layer, score in zip(logits, scores, strict=True):
        assert score == pytest.approx((layer > 1).sum() / (layer > -1).sum(), rel=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.49, 0.5, 1.0])
def test_logits_are_above_zero_on_the_mask(
    predictor: SamStylePredictor, method: BlobMethod, monkeypatch, threshold: float
):
    grid = np.random.default_rng(1).choice(
        np.array([0, 0.3, 0.49, 0.5, 0.51, 1], dtype=np.float32), (48, 96)
    )
    answer = Prediction(probability=grid, threshold=threshold)
    monkeypatch.setattr(method, "predict", lambda *_: answer)
    logits, _, low_res = predictor.predict(**POINT, multimask_output=False, return_logits=True)
    masks, _, _ = predictor.predict(**POINT, multimask_output=False)

    assert logits.dtype == np.float32
    assert (masks[0] == answer.mask).all()
    assert ((logits[0] > 0) == answer.mask).all()
    assert np.isfinite(low_res).all()


def test_an_empty_answer_scores_nothing(
    predictor: SamStylePredictor, method: BlobMethod, monkeypatch
):
    nothing = Prediction(probability=np.zeros((48, 96), dtype=np.float32))
    monkeypatch.setattr(method, "predict", lambda *_: nothing)
    masks, scores, _ = predictor.predict(**POINT)

    assert not masks.any()
    assert (scores == 0).all()


def test_labels_tell_object_from_ground(predictor: SamStylePredictor, method: BlobMethod):
    predictor.predict([[16.9, 16.2], [80, 16]], [1, 0])

    assert method.asked[-1][0] == (Click(16, 16), Click(80, 16, is_positive=False))


def test_a_box_limits_the_mask_and_points_at_its_middle(predictor: SamStylePredictor):
    masks, _, _ = predictor.predict(box=np.array([0, 0, 40.5, 40]), multimask_output=False)
    assert (masks[0] == LEFT).all()

    halved, _, _ = predictor.predict(box=np.array([-5, -5, 16, 60]), multimask_output=False)
    assert not halved[0][:, 16:].any()


def test_a_mask_comes_back_as_it_was_given_out(predictor: SamStylePredictor):
    masks, _, low_res = predictor.predict(**POINT)
    again, _, _ = predictor.predict(mask_input=low_res[1:2], multimask_output=False)

    assert iou(again[0], masks[1]) > 0.95


def test_a_mask_is_what_the_method_goes_on_from(predictor: SamStylePredictor, method: BlobMethod):
    _, _, low_res = predictor.predict(**POINT)
    predictor.predict([[80, 16]], [1], mask_input=low_res[1][None])

    previous = method.asked[-1][1]
    assert previous is not None
    assert iou(previous.mask, LEFT) > 0.95


@pytest.mark.parametrize(("height", "width"), [(48, 96), (96, 48), (300, 7), (1, 1), (700, 900)])
def test_the_longer_side_fills_the_logits(height: int, width: int):
    predictor = SamStylePredictor(BlobMethod())
    predictor.set_image(np.zeros((height, width, 3), dtype=np.uint8))
    masks, _, low_res = predictor.predict([[0, 0]], [1], multimask_output=False)

    longest = max(height, width)
    rows, columns = round(height * 256 / longest) or 1, round(width * 256 / longest) or 1
    assert masks.all()
    assert (low_res[0, :rows, :columns] > 0).all()
    assert (low_res[0] > 0).sum() == rows * columns
    back, _, _ = predictor.predict(mask_input=low_res, multimask_output=False)
    assert (back == masks).all()


def test_the_same_prompts_give_the_same_masks_whatever_came_between(predictor: SamStylePredictor):
    first = predictor.predict(**POINT)
    predictor.predict([[80, 16]], [1], box=[50, 0, 96, 48])
    second = predictor.predict(**POINT)

    for one, other in zip(first, second, strict=True):
        assert (one == other).all()


def test_blue_green_red_is_turned_round(method: BlobMethod):
    seen = []
    prepare = method.prepare
    method.prepare = lambda image: seen.append(image) or prepare(image)  # type: ignore[method-assign]
    image = paint(TWO_BLOBS)
    predictor = SamStylePredictor(method)
    predictor.set_image(image[..., ::-1], image_format="BGR")

    assert (seen[0] == image).all()
    with pytest.raises(InputError, match="'RGB' or 'BGR'"):
        predictor.set_image(image, image_format="HSV")


def test_a_picture_must_be_set_and_can_be_let_go(predictor: SamStylePredictor):
    assert predictor.is_image_set
    predictor.reset_image()
    assert not predictor.is_image_set
    with pytest.raises(InputError, match=r"call set_image\(image\) before"):
        predictor.predict(**POINT)


def test_a_failed_set_image_keeps_the_picture_before(predictor: SamStylePredictor):
    with pytest.raises(InputError):
        predictor.set_image(np.zeros((4, 4)))  # type: ignore[arg-type]
    predictor.predict(**POINT)


@pytest.mark.parametrize(
    ("prompts", "error", "message"),
    [
        ({}, InputError, "Nothing is prompted"),
        ({"point_coords": [[1, 1]]}, InputError, "without point_labels"),
        ({"point_labels": [1]}, InputError, "without point_coords"),
        ({"point_coords": [1, 1], "point_labels": [1]}, ShapeError, r"shape \(2,\)"),
        ({"point_coords": [[1, 1]], "point_labels": [1, 0]}, ShapeError, "one for each point"),
        ({"point_coords": [[1, 1]], "point_labels": [2]}, InputError, "needs 1"),
        ({"point_coords": [[96, 1]], "point_labels": [1]}, InputError, "outside the image"),
        ({"point_coords": [[np.nan, 1]], "point_labels": [1]}, InputError, "not finite"),
        ({"point_coords": "dog", "point_labels": [1]}, InputError, "no array of numbers"),
        ({"box": [1, 2, 3]}, ShapeError, "x0, y0, x1, y1"),
        ({"box": [9, 9, 2, 2]}, InputError, "empty"),
        ({"box": [200, 0, 300, 9]}, InputError, "outside"),
        ({"mask_input": np.zeros((3, 256, 256))}, ShapeError, "one layer"),
        ({"mask_input": np.zeros((48, 96))}, ShapeError, r"\(1, 256, 256\)"),
    ],
)
def test_prompts_that_do_not_fit_are_refused(
    predictor: SamStylePredictor, prompts, error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        predictor.predict(**prompts)
