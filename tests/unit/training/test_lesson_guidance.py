"""Lesson guidance: moved with its lesson, mixed in batches, and told to networks that take it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from drawing import BLOB, paint  # noqa: E402
from fewclicks.clicks import positives  # noqa: E402
from fewclicks.methods.guidance import Reference  # noqa: E402
from fewclicks.methods.transformer.click_maps import click_disks  # noqa: E402
from fewclicks.methods.transformer.click_network import ClickNetwork  # noqa: E402
from fewclicks.training.augmentation import Augmentation, augment, augment_whole  # noqa: E402
from fewclicks.training.interaction import Interaction  # noqa: E402
from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.samples import Samples, collate  # noqa: E402
from fewclicks.training.target import Target  # noqa: E402

STILL = {
    "crop": 32,
    "shift_probability": 0.0,
    "light_probability": 0.0,
    "rgb_shift_probability": 0.0,
    "jitter_probability": 0.0,
    "grey_probability": 0.0,
    "blur_probability": 0.0,
}
OTHER = np.roll(BLOB, 31, axis=1) & ~BLOB


class Told:
    """A source whose lessons are guided as it is told."""

    def __init__(self, *guided: Target):
        self.pictures, self._guided = [str(k) for k in range(len(guided))], guided

    def draw(self, picture, _chance):
        return self._guided[int(picture)]


def plain() -> Target:
    return Target(image=paint(BLOB), parts=(BLOB,))


def referring() -> Target:
    reference = Reference(image=paint(OTHER), positive=OTHER, negative=BLOB)
    return replace(plain(), reference=reference)


def exemplary() -> Target:
    union = BLOB | OTHER
    return Target(image=paint(union), parts=(union,), exemplar=BLOB)


@pytest.fixture
def plan(small_file):
    plan = read_plans(small_file)[0].plan
    return replace(plan, run=replace(plan.run, batch=3, least_pixels=5))


def lessons(plan, *targets: Target, count: int = 3):
    samples = Samples(plan, dict.fromkeys(plan.targets, Told(*targets)))
    return [samples[number] for number in range(count)]


def test_a_reference_is_stretched_whole_and_nothing_that_is_marked_is_lost():
    dot = np.zeros((60, 90), dtype=bool)
    dot[8, 10] = True
    picture = np.zeros((60, 90, 3), dtype=np.uint8)
    picture[:, 45:] = 200
    for is_mirrored in (False, True):
        image, shares = augment_whole(
            picture,
            np.stack([dot, ~dot]),
            np.random.default_rng(0),
            Augmentation(**STILL),
            is_mirrored=is_mirrored,
        )
        assert image.shape == (3, 32, 32)
        assert float(shares[0].mean()) == pytest.approx(dot.mean(), rel=1e-4)
        assert float(shares[1].mean()) == pytest.approx(1 - dot.mean(), rel=1e-4)
        bright = image.mean(dim=(0, 1)) > 0.3
        assert bright.tolist() == [(column >= 16) != is_mirrored for column in range(32)]
        row, column = divmod(int(shares[0].argmax()), 32)
        assert (row, column) == (4, 31 - 3 if is_mirrored else 3)


def test_a_reference_is_mirrored_where_its_picture_is():
    ramp = np.arange(80, dtype=np.uint8)[None, :, None].repeat(60, 0).repeat(3, 2)
    settings = Augmentation(**{**STILL, "crop": 100}, scale_low=1.0, scale_high=1.0)
    seen_both = set()
    for seed in range(30):
        seen = augment(ramp, BLOB[None], np.random.default_rng(seed), settings)
        inside = seen.image[0].numpy()
        rows, columns = np.nonzero(seen.inside)
        # Where one pixel to the right, and one down, have gone: their order is the handedness.
        right, _ = np.polyfit(columns, inside[rows, columns], 1)
        down, _ = np.polyfit(rows, inside[rows, columns], 1)
        corner = seen.masks[0]
        where = np.argwhere(corner).mean(axis=0) - np.argwhere(seen.inside).mean(axis=0)
        along = np.array([right, down]) / np.hypot(right, down)
        across = where[1] * -along[1] + where[0] * along[0]
        middle = np.argwhere(BLOB).mean(axis=0) - (np.array(BLOB.shape) - 1) / 2
        assert seen.is_mirrored == (np.sign(across) != np.sign(middle[0]))
        seen_both.add(seen.is_mirrored)
    assert seen_both == {False, True}


def test_an_exemplar_moves_with_its_picture_and_is_clicked_where_it_is_seen(plan):
    clicked = 0
    for lesson in lessons(plan, exemplary(), count=12):
        shown = lesson.guidance.exemplar
        mask, union = shown.mask[0] > 0.5, lesson.target[0] > 0.5
        assert mask.any()
        assert not (mask & ~union).any()
        assert positives(shown.clicks)
        for click in shown.clicks:
            assert bool(mask[click.y, click.x]) == click.is_positive
            assert click.is_positive or not union[click.y, click.x]
        clicked += len(shown.clicks)
    assert clicked > 15


def test_negative_clicks_on_others_are_kept_where_the_plan_wants_them(plan):
    target = replace(exemplary(), true_negatives=False)
    on_others = 0
    for lesson in lessons(plan, target, count=12):
        mask, union = lesson.guidance.exemplar.mask[0] > 0.5, lesson.target[0] > 0.5
        on_others += sum(bool((union & ~mask)[c.y, c.x]) for c in lesson.guidance.exemplar.clicks)
    assert on_others > 0


def test_lessons_are_cut_and_clicked_the_same_with_guidance_and_without(plan):
    for guided in (referring(), replace(exemplary(), exemplar=None)):
        bare = replace(guided, reference=None)
        for one, other in zip(lessons(plan, guided), lessons(plan, bare), strict=True):
            assert torch.equal(one.image, other.image)
            assert torch.equal(one.target, other.target)
            assert one.clicks == other.clicks


def test_a_lesson_without_first_clicks_has_none(plan):
    (lesson,) = lessons(plan, replace(exemplary(), is_clicked=False), count=1)
    assert lesson.clicks == ()
    assert lesson.guidance.exemplar is not None


def test_a_batch_mixes_lessons_with_a_reference_with_an_exemplar_and_with_neither(plan):
    mixed = [lessons(plan, target, count=1)[0] for target in (plain(), referring(), exemplary())]
    guidance = collate(mixed).guidance

    assert guidance.references.of.tolist() == [1]
    assert torch.equal(guidance.references.image[0], mixed[1].guidance.reference.image)
    assert torch.equal(guidance.references.masks[0], mixed[1].guidance.reference.masks)
    assert guidance.exemplars.flatten(1).any(dim=1).tolist() == [False, False, True]
    assert torch.equal(guidance.exemplars[2], mixed[2].guidance.exemplar.mask)
    assert guidance.exemplar_clicks == ((), (), mixed[2].guidance.exemplar.clicks)


class Noting(ClickNetwork):
    """Notes what it is told besides picture and clicks."""

    def __init__(self, takes, config=None):
        super().__init__(config)
        self.weight = torch.nn.Parameter(torch.tensor(0.5))
        self.takes, self.told = takes, []

    def forward(self, image, guidance, *told):
        self.told.append(told)
        return self.weight * (image[:, :1] + guidance[:, 1:2] - guidance[:, 2:3])


class ShowsFirst:
    @staticmethod
    def shown(clicks):
        return list(clicks)[:1]


def test_a_network_is_told_what_it_takes_in_every_round_and_nothing_else(plan):
    batch = collate(
        [lessons(plan, target, count=1)[0] for target in (referring(), exemplary(), plain())]
    )
    (told,) = {told for _, told in answered(plan, Noting(None), batch)}
    assert told == ()
    for _, told in answered(plan, Noting("references"), batch):
        assert told == (batch.guidance.references,)
    for _, (maps,) in answered(plan, Noting("exemplar", ShowsFirst), batch):
        shown = [each[:1] for each in batch.guidance.exemplar_clicks]
        assert torch.equal(maps[:, :1], batch.guidance.exemplars)
        assert np.array_equal(maps[:, 1:], click_disks(shown, (32, 32)))


def answered(plan, network, batch):
    Interaction(plan, network).answer(network, batch)
    return list(enumerate(network.told))
