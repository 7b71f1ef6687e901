from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.maps import Levels
from fewclicks.methods.markov.levels import MOST_LEVELS, offer_levels, unlike_levels
from fewclicks.methods.markov.m2n2 import M2N2
from fewclicks.methods.markov.m2n2v2 import M2N2V2

COARSE = ColourBackbone(ColourConfig(longest_side=16))

PART = mask("..........", "..##......", "..##......", "..........", "..........", "..........")
WHOLE = mask("..........", "..####....", "..####....", "..####....", "..........", "..........")
GROUP = mask("..........", "..#######.", "..#######.", "..#######.", "..#######.", "..........")
PART, WHOLE, GROUP = (enlarge(each, 4) for each in (PART, WHOLE, GROUP))
CLICK = Click(x=12, y=8)


def _terraces() -> np.ndarray:
    """Part 0, the rest of the object 0.3, of the group 0.6, of the picture 1."""
    distances = np.ones(PART.shape, dtype=np.float32)
    for segment, value in ((GROUP, 0.6), (WHOLE, 0.3), (PART, 0.0)):
        distances[segment] = value
    return distances


def test_the_levels_of_a_terraced_map_are_its_terraces():
    found = offer_levels(_terraces(), CLICK, automatic=float(np.float32(0.3)))
    assert found.areas == (PART.sum(), WHOLE.sum(), GROUP.sum())
    assert found.thresholds == pytest.approx((0.0, 0.3, 0.6))
    assert (found.automatic, found.chosen) == (1, 1)


def test_the_automatic_level_and_the_chosen_one_are_always_offered():
    click = Click(x=12, y=8, level=0.45)
    found = offer_levels(_terraces(), click, automatic=0.9, pixel_area=4.0)
    assert found.thresholds[found.automatic] == 0.9
    assert found.thresholds[found.chosen] == 0.45
    assert found.areas[found.chosen] == 4 * WHOLE.sum()
    assert list(found.thresholds) == sorted(found.thresholds)


def test_levels_are_few_and_unlike():
    hills = np.random.default_rng(0).random((60, 80)).astype(np.float32)
    found = offer_levels(hills / hills.max(), CLICK, automatic=0.5)
    assert 1 < len(found.thresholds) <= MOST_LEVELS
    areas = np.array(found.areas)
    assert (areas[1:] >= 1.25 * areas[:-1]).all()


def test_each_side_of_the_automatic_level_may_have_its_share_of_the_offers():
    hills = np.random.default_rng(0).random((60, 80)).astype(np.float32)
    for each_side in (1, 2):
        found = offer_levels(hills / hills.max(), CLICK, automatic=0.1, each_side=each_side)
        assert found.automatic <= each_side
        assert len(found.thresholds) - 1 - found.automatic == each_side


def test_levels_that_come_to_the_same_are_offered_once():
    offered = Levels(
        thresholds=(0.1, 0.2, 0.3, 0.5, 0.7, 0.8),
        areas=(20, 40, 60, 100, 200, 300),
        automatic=3,
        chosen=4,
    )
    kept = unlike_levels(offered, [3, 50, 51, 100, 101, 160])
    assert kept == Levels(
        thresholds=(0.2, 0.5, 0.7, 0.8), areas=(50, 100, 101, 160), automatic=1, chosen=2
    )


@pytest.mark.parametrize("method", [M2N2(COARSE), M2N2V2(COARSE)], ids=["m2n2", "m2n2v2"])
def test_a_click_with_a_level_reaches_as_far_whatever_else_is_clicked(method: M2N2):
    prepared = method.prepare(paint(WHOLE))
    off = Click(x=36, y=2, is_positive=False)
    for level in (0.1, 0.6):
        click = Click(x=12, y=8, level=level)
        segment = method.map_of(prepared, click).distances <= np.float32(level)
        segment[click.y, click.x] = True
        alone = method.predict(prepared, [click])
        np.testing.assert_array_equal(alone.mask, segment)
        both = method.predict(prepared, [click, off], alone)
        assert not both.mask[off.y, off.x]
        assert method.thresholds(prepared, [click, off], alone)[0] == level


@pytest.mark.parametrize("method", [M2N2(COARSE), M2N2V2(COARSE)], ids=["m2n2", "m2n2v2"])
def test_the_offers_hold_what_the_method_answers_with(method: M2N2):
    prepared = method.prepare(paint(WHOLE))
    clicks = [CLICK, Click(x=36, y=2, is_positive=False)]
    previous = method.predict(prepared, clicks[:1])
    found = method.levels(prepared, clicks[:1])
    assert found.automatic == found.chosen
    assert found.thresholds[found.automatic] == method.thresholds(prepared, clicks[:1])[0]
    assert found.areas[found.automatic] == previous.mask.sum()
    later = method.levels(prepared, clicks, previous)
    expected = method.thresholds(prepared, clicks, previous)[1]
    assert later.thresholds[later.automatic] == expected
    with pytest.raises(InputError, match="no click that could have levels"):
        method.levels(prepared, [])


def test_maps_show_each_stage_of_each_click():
    method = M2N2V2(COARSE)
    prepared = method.prepare(paint(WHOLE))
    clicks = [CLICK, Click(x=36, y=2, is_positive=False)]
    maps = method.maps(prepared, clicks, method.predict(prepared, clicks[:1]))
    assert [one.click for one in maps] == clicks
    for one, click in zip(maps, clicks, strict=True):
        assert list(one.stages) == ["attention", "markov", "upsampled", "flooded"]
        grid = prepared.guide.grid
        assert one.stages["attention"].shape == (grid.height, grid.width)
        assert one.stages["attention"].sum() == pytest.approx(1.0, abs=1e-4)
        assert one.stages["flooded"][click.y, click.x] == 0.0
        assert one.depth is None
    assert [one.threshold for one in maps] == method.thresholds(
        prepared, clicks, method.predict(prepared, clicks[:1])
    )
