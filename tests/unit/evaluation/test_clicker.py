"""The simulated user, against hand-drawn masks and a slow plain reading of the rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from drawing import enlarge, mask
from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError, UnknownEntryError
from fewclicks.evaluation.clicker import (
    SimulatedUser,
    errors,
    jittered,
    next_click,
    next_click_m2n2,
    random_click,
)

OBJECT = mask(
    ".........",
    ".#######.",
    ".#######.",
    ".#######.",
    ".........",
)
NOTHING = np.zeros_like(OBJECT)


def test_the_first_click_lands_in_the_middle_of_the_object():
    assert next_click(OBJECT, NOTHING) == Click(x=2, y=2, is_positive=True)


def test_deeper_spill_wins_over_shallower_miss():
    truth = mask("##......", "........", "........", "........")
    prediction = mask("........", "....###.", "....###.", "....###.")
    assert next_click(truth, prediction) == Click(x=5, y=2, is_positive=False)


def test_deeper_miss_wins_over_larger_but_shallower_spill():
    truth = mask("###.......", "###.......", "###.......", "..........")
    prediction = mask("....######", "....######", "..........", "....######")
    assert next_click(truth, prediction) == Click(x=1, y=1, is_positive=True)


def test_a_tie_is_negative():
    truth = mask("##...", "##...")
    prediction = mask("...##", "...##")
    assert next_click(truth, prediction) == Click(x=3, y=0, is_positive=False)


def test_of_equal_depths_the_first_in_rows_is_clicked():
    truth = mask("......", "...##.", "...##.", "##....", "##....")
    assert next_click(truth, np.zeros_like(truth)) == Click(x=3, y=1)


def test_depths_are_exact_so_that_ties_hold_far_from_the_edge():
    disc = np.hypot(*np.ogrid[-50:51, -50:51]) < 50.5
    truth = np.zeros((310, 330), dtype=bool)
    truth[200:301, 3:104] = truth[100:201, 220:321] = disc
    assert next_click(truth, np.zeros_like(truth)) == Click(x=270, y=150)


def test_void_is_neither_clicked_nor_wrong():
    void = np.zeros_like(OBJECT)
    void[:, :6] = True
    assert next_click(OBJECT, NOTHING, void=void) == Click(x=6, y=1)
    assert next_click(OBJECT, NOTHING, void=OBJECT) is None
    missed, spilled = errors(OBJECT, ~OBJECT, void=void)
    assert not missed[:, :6].any()
    assert not spilled[:, :6].any()


def test_void_is_an_edge_for_the_depth():
    truth = np.ones((5, 11), dtype=bool)
    void = np.zeros_like(truth)
    void[:, 2] = True
    assert next_click(truth, np.zeros_like(truth), void=void) == Click(x=5, y=2)


def test_a_clicked_pixel_is_not_clicked_again():
    clicked = [Click(2, 2)]
    assert next_click(OBJECT, NOTHING, clicked=clicked) == Click(x=3, y=2)
    one = mask("#....")
    assert next_click(one, np.zeros_like(one), clicked=[Click(0, 0)]) is None


def test_a_perfect_answer_leaves_nothing_to_click():
    assert next_click(OBJECT, OBJECT) is None


@pytest.mark.parametrize("name", ["prediction", "void"])
def test_masks_of_different_shape_are_refused(name: str):
    masks = {"prediction": NOTHING, name: NOTHING[:, 1:]}
    with pytest.raises(ShapeError, match=rf"{name} has shape \(5, 8\); needs .* \(5, 9\)"):
        next_click(OBJECT, **masks)


def test_m2n2_joins_both_errors_and_labels_the_click_by_the_truth():
    truth = mask("###....", "###....", "###....")
    prediction = mask("...##..", "...##..", "...##..")
    # Apart, the miss is two deep and the spill one; together they are one block, five wide.
    assert next_click_m2n2(truth, prediction) == Click(x=1, y=1, is_positive=True)
    wider = mask("...###.", "...###.", "...###.")
    assert next_click_m2n2(truth[:, 2:], wider[:, 2:]) == Click(x=1, y=1, is_positive=False)


def test_m2n2_clicks_the_centre_of_the_object_when_nothing_is_wrong():
    assert next_click_m2n2(OBJECT, OBJECT) == Click(x=2, y=2)
    assert next_click_m2n2(NOTHING, NOTHING) is None


def test_random_clicks_fall_evenly_on_wrong_pixels_only():
    prediction = np.zeros_like(OBJECT)
    prediction[1:3, :] = True
    void = np.zeros_like(OBJECT)
    void[3, 4:] = True
    chance = np.random.default_rng(0)
    counts = np.zeros(OBJECT.shape)
    for _ in range(700):
        click = random_click(OBJECT, prediction, chance, void=void)
        assert click is not None
        assert click.is_positive == OBJECT[click.y, click.x]
        counts[click.y, click.x] += 1
    wrong = (prediction != OBJECT) & ~void
    assert np.array_equal(counts > 0, wrong)
    assert counts[wrong].min() > 60  # 100 each are expected


def test_random_clicks_the_object_when_nothing_is_wrong():
    click = random_click(OBJECT, OBJECT, np.random.default_rng(0))
    assert click is not None
    assert OBJECT[click.y, click.x]
    assert random_click(NOTHING, NOTHING, np.random.default_rng(0)) is None


def test_jitter_stays_inside_the_region_that_was_clicked():
    two = enlarge(mask("##.##", "##.##"), 6)
    chance = np.random.default_rng(1)
    moved = [jittered(Click(5, 5), two, 4.0, chance) for _ in range(300)]
    assert all(two[click.y, click.x] and click.x < 12 for click in moved)
    assert len(set(moved)) > 50
    assert all(click.is_positive for click in moved)


def test_jitter_has_the_spread_that_was_asked_for():
    wide = np.ones((101, 101), dtype=bool)
    chance = np.random.default_rng(2)
    moved = [jittered(Click(50, 50), wide, 5.0, chance) for _ in range(600)]
    offsets = np.array([(click.x - 50, click.y - 50) for click in moved])
    assert np.abs(offsets.mean(axis=0)).max() < 0.7
    assert offsets.std(axis=0) == pytest.approx(5.0, rel=0.1)


def test_a_click_off_the_error_keeps_its_place():
    click = Click(0, 0, is_positive=False)
    assert jittered(click, OBJECT, 3.0, np.random.default_rng(0)) is click


@pytest.mark.parametrize("rule", ["ritm", "m2n2", "random"])
def test_chance_depends_on_seed_object_and_number_alone(rule: str):
    truth = enlarge(OBJECT, 8)
    nothing = np.zeros_like(truth)

    def clicks(seed: int, object_id: str) -> list[Click | None]:
        user = SimulatedUser(rule=rule, jitter=3.0, seed=seed)
        earlier = [Click(0, 0)]
        return [
            user.next_click(truth, nothing, clicked=earlier * number, object_id=object_id)
            for number in range(4)
        ]

    assert clicks(1, "a") == clicks(1, "a")
    assert clicks(1, "a") != clicks(2, "a")
    assert clicks(1, "a") != clicks(1, "b")
    assert len(set(clicks(1, "a"))) > 1


def test_a_steady_hand_follows_its_rule():
    assert SimulatedUser().next_click(OBJECT, NOTHING) == next_click(OBJECT, NOTHING)
    spilled = ~OBJECT
    m2n2 = SimulatedUser(rule="m2n2")
    assert m2n2.next_click(OBJECT, spilled) == next_click_m2n2(OBJECT, spilled)
    assert SimulatedUser().stops_at_target
    assert not m2n2.stops_at_target


def test_a_user_that_cannot_be_is_refused():
    with pytest.raises(UnknownEntryError, match=r"No click rule is called 'rtim'\. Did you mean"):
        SimulatedUser(rule="rtim")
    with pytest.raises(InputError, match="jitter is -1"):
        SimulatedUser(jitter=-1)
    with pytest.raises(InputError, match="jitter is nan"):
        SimulatedUser(jitter=float("nan"))
    with pytest.raises(InputError, match="seed is -3"):
        SimulatedUser(seed=-3)


# A slow plain reading of the protocol, pixel by pixel, written without looking at the clicker.


def _plain_depth(error: BoolMask) -> dict[tuple[int, int], int]:
    """Squared distance to the nearest place that is not wrong, outside of the picture included."""
    height, width = error.shape
    right = [
        (y, x)
        for y in range(-1, height + 1)
        for x in range(-1, width + 1)
        if not (0 <= y < height and 0 <= x < width and error[y, x])
    ]
    places = np.array(right)
    depth = {}
    for y in range(height):
        for x in range(width):
            away = (places[:, 0] - y) ** 2 + (places[:, 1] - x) ** 2
            depth[y, x] = int(away.min())
    return depth


def _deepest(depth: dict[tuple[int, int], int]) -> tuple[int, tuple[int, int]]:
    best, at = 0, (0, 0)
    for place in sorted(depth):  # row by row, each from left to right
        if depth[place] > best:
            best, at = depth[place], place
    return best, at


def _plain_ritm(values, prediction, clicked):
    """values: 1 object, 0 background, -1 void."""
    height, width = values.shape
    missed = np.zeros((height, width), dtype=bool)
    spilled = np.zeros((height, width), dtype=bool)
    for y in range(height):
        for x in range(width):
            missed[y, x] = values[y, x] == 1 and not prediction[y, x]
            spilled[y, x] = values[y, x] == 0 and prediction[y, x]
    miss_depth, spill_depth = _plain_depth(missed), _plain_depth(spilled)
    for x, y in clicked:
        miss_depth[y, x] = spill_depth[y, x] = 0
    (miss, miss_at), (spill, spill_at) = _deepest(miss_depth), _deepest(spill_depth)
    if miss == 0 and spill == 0:
        return None
    y, x = miss_at if math.sqrt(miss) > math.sqrt(spill) else spill_at
    return x, y, miss > spill


def _plain_m2n2(values, prediction):
    wrong = (values >= 0) & ((values == 1) != prediction)
    depth, at = _deepest(_plain_depth(wrong))
    if depth == 0:
        depth, at = _deepest(_plain_depth(values == 1))
    if depth == 0:
        return None
    return at[1], at[0], bool(values[at] == 1)


def _random_case(chance: np.random.Generator):
    """Small pictures of noise, of blocks, nearly right and nearly wrong, void or not."""
    height, width = chance.integers(1, 13, 2)
    scale = int(chance.choice([1, 1, 3, 5]))

    def blocks(share: float) -> BoolMask:
        few = chance.random((-(-height // scale), -(-width // scale))) < share
        return enlarge(few, scale)[:height, :width]

    truth = blocks(chance.choice([0.2, 0.5, 0.9]))
    kind = chance.integers(4)
    if kind == 0:
        prediction = np.zeros_like(truth)
    elif kind == 1:
        prediction = truth ^ blocks(0.1)
    elif kind == 2:
        prediction = ~truth
    else:
        prediction = blocks(0.5)
    void = blocks(0.25) if chance.random() < 0.5 else np.zeros_like(truth)
    wanted = int(chance.integers(0, 6))
    clicked = [(int(chance.integers(width)), int(chance.integers(height))) for _ in range(wanted)]
    return np.where(void, -1, truth.astype(int)), truth, prediction, void, clicked


def _as_tuple(click: Click | None):
    return None if click is None else (click.x, click.y, click.is_positive)


def test_rules_agree_with_a_slow_plain_reading_on_thousands_of_random_masks():
    chance = np.random.default_rng(20)
    seen = {"void": 0, "positive": 0, "negative": 0, "none": 0}
    for _ in range(3000):
        values, truth, prediction, void, clicked = _random_case(chance)
        clicks = [Click(x, y) for x, y in clicked]
        got = _as_tuple(next_click(truth, prediction, void=void, clicked=clicks))
        assert got == _plain_ritm(values, prediction, clicked)
        joined = _as_tuple(next_click_m2n2(truth, prediction, void=void))
        assert joined == _plain_m2n2(values, prediction)
        seen["void"] += bool(void.any())
        seen["none" if got is None else "positive" if got[2] else "negative"] += 1
    assert min(seen.values()) > 50, seen
