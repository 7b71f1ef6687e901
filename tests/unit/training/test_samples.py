"""Lessons: the same by their number, whatever came before; each picture once in an epoch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fewclicks.clicks import negatives, positives
from fewclicks.errors import InputError

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.samples import Samples, collate  # noqa: E402
from fewclicks.training.target import Target  # noqa: E402
from fewclicks.training.targets import MaskTargets  # noqa: E402


class Told:
    """A source that notes what it is asked for."""

    def __init__(self, names, target):
        self.pictures, self._target, self.asked = names, target, []

    def draw(self, picture, chance):
        self.asked.append(picture)
        return self._target(chance)


def square(_chance):
    mask = np.zeros((40, 40), dtype=bool)
    mask[8:32, 8:32] = True
    return Target(image=np.full((40, 40, 3), 99, dtype=np.uint8), parts=(mask,))


@pytest.fixture
def plan(small_file):
    return read_plans(small_file)[0].plan


def test_a_lesson_is_the_same_whoever_asks_and_when(plan, small_data):
    def open_all():
        return Samples(plan, {name: t.open(str(small_data)) for name, t in plan.targets.items()})

    one, other = open_all(), open_all()
    forwards = [one[n] for n in range(6)]
    for n in reversed(range(6)):
        again = other[n]
        assert torch.equal(forwards[n].image, again.image)
        assert torch.equal(forwards[n].target, again.target)
        assert forwards[n].clicks == again.clicks
    assert not torch.equal(forwards[0].image, forwards[1].image)


def test_each_picture_comes_once_before_any_comes_again_in_another_order(plan):
    source = Told([f"{n}" for n in range(7)], square)
    samples = Samples(plan, {"boxes": source})
    for number in range(21):
        samples[number]
    epochs = [source.asked[k : k + 7] for k in (0, 7, 14)]
    assert all(sorted(each) == source.pictures for each in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_sources_share_the_lessons_as_the_plan_says(plan):
    boxes = plan.targets["boxes"]
    mixed = replace(plan, targets={"a": replace(boxes, share=3.0), "b": replace(boxes, share=1.0)})
    sources = {"a": Told(["x", "y"], square), "b": Told(["z"], square)}
    samples = Samples(mixed, sources)
    for number in range(200):
        samples[number]
    assert len(sources["b"].asked) / 200 == pytest.approx(0.25, abs=0.07)
    assert samples.pictures == 3


def test_clicks_lie_on_the_target_that_is_seen(plan, small_data):
    samples = Samples(plan, {name: t.open(str(small_data)) for name, t in plan.targets.items()})
    for number in range(20):
        sample = samples[number]
        for click in positives(sample.clicks):
            assert sample.target[0, click.y, click.x] == 1
        for click in negatives(sample.clicks):
            assert sample.target[0, click.y, click.x] == 0
        assert sample.target.sum() >= plan.run.least_pixels


def test_void_is_not_judged_and_counts_as_no_object(plan):
    def half_void(_chance):
        target = square(None)
        void = np.zeros((40, 40), dtype=bool)
        void[:, 20:] = True
        return replace(target, parts=(target.parts[0] & ~void,), void=void)

    sample = Samples(plan, {"boxes": Told(["a"], half_void)})[0]
    assert 0.2 < sample.judged.mean() < 0.9
    assert (sample.target * (1 - sample.judged)).sum() == 0


def test_a_picture_without_targets_gives_way_to_another(plan):
    calls = Counter()

    def rarely(chance):
        calls["all"] += 1
        return square(chance) if calls["all"] % 5 == 0 else None

    assert Samples(plan, {"boxes": Told(["a", "b", "c"], rarely)})[0].target.any()
    with pytest.raises(InputError, match="None of 100 targets"):
        Samples(plan, {"boxes": Told(["a"], lambda _chance: None)})[0]


def test_a_batch_holds_its_lessons_in_order(plan, small_data):
    samples = Samples(plan, {name: t.open(str(small_data)) for name, t in plan.targets.items()})
    batch = collate([samples[4], samples[2]])
    assert batch.numbers == (4, 2)
    assert torch.equal(batch.image[1], samples[2].image)
    assert batch.clicks[0] == samples[4].clicks


def test_masks_of_a_data_set_become_lessons(plan, small_data):
    masks = MaskTargets(dataset="folder", dataset_settings={"masks": "labels"})
    supervised = replace(plan, targets={"labels": masks})
    samples = Samples(supervised, {"labels": masks.open(str(small_data / "pictures"))})
    assert all(samples[n].target.sum() >= 20 for n in range(6))
