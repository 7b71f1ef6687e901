from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from drawing import enlarge, mask, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.base import Depth
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.markov.m2n2 import M2N2, M2N2Config, M2N2Prepared
from fewclicks.methods.markov.m2n2v2 import M2N2V2, Dialogue, M2N2V2Config
from fewclicks.methods.registry import create_method

COARSE = ColourBackbone(ColourConfig(longest_side=16))
CROSS = ndimage.generate_binary_structure(2, 1)

Map = NDArray[np.float32]


def _picture(seed: int) -> RgbImage:
    """Soft blots of colour, 24 x 32."""
    noise = np.random.default_rng(seed).random((24, 32, 3)).astype(np.float32)
    blots = cv2.GaussianBlur(noise, (0, 0), 3.0)
    blots -= blots.min()
    return (blots * (255 / blots.max())).astype(np.uint8)


def _clicks(seed: int, count: int) -> list[Click]:
    chance = np.random.default_rng(seed + 100)
    return [
        Click(x=int(chance.integers(32)), y=int(chance.integers(24)), is_positive=number % 3 != 1)
        for number in range(count)
    ]


# The paper's sentences, one pixel and one threshold at a time.


@dataclass
class _Moment:
    """A click, and what was known when it came."""

    click: Click
    before: BoolMask
    limit: float
    left_out: bool = False


def _limit(click: Click, before: BoolMask, sigma: float) -> float:
    """Equations 9 and 10."""
    radius = math.inf
    for y, x in np.ndindex(before.shape):
        if before[y, x] == click.is_positive:
            radius = min(radius, math.hypot(x - click.x, y - click.y))
    return math.pi * (sigma * radius) ** 2


def _combined(maps: Sequence[Map], reach: Sequence[float], classes: Sequence[bool]) -> BoolMask:
    """Equations 11 and 12."""
    scaled = np.stack([each / np.float32(t) for each, t in zip(maps, reach, strict=True)])
    return np.asarray(np.array(classes)[scaled.argmin(axis=0)] & (scaled.min(axis=0) <= 1.0))


def _edge(distances: Map, segment: BoolMask) -> float:
    padded = np.pad(distances.astype(np.float64), 1, mode="reflect")
    steepness = np.hypot(ndimage.sobel(padded, axis=0), ndimage.sobel(padded, axis=1))
    border = ndimage.binary_dilation(segment, CROSS) & ~segment
    return float(steepness[1:-1, 1:-1][border].mean()) if border.any() else 0.0


def _thresholds(maps: Sequence[Map], moments: Sequence[_Moment]) -> list[float]:
    reach: list[float] = []
    classes = [moment.click.is_positive for moment in moments]
    for number, moment in enumerate(moments):
        distances, click = maps[number], moment.click
        seen = [*moments[: number + 1], *(m for m in moments[number + 1 :] if not m.left_out)]
        levels = np.minimum((distances * np.float32(1024)).astype(int), 1023)
        candidates = [float(distances[levels == level].max()) for level in np.unique(levels)]
        best, best_score = max(float(distances.min()), 1e-7), 0.0
        for threshold in candidates:
            segment = distances <= threshold
            if segment.all():
                continue
            same = [s.click for s in seen if s.click.is_positive == click.is_positive]
            others = [s.click for s in seen if s.click.is_positive != click.is_positive]
            area = _combined(
                maps[: number + 1], [*reach, max(threshold, 1e-7)], classes[: number + 1]
            ).sum()
            score = (
                float(abs(area - moment.before.sum()) < moment.limit)
                * _edge(distances, segment)
                * (sum(bool(segment[c.y, c.x]) for c in same) / len(same))
                * (not any(segment[c.y, c.x] for c in others))
            )
            if score > best_score * (1 + 1e-6):
                best, best_score = max(threshold, 1e-7), score
        reach.append(best)
    return reach


def _dialogue(
    method: M2N2V2, prepared: M2N2Prepared, clicks: Sequence[Click]
) -> tuple[list[BoolMask], list[_Moment]]:
    moments: list[_Moment] = []
    masks: list[BoolMask] = []
    before = np.zeros(prepared.image.shape[:2], dtype=bool)
    for click in clicks:
        moments.append(_Moment(click, before, _limit(click, before, method.config.adaptive_reach)))
        maps = [method.map_of(prepared, moment.click).distances for moment in moments]
        classes = [moment.click.is_positive for moment in moments]
        for is_left_out in (False, True):
            moments[-1].left_out = is_left_out
            answer = _combined(maps, _thresholds(maps, moments), classes)
            for moment in moments:
                answer[moment.click.y, moment.click.x] = moment.click.is_positive
            if not abs(int(answer.sum()) - int(before.sum())) > moments[-1].limit:
                break
        masks.append(answer)
        before = answer
    return masks, moments


@pytest.mark.parametrize("reach", [0.5, 1.0, 6.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_dialogue_is_answered_as_the_paper_says(seed: int, reach: float):
    method = M2N2V2(COARSE, M2N2V2Config(adaptive_reach=reach, flip=False))
    prepared = method.prepare(_picture(seed))
    clicks = _clicks(seed, 5)
    masks, moments = _dialogue(method, prepared, clicks)

    previous = None
    for count, expected in enumerate(masks, start=1):
        previous = method.predict(prepared, clicks[:count], previous)
        np.testing.assert_array_equal(previous.mask, expected)

    assert previous is not None
    assert isinstance(previous.state, Dialogue)
    found = previous.state.records
    assert [one.is_left_out for one in found] == [moment.left_out for moment in moments]
    assert [one.limit for one in found] == pytest.approx([moment.limit for moment in moments])


def test_these_dialogues_hold_clicks_that_are_left_out_and_limits_that_bind():
    """Otherwise the test above would not test them."""
    left_out = 0
    for seed in range(4):
        method = M2N2V2(COARSE, M2N2V2Config(adaptive_reach=0.5, flip=False))
        free = M2N2V2(COARSE, M2N2V2Config(adaptive_reach=1e6, flip=False))
        prepared = method.prepare(_picture(seed))
        answer = method.predict(prepared, _clicks(seed, 5))
        assert isinstance(answer.state, Dialogue)
        left_out += sum(record.is_left_out for record in answer.state.records)
        assert not np.array_equal(answer.mask, free.predict(prepared, _clicks(seed, 5)).mask)
    assert left_out > 0


@pytest.mark.parametrize("seed", range(3))
def test_clicks_at_once_get_the_answer_that_they_get_one_by_one(seed: int):
    method = M2N2V2(COARSE, M2N2V2Config(adaptive_reach=1.0))
    prepared = method.prepare(_picture(seed))
    clicks = _clicks(seed, 6)
    one_by_one = None
    for count in range(1, 7):
        one_by_one = method.predict(prepared, clicks[:count], one_by_one)
    assert one_by_one is not None
    for known in (0, 2, 5):
        previous = method.predict(prepared, clicks[:known]) if known else None
        at_once = method.predict(method.prepare(_picture(seed)), clicks, previous)
        np.testing.assert_array_equal(at_once.probability, one_by_one.probability)
        assert at_once.state == one_by_one.state
    again = method.predict(prepared, clicks, one_by_one)
    np.testing.assert_array_equal(again.probability, one_by_one.probability)


def test_a_persons_mask_stands_for_the_answer_before_the_newest_click():
    on = enlarge(mask("........", ".######.", ".######.", "........"), 8)
    method = M2N2V2(COARSE)
    prepared = method.prepare(paint(on))
    first, near = Click(x=30, y=16), Click(x=50, y=16)
    drawn = Prediction.from_mask(np.roll(on, 3, axis=1) & (np.arange(64) < 48))
    answer = method.predict(prepared, [first, near], drawn)
    assert isinstance(answer.state, Dialogue)
    record = answer.state.records[-1]
    assert record.area_before == int(drawn.mask.sum())
    assert record.limit == pytest.approx(math.pi * (6 * 3) ** 2)  # the mask ends at x = 47
    assert math.isinf(answer.state.records[0].limit)
    with pytest.raises(ShapeError, match=r"previous has shape \(2, 3\)"):
        method.predict(prepared, [first], Prediction.from_mask(np.zeros((2, 3), dtype=bool)))


def test_an_answer_to_other_clicks_is_taken_as_a_mask():
    method = M2N2V2(COARSE)
    prepared = method.prepare(_picture(0))
    first, second, third = _clicks(0, 3)
    other = method.predict(prepared, [third])
    found = method.predict(prepared, [first, second], other)
    expected = method.predict(prepared, [first, second], Prediction.from_mask(other.mask))
    np.testing.assert_array_equal(found.probability, expected.probability)


def test_a_click_on_what_has_its_class_already_changes_nothing():
    on = enlarge(mask("........", ".######.", ".######.", "........"), 8)
    method = M2N2V2(COARSE)
    prepared = method.prepare(paint(on))
    before = method.predict(prepared, [Click(x=30, y=16)])
    for again in (Click(x=40, y=20), Click(x=2, y=2, is_positive=False)):
        after = method.predict(prepared, [Click(x=30, y=16), again], before)
        np.testing.assert_array_equal(after.mask, before.mask)


def test_excluded_pixels_do_not_count_as_change():
    on = enlarge(mask("........", ".######.", ".######.", "........"), 8)
    method = M2N2V2(COARSE)
    excluded = np.arange(64) < 32
    barred = method.condition(
        method.prepare(paint(on)), Guidance(excluded=np.broadcast_to(excluded, on.shape).copy())
    )
    before = method.predict(barred, [Click(x=50, y=10)])
    after = method.predict(barred, [Click(x=50, y=10), Click(x=40, y=20)], before)
    assert iou(before.mask, on & ~excluded) > 0.97
    np.testing.assert_array_equal(after.mask, before.mask)


# Depth.


@dataclass(frozen=True)
class _NoSettings:
    pass


class _Ramp:
    """Near on the left."""

    name = "ramp"
    config_type: ClassVar = _NoSettings
    config: ClassVar = _NoSettings()

    def depth(self, image: RgbImage) -> Depth:
        height, width = image.shape[:2]
        return Depth(values=np.tile(np.linspace(1, 0, width, dtype=np.float32), (height, 1)))


def test_a_constant_depth_is_no_depth():
    method = M2N2V2(COARSE)
    prepared = method.prepare(_picture(1))
    clicks = _clicks(1, 6)
    without = method.predict(prepared, clicks)
    for level in (0.0, 0.3, 1.0):
        flat = np.full((24, 32), level, dtype=np.float32)
        guided = method.condition(prepared, Guidance(depth=flat))
        assert guided.guide is not prepared.guide
        np.testing.assert_array_equal(
            method.predict(guided, clicks).probability, without.probability
        )


def test_depth_parts_what_colour_cannot():
    on = enlarge(mask("........", ".######.", ".######.", "........"), 8)
    near = np.where(np.arange(64) < 32, np.float32(0.9), np.float32(0.1))
    depth = np.broadcast_to(near, on.shape).copy()
    method = M2N2V2(COARSE)
    prepared = method.prepare(paint(on))
    click = Click(x=20, y=16)
    assert method.predict(prepared, [click]).mask[16, 44]
    guided = method.predict(method.condition(prepared, Guidance(depth=depth)), [click]).mask
    assert iou(guided, on & (np.arange(64) < 32)) > 0.97


def test_a_source_of_depth_is_asked_for_the_picture_and_its_mirror_image():
    plain = M2N2V2(COARSE, M2N2V2Config(flip=False), depth=_Ramp())
    flipped = M2N2V2(COARSE, depth=_Ramp())
    own = plain.prepare(_picture(0)).guide.depth
    np.testing.assert_allclose(own[5], np.linspace(1, 0, 32), atol=1e-6)
    mean = flipped.prepare(_picture(0)).guide.depth
    np.testing.assert_allclose(mean, 0.5, atol=1e-6)


def test_a_persons_depth_takes_the_place_of_the_sources_until_it_is_taken_back():
    method = M2N2V2(COARSE, M2N2V2Config(flip=False), depth=_Ramp())
    prepared = method.prepare(_picture(0))
    clicks = _clicks(0, 3)
    depth = np.random.default_rng(0).random((24, 32), dtype=np.float32)
    guided = method.condition(prepared, Guidance(depth=depth))
    np.testing.assert_array_equal(guided.guide.depth, depth)
    assert method.condition(guided, Guidance(depth=depth.copy())).guide is guided.guide
    back = method.condition(guided, Guidance())
    assert back.guide is prepared.guide
    np.testing.assert_array_equal(
        method.predict(back, clicks).probability, method.predict(prepared, clicks).probability
    )


@pytest.mark.parametrize(
    ("setting", "channels"),
    [
        ({}, (True, True)),
        ({"guided_upsampling": False}, (False, True)),
        ({"guided_flood_fill": False}, (True, False)),
    ],
    ids=str,
)
def test_depth_guides_the_steps_that_it_is_let_to(setting: dict[str, bool], channels: Any):
    method = M2N2V2(COARSE, M2N2V2Config(flip=False, **setting), depth=_Ramp())
    guide = method.prepare(_picture(0)).guide
    assert (guide.upsampling_depth is not None, guide.flood_depth is not None) == channels


def test_with_every_novelty_off_it_is_m2n2():
    off = M2N2V2Config(adaptive_score=False, leave_out=False, flip=False)
    new, old = M2N2V2(COARSE, off), M2N2(COARSE)
    for seed in range(3):
        clicks = _clicks(seed, 5)
        picture = _picture(seed)
        found = new.predict(new.prepare(picture), clicks)
        expected = old.predict(old.prepare(picture), clicks)
        np.testing.assert_array_equal(found.probability, expected.probability)


def test_depth_alone_parts_near_from_far():
    on = enlarge(mask("........", ".######.", ".######.", "........"), 8)
    method = create_method("m2n2v2", backbone="none")
    prepared = method.prepare(np.full((*on.shape, 3), 90, dtype=np.uint8))
    depth = np.where(on, np.float32(0.8), np.float32(0.2))
    guided = method.condition(prepared, Guidance(depth=depth))
    assert iou(method.predict(guided, [Click(x=30, y=16)]).mask, on) > 0.97
    assert method.predict(prepared, [Click(x=30, y=16)]).mask.all()  # to nothing, all is alike


def test_a_large_picture_is_judged_at_its_own_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fewclicks.methods.markov.m2n2._SHORTEST_SIDE", 32)
    on = enlarge(mask("........", ".######.", ".######.", "........"), 24)
    method = M2N2V2(COARSE)
    prepared = method.prepare(paint(on))
    assert prepared.guide.height == 32
    before = method.predict(prepared, [Click(x=90, y=48)])
    near = Click(x=int(np.flatnonzero(~before.mask[48])[-1]), y=48)
    after = method.predict(prepared, [Click(x=90, y=48), near], before)
    assert isinstance(after.state, Dialogue)
    assert after.state.records[-1].area_before == int(before.mask.sum())


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="adaptive_reach is 0; needs a number above 0"):
        M2N2V2Config(adaptive_reach=0)
    with pytest.raises(InputError, match="temperature is -1; needs"):
        M2N2V2Config(temperature=-1)


def test_the_published_settings_are_those_of_m2n2_and_a_reach_of_six():
    config = create_method("m2n2v2").config
    shared = {field: getattr(config, field) for field in M2N2Config.__dataclass_fields__}
    assert M2N2Config(**shared) == replace(M2N2Config(), flip=True)
    assert config.adaptive_reach == 6
