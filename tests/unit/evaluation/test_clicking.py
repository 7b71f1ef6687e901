"""One picture clicked to its end, with methods whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.datasets.base import Masks, Sample
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.clicking import click_targets
from fewclicks.evaluation.protocols.target import Target
from fewclicks.methods.base import Prediction, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.warm_up import warm_up

LEFT = enlarge(mask("##....", "##....", "......"), 6)
RIGHT = enlarge(mask("......", "...###", "...###"), 6)
BOTH = LEFT | RIGHT


@dataclass
class Scripted:
    """Answers click k with mask k, the last one for ever; counts what it is asked."""

    answers: Sequence[BoolMask]
    prepared: int = 0
    asked: list[tuple[Click, ...]] = field(default_factory=list)
    previous: list[Prediction | None] = field(default_factory=list)

    def prepare(self, image: RgbImage) -> Prepared:
        self.prepared += 1
        return Prepared(image=image)

    def condition(self, _prepared: Prepared, _guidance: Guidance) -> Prepared:
        raise AssertionError("the simulated user excludes nothing")

    def predict(
        self, _prepared: Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        self.asked.append(tuple(clicks))
        self.previous.append(previous)
        return Prediction.from_mask(self.answers[min(len(clicks), len(self.answers)) - 1])


def sample(truth: BoolMask, name: str = "one", void: BoolMask | None = None) -> Sample:
    return Sample(
        id=name,
        picture="picture",
        load_image=lambda: paint(BOTH),
        load_masks=lambda _shape: Masks(object_mask=truth, void_mask=void),
    )


def click(method, *samples, user=None, **options):
    targets = [Target(sample=each) for each in samples]
    return list(click_targets(method, targets, user or SimulatedUser(), **options))


def test_the_object_is_done_when_the_highest_target_is_reached():
    [record] = click(Scripted([~LEFT, LEFT]), sample(LEFT))
    assert record.ious == (0.0, 1.0)
    assert record.clicks[0] == (5, 5, True)
    assert len(record.clicks) == 2
    assert record.id == "one"
    assert record.picture == "picture"


def test_each_click_answers_the_mask_before_it():
    method = Scripted([BOTH, LEFT])
    [record] = click(method, sample(LEFT))
    assert [is_positive for *_, is_positive in record.clicks] == [True, False]
    assert RIGHT[record.clicks[1][1], record.clicks[1][0]]
    assert method.previous[0] is None
    assert np.array_equal(method.previous[1].mask, BOTH)


def test_clicks_end_after_the_largest_number():
    [record] = click(Scripted([~LEFT]), sample(LEFT))
    assert len(record.ious) == 20
    [record] = click(Scripted([~LEFT]), sample(LEFT), max_clicks=3)
    assert len(record.ious) == 3


def test_a_curve_goes_on_beyond_the_target():
    spill = LEFT.copy()
    spill[12, :3] = True
    [stopped] = click(Scripted([spill]), sample(LEFT))
    [whole] = click(Scripted([spill]), sample(LEFT), curve=True, max_clicks=3)
    assert stopped.ious == (144 / 147,)
    assert whole.ious == (144 / 147,) * 3


def test_a_curve_ends_where_nothing_is_left_to_click():
    [record] = click(Scripted([LEFT]), sample(LEFT), curve=True)
    assert record.ious == (1.0,)


@pytest.mark.parametrize("rule", ["m2n2", "random"])
def test_other_rules_always_click_to_the_end(rule: str):
    [record] = click(Scripted([LEFT]), sample(LEFT), user=SimulatedUser(rule=rule))
    assert record.ious == (1.0,) * 20


def test_void_is_not_counted_in_the_iou():
    [record] = click(Scripted([BOTH]), sample(LEFT, void=RIGHT))
    assert record.ious == (1.0,)


def test_objects_of_one_picture_share_its_preparation_and_nothing_else():
    method = Scripted([~BOTH, BOTH])
    first, second = click(method, sample(LEFT, "left"), sample(RIGHT, "right"), max_clicks=2)
    assert method.prepared == 1
    assert [len(clicks) for clicks in method.asked] == [1, 2, 1, 2]
    assert method.previous[2] is None
    assert first.prepare_seconds is not None
    assert second.prepare_seconds is None
    assert first.elapsed_seconds >= first.prepare_seconds + first.click_seconds


def test_the_picture_is_read_once_for_all_its_objects():
    read = []

    def load() -> RgbImage:
        read.append(1)
        return paint(BOTH)

    samples = [
        Sample(
            id=name,
            picture="picture",
            load_image=load,
            load_masks=lambda _shape: Masks(object_mask=LEFT),
        )
        for name in "abc"
    ]
    assert len(click(Scripted([LEFT]), *samples)) == 3
    assert len(read) == 1


def test_warming_up_asks_for_a_positive_and_a_negative_click():
    method = Scripted([LEFT])
    warm_up(method)
    assert [[click.is_positive for click in clicks] for clicks in method.asked] == [
        [True],
        [True, False],
    ]
