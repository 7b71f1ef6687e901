"""Interaction: rounds of clicks on errors, the previous answer, dropout by lesson."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from transformers.models.swin.modeling_swin import SwinDropPath  # noqa: E402

from fewclicks.methods.transformer.click_maps import click_disks  # noqa: E402
from fewclicks.methods.transformer.click_network import ClickNetwork  # noqa: E402
from fewclicks.training.chance import Purpose, chance_of  # noqa: E402
from fewclicks.training.dropout import LessonDropout, replace_dropout  # noqa: E402
from fewclicks.training.interaction import Interaction  # noqa: E402
from fewclicks.training.losses import cross_entropy, smoothness  # noqa: E402
from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.samples import Samples, collate  # noqa: E402


class Noting(ClickNetwork):
    """Answers with half of what it was shown, and keeps what that was."""

    def __init__(self):
        super().__init__(None)
        self.weight = torch.nn.Parameter(torch.tensor(0.5))
        self.seen = []

    def forward(self, image, guidance):
        self.seen.append((self.training, torch.is_grad_enabled(), guidance))
        return self.weight * (image[:, :1] - 0.5 + guidance[:, 1:2] - guidance[:, 2:3])


@pytest.fixture
def plan(small_file):
    return read_plans(small_file)[0].plan


@pytest.fixture
def samples(plan, small_data):
    return Samples(plan, {name: t.open(str(small_data)) for name, t in plan.targets.items()})


def batch_of(samples, step, batch=4):
    return collate([samples[step * batch + place] for place in range(batch)])


def rounds_of(plan, step):
    return int(chance_of(Purpose.ROUNDS, plan.run.seed, step).integers(4))


def test_rounds_between_are_made_without_gradients_and_the_last_with_them(plan, samples):
    seen = set()
    for step in range(8):
        network = Noting()
        Interaction(plan, network).answer(network, batch_of(samples, step))
        modes = [each[:2] for each in network.seen]
        assert modes == [(False, False)] * rounds_of(plan, step) + [(True, True)]
        seen.add(len(modes))
    assert len(seen) > 2, "the number of rounds varies from batch to batch"


def test_each_round_sees_the_answer_before_it_and_at_most_one_more_click(plan, samples):
    step = next(step for step in range(50) if rounds_of(plan, step) == 3)
    network, batch = Noting(), batch_of(samples, step)
    answer = Interaction(plan, network).answer(network, batch)
    guidance = [each[2] for each in network.seen]
    assert (guidance[0][:, 0] == 0).all()
    first = torch.from_numpy(click_disks(batch.clicks, (32, 32)))
    assert torch.equal(guidance[0][:, 1:], first)
    for before, after in pairwise(guidance):
        shown = 0.5 * (batch.image[:, 0] - 0.5 + before[:, 1] - before[:, 2])
        assert torch.allclose(after[:, 0], torch.sigmoid(shown))
    for old, new in zip(batch.clicks, answer.clicks, strict=True):
        assert new[: len(old)] == old
        assert len(old) <= len(new) <= len(old) + 3
    last = torch.from_numpy(click_disks(answer.clicks, (32, 32)))
    assert torch.equal(guidance[-1][:, 1:], last)


def test_the_loss_is_the_sum_of_its_weighed_parts(plan, samples):
    network, batch = Noting(), batch_of(samples, 0)
    answer = Interaction(plan, network).answer(network, batch)
    guidance = network.seen[-1][2]
    logits = network(batch.image, guidance)
    entropy = cross_entropy(logits, batch.target, batch.judged)
    rough = smoothness(torch.sigmoid(logits), batch.image, plan.loss.neighbourhood())
    assert torch.allclose(answer.loss, entropy + 10 * rough)
    without = replace(plan, loss=replace(plan.loss, smoothness=0.0, kind="focal"))
    assert list(Interaction(without, network).answer(network, batch).parts) == ["focal"]


def test_dropout_depends_on_the_lesson_not_on_its_batch():
    dropout = LessonDropout(0.5, unit="channel", place=0)
    values = torch.ones(3, 64, 4, 5)
    dropout.show(7, (10, 11, 12))
    together = dropout(values)
    dropout.show(7, (12,))
    assert torch.equal(dropout(values[2:]), together[2:])
    assert not torch.equal(together[0], together[1])
    assert set(together.unique().tolist()) == {0.0, 2.0}
    assert (together.amin(dim=(2, 3)) == together.amax(dim=(2, 3))).all(), "whole channels"
    assert together.mean().item() == pytest.approx(1.0, abs=0.25)
    assert torch.equal(dropout.eval()(values), values)


def test_stochastic_depth_leaves_out_all_of_a_lesson():
    network = torch.nn.Sequential(SwinDropPath(0.25))
    (dropout,) = replace_dropout(network)
    dropout.show(3, tuple(range(400)))
    left = network(torch.ones(400, 2, 3, 4))
    each = left.flatten(1)
    assert (each.amin(dim=1) == each.amax(dim=1)).all()
    assert each[:, 0].eq(0).float().mean().item() == pytest.approx(0.25, abs=0.07)
    assert left.unique().tolist() == pytest.approx([0.0, 4 / 3])
    twice = network(torch.ones(800, 2, 3, 4))
    assert torch.equal(twice, torch.cat([left, left])), "two streams of the same lessons"


def test_every_dropout_of_a_network_is_replaced_and_its_weights_stay():
    network = torch.nn.Sequential(
        torch.nn.Linear(2, 2), torch.nn.Dropout(0.1), torch.nn.Sequential(torch.nn.Dropout2d(0.2))
    )
    names = list(network.state_dict())
    replaced = replace_dropout(network)
    assert len(replaced) == 2
    assert list(network.state_dict()) == names
    assert isinstance(network[2][0], LessonDropout)
    one, other = replaced
    values = torch.ones(1, 400)
    for each in (one, other):
        each.show(0, (0,))
    assert one(values).eq(0).float().mean().item() == pytest.approx(0.1, abs=0.06)
    assert other(values).eq(0).float().mean().item() == pytest.approx(0.2, abs=0.08)
