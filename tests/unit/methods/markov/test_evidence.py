from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.arrays import RgbImage
from fewclicks.methods.energy.region_tree import RegionTree
from fewclicks.methods.markov.distances import (
    FAR,
    FEATURE_WALK,
    OWN_WALK,
    TOKEN_WALK,
    distances_from,
)
from fewclicks.methods.markov.evidence import RegionClick, gather_context, gather_evidence
from fewclicks.methods.markov.regions import Regions

# Where the columns lie; the weights depend on it.
NEAR, OFF, RATIO = slice(0, 15), slice(15, 30), slice(30, 45)
BORDER, BORDER_RATIO, COLOUR, FEATURES = slice(45, 49), slice(49, 53), 53, 54
LEVELS = [slice(start, start + 5) for start in (55, 60, 65, 70, 75)]
POSITIVES, NEGATIVES, KIND, HAS_PREVIOUS, PREVIOUS = range(80, 85)
NEWEST, REACH, FIRST_BORDER, SHARE = slice(85, 100), 100, slice(101, 105), 105
OPINION, UNIONS = 106, [slice(start, start + 4) for start in (107, 111, 115)]
LIKELIHOODS, SPREADS = (119, 120), (slice(121, 123), slice(123, 125))
NEIGHBOURS, OFFSET, SIDE, ON_BORDER, CHANGED = range(125, 130)

Real = NDArray[np.float64]


def _click(regions: Regions, region: int, *, is_positive: bool = True) -> RegionClick:
    log_steps = np.log1p(regions.walks[1].saturation_steps(region))
    return RegionClick(
        region=region,
        is_positive=is_positive,
        distances=distances_from(regions, region, log_steps=log_steps),
    )


def _at(regions: Regions, y: int, x: int, *, is_positive: bool = True) -> RegionClick:
    return _click(regions, int(regions.superpixels.labels[y, x]), is_positive=is_positive)


@pytest.fixture(scope="module")
def red(regions: Regions) -> RegionClick:
    return _at(regions, 20, 16)


@pytest.fixture(scope="module")
def red_above(regions: Regions) -> RegionClick:
    return _at(regions, 12, 26)


@pytest.fixture(scope="module")
def blue(regions: Regions) -> RegionClick:
    return _at(regions, 40, 30, is_positive=False)


@pytest.fixture(scope="module")
def green(regions: Regions) -> RegionClick:
    return _at(regions, 24, 52, is_positive=False)


def _clicks_at_random(regions: Regions, count: int) -> list[RegionClick]:
    random = np.random.default_rng(count)
    return [
        _click(regions, int(region), is_positive=bool(random.random() < 0.5))
        for region in random.integers(0, regions.count, count)
    ]


def _logged(distances: Real) -> Real:
    logged = np.array(distances)
    logged[..., :4] = np.log(1 + logged[..., :4])
    return logged


def test_evidence_has_106_columns_and_context_130(regions: Regions, red: RegionClick):
    evidence = gather_evidence(regions, [red], None)
    assert evidence.shape == (regions.count, 106)
    assert evidence.dtype == np.float32
    context = gather_context(regions, evidence, np.zeros(regions.count, dtype=np.float32), None)
    assert context.shape == (regions.count, 130)
    assert context.dtype == np.float32
    np.testing.assert_array_equal(context[:, :106], evidence)


@pytest.mark.parametrize("kinds", ["+", "--", "-+", "+-+--+-+++-++-+-"])
def test_numbers_are_finite_however_little_there_is_to_measure(extreme: Regions, kinds: str):
    clicks = [
        _click(extreme, k % extreme.count, is_positive=kind == "+") for k, kind in enumerate(kinds)
    ]
    nothing, everything = np.zeros(extreme.count), np.ones(extreme.count)
    for previous, opinion in itertools.product((None, nothing, everything), (-1e6, 0.0, 1e6)):
        evidence = gather_evidence(extreme, clicks, previous)
        assert evidence.shape == (extreme.count, 106)
        log_odds = np.full(extreme.count, opinion, dtype=np.float32)
        context = gather_context(extreme, evidence, log_odds, previous)
        assert context.shape == (extreme.count, 130)
        assert np.isfinite(context).all()


def test_the_nearest_click_of_each_kind_counts(regions: Regions):
    clicks = _clicks_at_random(regions, 9)
    evidence = gather_evidence(regions, clicks, None)
    for kind, columns in ((True, NEAR), (False, OFF)):
        found = np.stack([click.distances for click in clicks if click.is_positive == kind])
        assert 1 < len(found) < 9
        expected = _logged(found.min(axis=0))
        np.testing.assert_allclose(evidence[:, columns], expected, rtol=1e-5, atol=1e-6)


def test_clicks_of_a_kind_that_there_are_none_of_are_far(
    regions: Regions, red: RegionClick, blue: RegionClick
):
    expected = np.tile(_logged(FAR), (regions.count, 1))
    np.testing.assert_allclose(gather_evidence(regions, [red], None)[:, OFF], expected, rtol=1e-6)
    only_off = gather_evidence(regions, [blue], None)
    np.testing.assert_allclose(only_off[:, NEAR], expected, rtol=1e-6)
    for levels in LEVELS:
        assert not only_off[:, levels].any()


def test_no_region_is_nearer_to_a_click_than_the_clicked_one(regions: Regions, red: RegionClick):
    evidence = gather_evidence(regions, [red], None)
    for columns in (NEAR, RATIO, NEWEST):
        assert (evidence[:, columns] >= evidence[red.region, columns] - 1e-6).all()


def test_another_click_never_moves_its_kind_further_away(
    regions: Regions, red: RegionClick, red_above: RegionClick, blue: RegionClick
):
    one = gather_evidence(regions, [red, blue], None)
    two = gather_evidence(regions, [red, red_above, blue], None)
    assert (two[:, NEAR] <= one[:, NEAR]).all()
    assert (two[:, RATIO] <= one[:, RATIO] + 1e-6).all()
    np.testing.assert_array_equal(two[:, OFF], one[:, OFF])


def test_a_ratio_says_which_kind_of_click_is_nearer(
    regions: Regions, red: RegionClick, blue: RegionClick
):
    ratio = gather_evidence(regions, [red, blue], None)[:, RATIO]
    near, off = red.distances, blue.distances
    assert ratio.min() >= 0.0
    assert ratio.max() <= 1.0
    is_plain = np.abs(near - off) > 0.01
    np.testing.assert_array_equal((ratio < 0.5)[is_plain], (near < off)[is_plain])


def test_the_border_is_as_far_as_the_regions_say(regions: Regions, red: RegionClick):
    evidence = gather_evidence(regions, [red], None)
    border = regions.border_distances
    np.testing.assert_allclose(evidence[:, BORDER], np.log(1 + border), rtol=1e-5)
    expected = red.distances[:, :4] / (red.distances[:, :4] + border + 1e-3)
    np.testing.assert_allclose(evidence[:, BORDER_RATIO], expected, rtol=1e-5, atol=1e-6)
    of_first = np.log(1 + border[red.region])
    np.testing.assert_allclose(evidence[:, FIRST_BORDER], np.tile(of_first, (regions.count, 1)))


@pytest.mark.parametrize("column", [COLOUR, FEATURES])
def test_what_looks_as_the_click_is_likelier_on_the_object(
    regions: Regions, picture: RgbImage, red: RegionClick, blue: RegionClick, column: int
):
    share = regions.superpixels.mean(picture[..., 0] > 120)
    for clicks in ([red], [red, blue]):
        odds = gather_evidence(regions, clicks, None)[:, column]
        assert odds[share == 1].min() > 0.5
        assert odds[share == 0].max() < odds[share == 1].min() - 1.0


def test_facts_are_the_same_for_all_regions_and_say_what_was_clicked(regions: Regions):
    clicks = _clicks_at_random(regions, 7)
    positives = sum(click.is_positive for click in clicks)
    facts = gather_evidence(regions, clicks, np.full(regions.count, 0.25))
    expected = [positives / 4, (7 - positives) / 4, 1 if clicks[-1].is_positive else -1, 1, -0.5]
    np.testing.assert_allclose(
        facts[:, POSITIVES : PREVIOUS + 1], np.tile(expected, (regions.count, 1))
    )
    np.testing.assert_allclose(facts[:, SHARE], np.log(regions.shares * regions.count), rtol=1e-5)


def test_more_than_eight_clicks_of_a_kind_count_as_eight(regions: Regions, red: RegionClick):
    found = gather_evidence(regions, [red] * 30, None)
    assert found[0, POSITIVES] == 2.0
    assert found[0, NEGATIVES] == 0.0


def test_no_previous_mask_is_told_from_one_that_covers_half(regions: Regions, red: RegionClick):
    without = gather_evidence(regions, [red], None)
    half = gather_evidence(regions, [red], np.full(regions.count, 0.5))
    np.testing.assert_array_equal(without[:, PREVIOUS], half[:, PREVIOUS])
    assert not without[:, HAS_PREVIOUS].any()
    assert half[:, HAS_PREVIOUS].all()


def test_clicks_between_the_first_and_the_newest_may_come_in_any_order(
    regions: Regions,
    red: RegionClick,
    red_above: RegionClick,
    blue: RegionClick,
    green: RegionClick,
):
    newest = _at(regions, 4, 60, is_positive=False)
    found = [
        gather_evidence(regions, [red, *between, newest], None)
        for between in itertools.permutations([red_above, blue, green])
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_the_newest_click_has_columns_of_its_own(
    regions: Regions, red: RegionClick, blue: RegionClick, green: RegionClick
):
    one = gather_evidence(regions, [red, blue, green], None)
    other = gather_evidence(regions, [red, green, blue], None)
    np.testing.assert_array_equal(np.delete(one, NEWEST, 1), np.delete(other, NEWEST, 1))
    np.testing.assert_allclose(one[:, NEWEST], _logged(green.distances), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(other[:, NEWEST], _logged(blue.distances), rtol=1e-5, atol=1e-6)


def test_the_reach_compares_with_how_far_the_previous_outline_is(
    regions: Regions, red: RegionClick, blue: RegionClick
):
    none = gather_evidence(regions, [red, blue], None)
    assert not none[:, REACH].any()
    previous = (regions.places[:, 0] < 0.5).astype(np.float64)  # holds the click that says no
    found = gather_evidence(regions, [red, blue], previous)[:, REACH]
    away = np.linalg.norm(regions.places - regions.places[blue.region], axis=1)
    edge = away[previous == 0].min()
    np.testing.assert_allclose(found, np.log((away + 0.01) / (edge + 0.01)), rtol=1e-4, atol=1e-5)


def _slow_segment(regions: Regions, inside: list[int], first: int) -> tuple[float, float, float]:
    """Side length, mean edge strength along the outline, distance of centre from the click."""
    graph, members = regions.graph, set(inside)
    area = float(regions.shares[inside].sum())
    edge = length = 0.0
    for k, (a, b) in enumerate(zip(graph.first, graph.second, strict=True)):
        if (int(a) in members) != (int(b) in members):
            edge += graph.lengths[k] * graph.strengths[k]
            length += graph.lengths[k]
    centre = regions.shares[inside] @ regions.places[inside] / area
    away = float(np.linalg.norm(centre - regions.places[first]))
    return area**0.5, edge / max(length, 1e-3), away / area**0.5


@pytest.mark.parametrize(
    ("level", "column"), [(0, 0), (1, 2), (2, OWN_WALK), (3, FEATURE_WALK), (4, TOKEN_WALK)]
)
def test_levels_describe_the_segment_that_ends_at_each_region(
    regions: Regions, red: RegionClick, red_above: RegionClick, level: int, column: int
):
    clicks = [red, red_above]
    distance = np.minimum(red.distances, red_above.distances)[:, column]
    found = gather_evidence(regions, clicks, None)[:, LEVELS[level]]
    described = {}
    for region in range(regions.count):
        inside = np.nonzero(distance <= distance[region])[0].tolist()
        described[region] = _slow_segment(regions, inside, red.region)
    assert len(described) > 5
    for region, (side, edge, away) in described.items():
        expected = [side, edge / regions.edge_strength, away]
        np.testing.assert_allclose(found[region, :3], expected, rtol=1e-4, atol=1e-5)

    best = int(np.argmin(np.abs(found[:, 3])))  # its own level is at a relative distance of 0
    assert found[best, 3] == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(found[:, 4], found[best, 0])
    relative = np.log((distance + 1e-3) / (distance[best] + 1e-3))
    np.testing.assert_allclose(found[:, 3], np.clip(relative, -4, 4), rtol=1e-4, atol=1e-5)
    objectness = {
        region: edge * np.exp(-0.7 * away)
        for region, (side, edge, away) in described.items()
        if 0.002 <= side**2 < 0.5
    }
    assert objectness[best] == pytest.approx(max(objectness.values()))


def test_the_level_of_a_plainly_coloured_object_is_its_outline(
    regions: Regions, picture: RgbImage, red: RegionClick
):
    evidence = gather_evidence(regions, [red], None)
    is_red = regions.superpixels.mean(picture[..., 0] > 120) > 0.5
    relative = evidence[:, LEVELS[0]][:, 3]
    np.testing.assert_array_equal(relative <= 1e-6, is_red)


def _members(tree: RegionTree, node: int) -> list[int]:
    children = np.nonzero(tree.parents == node)[0]
    if not len(children):
        return [node]
    return [leaf for child in children for leaf in _members(tree, int(child))]


@pytest.fixture(scope="module")
def opinion(regions: Regions) -> NDArray[np.float32]:
    return np.random.default_rng(5).normal(0, 3, regions.count).astype(np.float32)


@pytest.fixture(scope="module")
def context(regions: Regions, red: RegionClick, opinion: NDArray[np.float32]) -> Real:
    evidence = gather_evidence(regions, [red], None)
    return gather_context(regions, evidence, opinion, None).astype(np.float64)


def test_context_repeats_the_opinion_within_bounds(regions: Regions, red: RegionClick):
    evidence = gather_evidence(regions, [red], None)
    opinion = np.linspace(-30, 30, regions.count).astype(np.float32)
    found = gather_context(regions, evidence, opinion, None)[:, OPINION]
    np.testing.assert_allclose(found, np.clip(opinion, -8, 8))


def test_context_tells_the_share_of_the_object_in_growing_unions(
    regions: Regions, opinion: NDArray[np.float32], context: Real
):
    odds = 1 / (1 + np.exp(-opinion.astype(np.float64)))
    for tree, columns in zip(regions.trees, UNIONS, strict=True):
        members = [_members(tree, node) for node in range(len(tree.parents))]
        for region in (0, 17, regions.count - 1):
            for size, found in zip((4, 12, 40, 120), context[region, columns], strict=True):
                node = region
                while len(members[node]) < size and tree.parents[node] >= 0:
                    node = int(tree.parents[node])
                inside = members[node]
                share = np.average(odds[inside], weights=regions.shares[inside])
                assert found == pytest.approx(share, rel=1e-5)


def test_context_tells_of_the_whole_object(
    regions: Regions, opinion: NDArray[np.float32], context: Real
):
    odds = 1 / (1 + np.exp(-opinion.astype(np.float64)))
    area = regions.shares @ odds
    centre = (regions.shares * odds) @ regions.places / area
    away = np.linalg.norm(regions.places - centre, axis=1) / np.sqrt(area)
    np.testing.assert_allclose(context[:, OFFSET], away, rtol=1e-4)
    np.testing.assert_allclose(context[:, SIDE], np.sqrt(area), rtol=1e-4)
    np.testing.assert_allclose(context[:, ON_BORDER], regions.border @ odds, rtol=1e-4)
    assert (context[:, CHANGED] == -0.5).all()


def test_context_tells_how_much_the_opinion_changes_the_previous_mask(
    regions: Regions, red: RegionClick, opinion: NDArray[np.float32]
):
    odds = 1 / (1 + np.exp(-opinion.astype(np.float64)))
    evidence = gather_evidence(regions, [red], None)
    same = gather_context(regions, evidence, opinion, odds)
    np.testing.assert_allclose(same[:, CHANGED], 0.0, atol=1e-5)
    flipped = gather_context(regions, evidence, opinion, 1 - odds)
    expected = regions.shares @ np.abs(2 * odds - 1) / (regions.shares @ odds)
    np.testing.assert_allclose(flipped[:, CHANGED], expected, rtol=1e-4)


def test_neighbours_and_walks_average_the_opinion(
    regions: Regions, opinion: NDArray[np.float32], context: Real
):
    odds = 1 / (1 + np.exp(-opinion.astype(np.float64)))
    graph = regions.graph
    for region in (0, 17, regions.count - 1):
        weights, values = [], []
        for k, (a, b) in enumerate(zip(graph.first, graph.second, strict=True)):
            if region in (a, b):
                plain = np.exp(-graph.strengths[k] / regions.edge_strength)
                weights.append(plain * graph.lengths[k])
                values.append(odds[b if region == a else a])
        assert context[region, NEIGHBOURS] == pytest.approx(np.average(values, weights=weights))
    for walk, columns in zip(regions.walks, SPREADS, strict=True):
        for steps, found in zip((3, 20), context[:, columns].T, strict=True):
            np.testing.assert_allclose(found, walk.spread(odds, steps=steps), rtol=1e-4)


def test_an_opinion_that_is_the_same_everywhere_stays_so_in_every_average(
    regions: Regions, red: RegionClick
):
    evidence = gather_evidence(regions, [red], None)
    log_odds = np.full(regions.count, np.log(3.0), dtype=np.float32)
    found = gather_context(regions, evidence, log_odds, None)
    for columns in (*UNIONS, *SPREADS, [NEIGHBOURS]):
        np.testing.assert_allclose(found[:, columns], 0.75, rtol=5e-3)
    np.testing.assert_allclose(found[:, ON_BORDER], 0.75, rtol=1e-5)
    np.testing.assert_allclose(found[:, LIKELIHOODS], 0.0, atol=1e-3)


@pytest.mark.parametrize("column", LIKELIHOODS)
def test_a_look_held_to_be_the_objects_is_likelier(
    regions: Regions, picture: RgbImage, red: RegionClick, column: int
):
    is_red = regions.superpixels.mean(picture[..., 0] > 120) > 0.5
    log_odds = np.where(is_red, 4.0, -4.0).astype(np.float32)
    evidence = gather_evidence(regions, [red], None)
    found = gather_context(regions, evidence, log_odds, None)[:, column]
    assert found[is_red].min() > 0 > found[~is_red].max()


def test_what_is_given_stays_as_it_is(
    regions: Regions, red: RegionClick, opinion: NDArray[np.float32]
):
    previous = np.full(regions.count, 0.5)
    kept = [red.distances.copy(), regions.border_distances.copy(), opinion.copy()]
    evidence = gather_evidence(regions, [red], previous)
    before = evidence.copy()
    gather_context(regions, evidence, opinion, previous)
    now = [red.distances, regions.border_distances, opinion]
    for one, other in zip(kept, now, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(evidence, before)
    assert (previous == 0.5).all()
