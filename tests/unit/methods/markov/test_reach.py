"""What the newest click may stand for: parts, the object, groups; and the maps it is seen by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drawing import enlarge, mask
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.cli.maps import write_maps
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.maps import HasLevels, HasMaps, Levels
from fewclicks.methods.markov.fewclicks import Fewclicks, FewclicksConfig, RegionPicture
from fewclicks.methods.markov.reach import OWN_LEVEL, Reach, reach_of
from fewclicks.session.session import Session

# A dark red head on a light red body, beside a body of its own kind; all on blue.
HEAD = enlarge(mask("................", "...##...........", "...##...........", *["." * 16] * 6), 6)
BODY = enlarge(
    mask(*["." * 16] * 3, *["..####.........."] * 3, *["." * 16] * 3),
    6,
)
OTHER = enlarge(mask(*["." * 16] * 3, *["..........####.."] * 3, *["." * 16] * 3), 6)
ON_HEAD = Click(x=24, y=11)
ON_BODY = Click(x=24, y=27)
OFF = Click(x=48, y=50, is_positive=False)


def _paint() -> RgbImage:
    image = np.full((*HEAD.shape, 3), (40, 70, 190), dtype=np.uint8)
    image[BODY | OTHER] = (230, 90, 70)
    image[HEAD] = (170, 40, 30)
    noise = np.random.default_rng(0).integers(-6, 7, image.shape)
    return np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def method() -> Fewclicks:
    return Fewclicks(ColourBackbone(ColourConfig(longest_side=16)), FewclicksConfig(regions=200))


@pytest.fixture(scope="module")
def prepared(method: Fewclicks) -> RegionPicture:
    return method.prepare(_paint())


def _at(click: Click, level: float) -> Click:
    return replace(click, level=level)


def _answers(
    method: Fewclicks,
    prepared: RegionPicture,
    clicks: Sequence[Click],
    previous: Prediction | None = None,
) -> tuple[Levels, list[BoolMask]]:
    """Levels of the newest click, and the mask at each."""
    levels = method.levels(prepared, clicks, previous)
    return levels, [
        method.predict(prepared, [*clicks[:-1], _at(clicks[-1], level)], previous).mask
        for level in levels.thresholds
    ]


def test_the_default_has_levels_and_maps(method: Fewclicks):
    assert isinstance(method, HasLevels)
    assert isinstance(method, HasMaps)


def test_the_own_level_is_the_answer_without_a_choice(method: Fewclicks, prepared: RegionPicture):
    for clicks in ([ON_BODY], [ON_BODY, OFF]):
        before = method.predict(prepared, clicks[:-1]) if clicks[:-1] else None
        own = method.predict(prepared, clicks, before)
        levels = method.levels(prepared, clicks, before)
        assert levels.thresholds[levels.automatic] == OWN_LEVEL
        assert levels.automatic == levels.chosen
        chosen = [*clicks[:-1], _at(clicks[-1], OWN_LEVEL)]
        same = method.predict(prepared, chosen, before)
        np.testing.assert_array_equal(same.probability, own.probability)
    assert method.levels(prepared, [ON_BODY]).areas[
        method.levels(prepared, [ON_BODY]).automatic
    ] == (method.predict(prepared, [ON_BODY]).mask.sum())


def test_lower_levels_are_parts_and_higher_ones_are_groups(
    method: Fewclicks, prepared: RegionPicture
):
    levels, answers = _answers(method, prepared, [ON_BODY])
    own = answers[levels.automatic]
    assert 2 <= len(answers) <= 7
    for number, answer in enumerate(answers):
        assert answer[ON_BODY.y, ON_BODY.x]
        assert (own | ~answer).all() if number < levels.automatic else (answer | ~own).all()
    areas = [int(answer.sum()) for answer in answers]
    assert areas == sorted(areas)
    assert areas[0] < areas[-1]


def test_a_part_or_the_group_is_among_the_levels(method: Fewclicks, prepared: RegionPicture):
    _, answers = _answers(method, prepared, [ON_HEAD])
    assert max(iou(answer, HEAD) for answer in answers) > 0.85
    assert max(iou(answer, HEAD | BODY) for answer in answers) > 0.85


def test_a_level_of_a_negative_click_takes_less_or_more_away(
    method: Fewclicks, prepared: RegionPicture
):
    before = Prediction.from_mask(HEAD | BODY | OTHER)
    clicks = [ON_BODY, Click(x=24, y=11, is_positive=False)]
    levels, answers = _answers(method, prepared, clicks, before)
    areas = [int(answer.sum()) for answer in answers]
    assert areas == sorted(areas, reverse=True)
    for answer in answers:
        assert answer[ON_BODY.y, ON_BODY.x]
        assert not answer[11, 24]
    assert levels.areas[levels.automatic] == (before.mask & ~answers[levels.automatic]).sum()


def test_a_group_keeps_off_clicks_of_the_other_class_and_excluded_pixels(
    method: Fewclicks, prepared: RegionPicture
):
    clicks = [Click(x=72, y=27, is_positive=False), ON_BODY]
    everything = method.predict(prepared, [clicks[0], _at(ON_BODY, 0.99)])
    assert (everything.mask & OTHER).sum() < 0.2 * OTHER.sum()
    without = method.condition(prepared, Guidance(excluded=OTHER))
    answer = method.predict(without, [_at(ON_BODY, 0.99)])
    assert not (answer.mask & OTHER).any()
    assert answer.mask.sum() > method.predict(without, [ON_BODY]).mask.sum()


def test_a_later_click_leaves_a_chosen_level_alone_where_it_is_far(
    method: Fewclicks, prepared: RegionPicture
):
    levels = method.levels(prepared, [ON_BODY])
    assert levels.automatic > 0
    for level in levels.thresholds[: levels.automatic]:
        chosen = method.predict(prepared, [_at(ON_BODY, level)])
        clicks = [_at(ON_BODY, level), OFF]
        later = method.predict(prepared, clicks, chosen)
        near = np.hypot(*np.ogrid[-OFF.y : 54 - OFF.y, -OFF.x : 96 - OFF.x]) < 12
        assert iou(later.mask & ~near, chosen.mask & ~near) > 0.85
        np.testing.assert_array_equal(
            method.predict(prepared, clicks).probability, later.probability
        )


def test_a_session_chooses_levels_and_takes_them_back(method: Fewclicks, prepared: RegionPicture):
    session = Session(method, prepared)
    session.click(x=ON_BODY.x, y=ON_BODY.y)
    own, offered = session.mask, session.levels
    answers = [session.choose_level(k).probability for k in range(len(offered.thresholds))]
    assert session.levels.thresholds == offered.thresholds
    assert session.levels.chosen == len(answers) - 1
    for answer in reversed(answers):
        np.testing.assert_array_equal(session.prediction.probability, answer)
        session.undo()
    np.testing.assert_array_equal(session.mask, own)
    session.redo()
    np.testing.assert_array_equal(session.prediction.probability, answers[0])
    session.click(x=OFF.x, y=OFF.y, is_positive=False)
    text = session.to_json()
    again = Session.from_json(text, method, prepared)
    np.testing.assert_array_equal(again.probability, session.probability)


@pytest.mark.parametrize(
    "clicks",
    [[OFF], [ON_BODY, Click(x=25, y=28)], [Click(x=0, y=0)]],
    ids=["only negative", "twice at one place", "corner"],
)
def test_every_click_has_its_own_level(
    method: Fewclicks, prepared: RegionPicture, clicks: list[Click]
):
    before = method.predict(prepared, clicks[:-1]) if clicks[:-1] else None
    levels, answers = _answers(method, prepared, clicks, before)
    own = method.predict(prepared, clicks, before).mask
    np.testing.assert_array_equal(answers[levels.automatic], own)


def test_levels_need_a_click(method: Fewclicks, prepared: RegionPicture):
    with pytest.raises(InputError, match="no click that could have levels"):
        method.levels(prepared, [])


def test_a_large_picture_has_the_levels_of_its_small_copy(method: Fewclicks):
    large = _paint().repeat(4, axis=0).repeat(4, axis=1)
    coarse = Fewclicks(method.backbone, replace(method.config, longest_side=96))
    prepared = coarse.prepare(large)
    click = Click(x=4 * ON_BODY.x, y=4 * ON_BODY.y)
    levels, answers = _answers(coarse, prepared, [click])
    own = answers[levels.automatic]
    assert levels.areas[levels.automatic] == pytest.approx(own.sum(), rel=0.05)
    for number, answer in enumerate(answers):
        assert (own | ~answer).all() if number < levels.automatic else (answer | ~own).all()


def test_segments_are_nested_and_begin_at_the_click(prepared: RegionPicture):
    view, answer = prepared.whole, HEAD | BODY
    reach = reach_of(view, [ON_BODY], own=answer)
    clicked = view.regions.superpixels.labels[ON_BODY.y, ON_BODY.x]
    np.testing.assert_array_equal(reach.pixels <= OWN_LEVEL, answer)
    assert 0 < reach.levels[clicked] == reach.levels.min()
    assert reach.levels.max() <= 1
    opinion = np.where(view.regions.superpixels.mean(answer) > 0.5, 2.0, -2.0)
    np.testing.assert_array_equal(reach.turn(opinion, OWN_LEVEL, by=4.0), opinion)
    part, group = (reach.turn(opinion, level, by=4.0) for level in (0.25, 0.75))
    assert set(part[part != opinion]) == {-4.0}
    assert set(group[group != opinion]) == {4.0}
    np.testing.assert_array_equal(group != opinion, (reach.levels > 0.5) & (reach.levels <= 0.75))


def test_a_change_is_limited_to_its_direction():
    own, before = np.array([[1, 1, 0, 0]], bool), np.array([[1, 0, 0, 1]], bool)
    wild = np.array([[0, 0, 1, 1]], bool)

    def limited(level: float, is_positive: bool) -> list[int]:
        reach = Reach(
            is_positive=is_positive,
            levels=np.ones(1),
            pixels=np.ones((1, 4), dtype=np.float32),
            own=own,
            before=before,
        )
        return [int(pixel) for pixel in reach.limit(wild, level)[0]]

    assert limited(0.2, True) == [1, 0, 0, 0]
    assert limited(0.8, True) == [1, 1, 1, 1]
    assert limited(0.2, False) == [1, 1, 0, 1]
    assert limited(0.8, False) == [0, 0, 0, 0]


def test_maps_show_the_distances_of_each_click_and_the_answer_of_all(
    method: Fewclicks, prepared: RegionPicture, tmp_path: Path
):
    clicks = [ON_BODY, OFF]
    before = method.predict(prepared, clicks[:1])
    maps = method.maps(prepared, clicks, before)
    answer = method.predict(prepared, clicks, before)
    assert [one.click for one in maps] == clicks
    assert method.maps(prepared, []) == []
    for one in maps:
        names = list(one.stages)
        assert names[-2:] == ["doubt", "off"]
        assert "path-over-the-backbone-features" in names
        assert "steps-of-a-walk-over-the-backbone-tokens" not in names  # colour has no such walk
        for name, values in one.stages.items():
            assert values.shape == HEAD.shape
            assert values.min() >= 0
            if name not in ("doubt", "off"):
                assert values[one.click.y, one.click.x] == pytest.approx(values.min(), abs=1e-6)
        np.testing.assert_array_equal(one.stages["off"] <= one.threshold, answer.mask)
    assert (
        maps[0].stages["doubt"][answer.mask].mean() < maps[0].stages["doubt"][~answer.mask].mean()
    )
    written = write_maps(tmp_path, _paint(), maps)
    assert len(written) == 2 * (len(maps[0].stages) + 2)
