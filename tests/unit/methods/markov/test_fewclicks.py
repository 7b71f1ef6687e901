from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing import enlarge, mask, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import iou
from fewclicks.methods.base import Method, Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.markov.evidence_network import (
    EvidenceNetwork,
    Perceptron,
    network_for,
)
from fewclicks.methods.markov.fewclicks import Fewclicks, FewclicksConfig, RegionPicture
from fewclicks.methods.markov.local_refiner import Looked

COARSE = ColourBackbone(ColourConfig(longest_side=16))
INSIDE = Click(x=30, y=24)
OUTSIDE = Click(x=70, y=50, is_positive=False)

BIAS, COLOUR_RATIO, PREVIOUS, OPINION = -1, 39, 84, 106  # columns; -1 for none


def _linear(columns: int, weights: dict[int, float]) -> Perceptron:
    """Weigh a few columns; all others have no say."""
    weight = np.zeros((columns, 1), dtype=np.float32)
    for column, share in weights.items():
        if column != BIAS:
            weight[column] = share
    return Perceptron(
        mean=np.zeros(columns, dtype=np.float32),
        deviation=np.ones(columns, dtype=np.float32),
        weights=(weight,),
        biases=(np.array([weights.get(BIAS, 0.0)], dtype=np.float32),),
    )


def _network(weights: dict[int, float]) -> EvidenceNetwork:
    """The second perceptron repeats the first."""
    return EvidenceNetwork(alone=_linear(106, weights), together=_linear(130, {OPINION: 1.0}))


LIKE_COLOURS = {BIAS: 4.0, COLOUR_RATIO: -8.0}  # positive where a positive click's colour is nearer


def _method(weights: dict[int, float] = LIKE_COLOURS, **settings: float) -> Fewclicks:
    config = FewclicksConfig(**{"regions": 150, **settings})
    return Fewclicks(COARSE, config, _network(weights))


@pytest.fixture(scope="module")
def method() -> Fewclicks:
    return _method()


@pytest.fixture(scope="module")
def blob() -> BoolMask:
    """(60, 80), a disk and a bar of its colour, apart."""
    rows = ["." * 16] * 2 + ["....####........"] + ["...######....##."] * 4 + ["....####........"]
    return enlarge(mask(*rows, *["." * 16] * 4), 5)


@pytest.fixture(scope="module")
def image(blob: BoolMask) -> RgbImage:
    return paint(blob)


@pytest.fixture(scope="module")
def prepared(method: Fewclicks, image: RgbImage) -> RegionPicture:
    return method.prepare(image)


@pytest.fixture
def disk(blob: BoolMask) -> BoolMask:
    return blob & (np.arange(80) < 60)


def _check(prediction: Prediction, shape: tuple[int, int]) -> None:
    """A probability of the picture's size, and a mask that agrees with it."""
    probability = prediction.probability
    assert probability.shape == shape
    assert probability.dtype == np.float32
    assert probability.min() >= 0.0
    assert probability.max() <= 1.0
    np.testing.assert_array_equal(prediction.mask, probability > 0.5)


def _part(prediction: Prediction) -> Box:
    """Where an answer was found."""
    assert isinstance(prediction.state, Looked)
    return prediction.state.box


def _held(prediction: Prediction, clicks: Sequence[Click]) -> bool:
    newest = {(click.y, click.x): click.is_positive for click in clicks}
    return all(prediction.mask[place] == is_positive for place, is_positive in newest.items())


def test_it_is_a_method_with_a_configuration_of_its_own():
    typed: Method[RegionPicture] = Fewclicks(COARSE)
    assert typed.config == FewclicksConfig()
    assert typed.config_type is FewclicksConfig
    assert Fewclicks(COARSE).network is network_for("colour")


def test_one_click_finds_a_plain_object_and_none_that_lies_apart(
    method: Fewclicks, prepared: RegionPicture, disk: BoolMask
):
    prediction = method.predict(prepared, [INSIDE])
    _check(prediction, (60, 80))
    assert iou(prediction.mask, disk) > 0.97


def test_a_click_on_each_part_finds_both(
    method: Fewclicks, prepared: RegionPicture, blob: BoolMask
):
    assert iou(method.predict(prepared, [INSIDE, Click(x=70, y=25)]).mask, blob) > 0.97


def test_the_shipped_network_finds_a_plain_object(image: RgbImage, disk: BoolMask):
    method = Fewclicks(COARSE, FewclicksConfig(regions=300))
    prepared = method.prepare(image)
    first = method.predict(prepared, [INSIDE])
    assert iou(first.mask, disk) > 0.9
    second = method.predict(prepared, [INSIDE, Click(x=71, y=24, is_positive=False)], first)
    assert iou(second.mask, disk) > 0.95


def test_without_clicks_the_previous_answer_stands(method: Fewclicks, prepared: RegionPicture):
    assert not method.predict(prepared, []).mask.any()
    previous = method.predict(prepared, [INSIDE])
    answer = method.predict(prepared, [], previous)
    np.testing.assert_array_equal(answer.probability, previous.probability)


def test_the_same_question_has_the_same_answer(
    method: Fewclicks, prepared: RegionPicture, image: RgbImage
):
    clicks = [INSIDE, OUTSIDE]
    first = method.predict(prepared, clicks)
    for other in (prepared, method.prepare(image), _method().prepare(image)):
        np.testing.assert_array_equal(method.predict(other, clicks).probability, first.probability)


def test_what_is_given_stays_as_it_is(method: Fewclicks, image: RgbImage, blob: BoolMask):
    picture, excluded = image.copy(), np.zeros((60, 80), dtype=bool)
    excluded[:10] = True
    before = excluded.copy()
    previous = Prediction.from_mask(np.roll(blob, 7))
    mask_before = previous.probability.copy()
    prepared = method.condition(method.prepare(picture), Guidance(excluded=excluded))
    method.predict(prepared, [INSIDE, OUTSIDE], previous)
    np.testing.assert_array_equal(picture, image)
    np.testing.assert_array_equal(excluded, before)
    np.testing.assert_array_equal(previous.probability, mask_before)


@cache
def _answering(longest_side: int, zoom: float) -> tuple[Fewclicks, RegionPicture]:
    """Noise, prepared once for each size."""
    method = _method(longest_side=longest_side, zoom=zoom, zoom_regions=60, zoom_side=70)
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return method, method.prepare(noise)


PLACES = st.tuples(st.integers(0, 79), st.integers(0, 59), st.booleans())


@settings(deadline=None, max_examples=12)
@given(
    where=st.lists(PLACES, min_size=1, max_size=8),
    longest_side=st.sampled_from([1024, 30]),
    zoom=st.sampled_from([0.0, 0.4]),
)
def test_clicked_pixels_keep_their_class_at_every_size(
    where: list[tuple[int, int, bool]], longest_side: int, zoom: float
):
    method, prepared = _answering(longest_side, zoom)
    clicks = [Click(x=x, y=y, is_positive=positive) for x, y, positive in where]
    previous = None
    for count in range(1, len(clicks) + 1):
        previous = method.predict(prepared, clicks[:count], previous)
        _check(previous, (60, 80))
        assert _held(previous, clicks[:count])


def test_excluded_pixels_are_never_on_the_object_even_where_clicked(
    method: Fewclicks, prepared: RegionPicture, blob: BoolMask
):
    excluded = blob & (np.arange(80) < 28)
    conditioned = method.condition(prepared, Guidance(excluded=excluded))
    within = Click(x=20, y=24)
    for clicks in ([INSIDE], [INSIDE, within], [within]):
        prediction = method.predict(conditioned, clicks, Prediction.from_mask(blob))
        _check(prediction, (60, 80))
        assert not (prediction.mask & excluded).any()
    found = method.predict(conditioned, [INSIDE]).mask
    assert iou(found, blob & ~excluded & (np.arange(80) < 60)) > 0.9


def test_conditioning_leaves_the_prepared_picture_alone(method: Fewclicks, prepared: RegionPicture):
    before = method.predict(prepared, [INSIDE]).probability
    full = method.condition(prepared, Guidance(excluded=np.ones((60, 80), dtype=bool)))
    assert not method.predict(full, [INSIDE]).mask.any()
    np.testing.assert_array_equal(method.predict(prepared, [INSIDE]).probability, before)
    released = method.condition(full, Guidance())
    np.testing.assert_array_equal(method.predict(released, [INSIDE]).probability, before)
    with pytest.raises(ShapeError, match=r"excluded has shape \(3, 4\)"):
        method.condition(prepared, Guidance(excluded=np.ones((3, 4), dtype=bool)))


def test_a_large_picture_is_worked_on_at_the_longest_side_and_answered_in_full(
    image: RgbImage, disk: BoolMask
):
    large, wanted = image.repeat(4, axis=0).repeat(4, axis=1), enlarge(disk, 4)
    method = _method(longest_side=80)
    prepared = method.prepare(large)
    assert prepared.whole.shape == (60, 80)
    assert prepared.whole.colours.index.shape == (60, 80)
    on = Click(x=4 * INSIDE.x + 1, y=4 * INSIDE.y + 1)
    off = Click(x=4 * OUTSIDE.x, y=4 * OUTSIDE.y, is_positive=False)
    for clicks in ([on], [on, off]):
        prediction = method.predict(prepared, clicks)
        _check(prediction, (240, 320))
        assert _held(prediction, clicks)
        assert iou(prediction.mask, wanted) > 0.95


def test_a_small_picture_is_not_enlarged(prepared: RegionPicture):
    assert prepared.whole.shape == (60, 80)


@pytest.mark.parametrize("longest_side", [1024, 40])
def test_the_previous_mask_has_a_say(image: RgbImage, blob: BoolMask, longest_side: int):
    method = _method(
        {BIAS: -1.0, PREVIOUS: 8.0},
        longest_side=longest_side,
        colour=0.0,
        local_colour=0.0,
        strength=1.0,
    )
    prepared = method.prepare(image)
    assert method.predict(prepared, [INSIDE]).mask.sum() < 250  # not much more than its disk
    shifted = np.roll(blob & (np.arange(80) < 60), 10, axis=1)
    followed = method.predict(prepared, [INSIDE], Prediction.from_mask(shifted))
    assert iou(followed.mask, shifted) > 0.75  # as well as regions follow it


def test_a_click_off_the_object_takes_away_no_more_than_it_was_meant_for(
    image: RgbImage, disk: BoolMask
):
    near_edge = Click(x=18, y=24, is_positive=False)  # a few pixels inside the disk
    previous = Prediction(probability=disk.astype(np.float32), state=None)

    def left(clicks: Sequence[Click], **settings: float) -> BoolMask:
        method = _method({BIAS: -3.0}, steadiness=0.0, colour=0.0, local_colour=0.0, **settings)
        prepared = method.prepare(image)
        return method.predict(prepared, clicks, previous).mask

    assert left([near_edge]).sum() < 0.1 * disk.sum()
    assert left([near_edge], bulge=1.4).sum() > 0.5 * disk.sum()
    # A stroke's last click need not be the middle of anything.
    stroke = [Click(x=25, y=24, is_positive=False), near_edge]
    np.testing.assert_array_equal(left(stroke, bulge=1.4), left(stroke))


def test_one_way_a_click_on_the_object_takes_nothing_away(image: RgbImage, blob: BoolMask):
    off = Click(x=5, y=5)

    def left(**settings: float) -> BoolMask:
        method = _method({BIAS: -3.0}, steadiness=0.0, colour=0.0, local_colour=0.0, **settings)
        previous = Prediction.from_mask(blob)
        return method.predict(method.prepare(image), [off], previous).mask

    assert (left() & blob).sum() < 0.1 * blob.sum()
    assert (left(one_way=True) >= blob).all()


def test_steadiness_keeps_the_previous_mask_where_the_newest_click_is_far(
    image: RgbImage, disk: BoolMask
):
    previous = Prediction.from_mask(disk)
    near = Click(x=INSIDE.x + 3, y=INSIDE.y)

    def found(steadiness: float, newest: Click) -> BoolMask:
        nothing_else = {"shape": 0.0, "colour": 0.0, "local_colour": 0.0, "strength": 1.0}
        method = _method({BIAS: -0.5}, steadiness=steadiness, **nothing_else)
        return method.predict(method.prepare(image), [INSIDE, newest], previous).mask

    assert found(0.0, OUTSIDE).sum() < 250
    assert iou(found(3.0, OUTSIDE), disk) > 0.8
    assert found(3.0, near).sum() < 250  # the click is about these pixels


@pytest.mark.parametrize(
    "settings",
    [
        {"levels": 0},
        {"levels": 3},
        {"strength": 0.0},
        {"colour": 0.0},
        {"local_colour": 0.0},
        {"colour": 0.0, "local_colour": 0.0},
        {"radius": 0},
        {"cut": False},
    ],
)
def test_a_plain_object_is_found_with_other_settings(
    image: RgbImage, disk: BoolMask, settings: dict[str, float]
):
    method = _method(**settings)
    prediction = method.predict(method.prepare(image), [INSIDE, OUTSIDE])
    _check(prediction, (60, 80))
    assert iou(prediction.mask, disk) > 0.9


def test_a_higher_strength_makes_a_shorter_outline():
    noise = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)

    def outline(strength: float) -> int:
        method = _method(strength=strength)
        found = method.predict(method.prepare(noise), [INSIDE, OUTSIDE]).mask
        return int(np.diff(found, axis=0).sum() + np.diff(found, axis=1).sum())

    assert 0 < outline(50.0) < outline(0.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (7, 23)])
@pytest.mark.parametrize("shade", [None, 0, 255])
def test_pictures_of_any_shape_are_answered(shape: tuple[int, int], shade: int | None):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    if shade is not None:
        picture[:] = shade
    height, width = shape
    clicks = [
        Click(x=width // 2, y=height // 2),
        Click(x=width - 1, y=height - 1, is_positive=False),
    ]
    for network in (_network(LIKE_COLOURS), network_for("colour")):
        method = Fewclicks(COARSE, FewclicksConfig(), network)
        prepared = method.prepare(picture)
        previous = None
        for count in (1, 2):
            previous = method.predict(prepared, clicks[:count], previous)
            _check(previous, shape)
            assert _held(previous, clicks[:count])


def test_distances_of_a_region_are_measured_once(method: Fewclicks, image: RgbImage):
    prepared = method.prepare(image)
    first = prepared.whole.seen(INSIDE)
    again = prepared.whole.seen(replace(INSIDE, is_positive=False))
    assert first.region == prepared.whole.regions.superpixels.labels[INSIDE.y, INSIDE.x]
    assert first.is_positive
    assert not again.is_positive
    assert again.distances is first.distances
    conditioned = method.condition(prepared, Guidance())
    assert conditioned.whole.seen(INSIDE).distances is first.distances


def test_two_threads_on_one_picture_get_what_one_after_the_other_gets(
    method: Fewclicks, image: RgbImage
):
    random = np.random.default_rng(3)
    rounds = [
        [INSIDE, Click(x=int(x), y=int(y), is_positive=bool(kind))]
        for x, y, kind in zip(
            random.integers(0, 80, 8), random.integers(0, 60, 8), [0, 1] * 4, strict=True
        )
    ]
    alone = method.prepare(image)
    expected = [method.predict(alone, clicks).probability for clicks in rounds]
    shared = method.prepare(image)
    found: dict[int, list[np.ndarray]] = {}

    def answer(thread: int) -> None:
        found[thread] = [method.predict(shared, clicks).probability for clicks in rounds]

    threads = [threading.Thread(target=answer, args=(thread,)) for thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers in (found[0], found[1]):
        for one, other in zip(answers, expected, strict=True):
            np.testing.assert_array_equal(one, other)


# A closer look

STAR = Click(x=212, y=82)  # on the small object of a large picture
BESIDE = Click(x=232, y=82, is_positive=False)
FAR_OFF = Click(x=40, y=180, is_positive=False)
CLOSER: dict[str, float] = {
    "longest_side": 100,
    "zoom": 0.5,
    "zoom_regions": 200,
    "zoom_side": 160,
}


@pytest.fixture(scope="module")
def star() -> BoolMask:
    """(240, 320), an object with five points, 36 pixels wide."""
    ys, xs = np.mgrid[:240, :320]
    angle = np.arctan2(ys - 82, xs - 212)
    return np.hypot(ys - 82, xs - 212) < 12 + 6 * np.cos(5 * angle)


@pytest.fixture(scope="module")
def large(star: BoolMask) -> RgbImage:
    return paint(star)


@pytest.fixture(scope="module")
def closer() -> Fewclicks:
    return _method(**CLOSER)


@pytest.fixture(scope="module")
def sight(closer: Fewclicks, large: RgbImage) -> RegionPicture:
    return closer.prepare(large)


def test_a_closer_look_finds_a_closer_outline(
    closer: Fewclicks, sight: RegionPicture, large: RgbImage, star: BoolMask
):
    plain = _method(**CLOSER | {"zoom": 0.0})
    found = {}
    for method, prepared in ((plain, plain.prepare(large)), (closer, sight)):
        first = method.predict(prepared, [STAR])
        second = method.predict(prepared, [STAR, BESIDE], first)
        _check(second, (240, 320))
        assert _held(second, [STAR, BESIDE])
        found[method.config.zoom] = iou(second.mask, star)
    assert found[0.5] > max(found[0.0], 0.95)


def test_the_answer_says_where_it_looked_and_the_next_one_keeps_to_it(
    closer: Fewclicks, sight: RegionPicture
):
    whole = Box(0, 0, 320, 240)
    first = closer.predict(sight, [STAR])
    assert _part(first) == whole
    second = closer.predict(sight, [STAR, BESIDE], first)
    assert _part(second).width < 100
    assert _part(second).holds(STAR.x, STAR.y)
    assert not second.probability[:, : _part(second).x0].any()
    third = closer.predict(sight, [STAR, BESIDE, Click(x=212, y=80)], second)
    assert _part(third) == _part(second)


def test_a_click_far_from_the_object_is_answered_on_the_whole_picture(
    closer: Fewclicks, sight: RegionPicture, star: BoolMask
):
    previous = closer.predict(sight, [STAR, BESIDE], closer.predict(sight, [STAR]))
    answer = closer.predict(sight, [STAR, BESIDE, FAR_OFF], previous)
    assert _part(answer) == Box(0, 0, 320, 240)
    assert iou(answer.mask, star) > 0.8
    again = closer.predict(sight, [STAR, BESIDE, FAR_OFF, Click(x=212, y=80)], answer)
    assert _part(again) != _part(answer)  # older clicks outside the part are no hindrance
    assert _held(again, [STAR, BESIDE, FAR_OFF])


def test_a_previous_answer_gives_the_same_next_one_whatever_came_between(
    closer: Fewclicks, sight: RegionPicture, large: RgbImage
):
    first = closer.predict(sight, [STAR])
    second = closer.predict(sight, [STAR, BESIDE], first)
    closer.predict(sight, [STAR, BESIDE, FAR_OFF], second)
    closer.predict(sight, [FAR_OFF, Click(x=100, y=100)], Prediction.from_mask(second.mask))
    for prepared in (sight, closer.prepare(large)):
        again = closer.predict(prepared, [STAR, BESIDE], first)
        np.testing.assert_array_equal(again.probability, second.probability)
        assert _part(again) == _part(second)


def test_excluded_pixels_are_off_the_object_in_a_closer_look_too(
    closer: Fewclicks, sight: RegionPicture, star: BoolMask
):
    excluded = np.broadcast_to(np.arange(320) < 207, (240, 320)).copy()
    conditioned = closer.condition(sight, Guidance(excluded=excluded))
    first = closer.predict(conditioned, [STAR])
    second = closer.predict(conditioned, [STAR, BESIDE], first)
    assert _part(second) != _part(first)
    assert not (second.mask & excluded).any()
    assert iou(second.mask, star & ~excluded) > 0.9


def test_two_threads_look_closer_at_one_picture(
    closer: Fewclicks, sight: RegionPicture, large: RgbImage
):
    first = closer.predict(sight, [STAR])
    expected = closer.predict(sight, [STAR, BESIDE], first).probability
    shared = closer.prepare(large)
    found: list[np.ndarray] = []

    def answer() -> None:
        found.append(closer.predict(shared, [STAR, BESIDE], first).probability)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for probability in found:
        np.testing.assert_array_equal(probability, expected)


@pytest.mark.parametrize(
    ("setting", "value", "needs"),
    [
        ("regions", 0, "at least 1"),
        ("longest_side", 7, "at least 8"),
        ("radius", -1, "at least 0"),
        ("levels", -1, "at least 0"),
        ("certainty", -1.0, "a number above 0"),
        ("colour", -0.1, "a number from 0 on"),
        ("strength", float("nan"), "a number from 0 on"),
        ("steadiness", -1.0, "a number from 0 on"),
        ("bulge", -1.0, "a number from 0 on"),
        ("zoom", -1.0, "a number from 0 on"),
        ("zoom_regions", 0, "at least 1"),
        ("zoom_side", 7, "at least 8"),
        ("bins", 0, "a number from 1 to 40"),
        ("bins", 41, "a number from 1 to 40"),
    ],
)
def test_a_setting_out_of_range_is_refused_and_named(setting: str, value: float, needs: str):
    with pytest.raises(InputError, match=f"{setting} is {value}; needs {needs}"):
        FewclicksConfig(**{setting: value})


def test_a_click_outside_is_refused(method: Fewclicks, prepared: RegionPicture):
    with pytest.raises(InputError, match="x=80, y=3 is outside"):
        method.predict(prepared, [INSIDE, Click(x=80, y=3)])


def test_what_is_no_picture_is_refused(method: Fewclicks):
    with pytest.raises(InputError, match="needs"):
        method.prepare(np.zeros((4, 4), dtype=np.uint8))
