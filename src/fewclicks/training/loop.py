"""The loop: lessons, losses, steps; in one process or several, and on from where it stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, Sampler

from fewclicks.errors import FewclicksError, InputError
from fewclicks.files import remove_leftovers
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.training.checkpoints import (
    CHECKPOINT,
    read_checkpoint,
    restore,
    update_average,
    write_checkpoint,
)
from fewclicks.training.interaction import Answer, Interaction
from fewclicks.training.journal import Journal
from fewclicks.training.optimising import create_optimiser, set_rate
from fewclicks.training.plan import TrainingPlan
from fewclicks.training.samples import Batch, Sample, Samples, collate

Watcher: TypeAlias = Callable[[int, int, float], None]
"""Told how many steps are done, of how many, and the latest loss."""

Measure: TypeAlias = Callable[[nn.Module, int], Mapping[str, float]]
"""Told the network and its step, by all processes; gives figures by name."""


class DivergedError(FewclicksError):
    """The loss or its gradient is no number any more."""


@dataclass(kw_only=True, slots=True)
class Learner:
    """All that changes while a network learns.

    Parameters
    ----------
    network, optimiser
        As torch has them, not wrapped.
    average
        Running average of the weights by name; None where the plan has none.
    step
        So many are done.
    figures
        What was measured last, by name.
    """

    network: nn.Module
    optimiser: Optimizer
    average: dict[str, Tensor] | None = None
    step: int = 0
    figures: dict[str, float] = field(default_factory=dict)


def learn(
    plan: TrainingPlan,
    network: ClickNetwork,
    samples: Samples,
    out: Path,
    *,
    fabric: Any,
    resume: bool = False,
    measure: Measure | None = None,
    watch: Watcher = lambda _done, _total, _loss: None,
) -> Learner:
    """Train a network, to the end.

    Parameters
    ----------
    network
        Changed in place, and at the end its running average if the plan has one.
    samples
        Its lessons.
    out
        Folder of the checkpoint and of TensorBoard's events.
    fabric
        Of Lightning, launched.
    resume
        Go on from the checkpoint in `out`, if there is one.
    measure
        Called as often as the plan says, and at the end.
    watch
        Called after each step.

    Raises
    ------
    InputError
        If `out` holds another training, or this one and `resume` is not set.
    DivergedError
        If the loss or its gradient becomes infinite or no number; the checkpoint stays as it was.
    """
    total = count_steps(plan, samples.pictures)
    described = {**plan.describe(), "steps": total, "pictures": samples.pictures}
    interaction = Interaction(plan, network)
    optimiser = create_optimiser(plan, network)
    wrapped, _ = fabric.setup(network, optimiser)
    learner = Learner(network=network, optimiser=optimiser)
    if plan.optimiser.average:
        learner.average = {name: v.detach().clone() for name, v in network.state_dict().items()}
    _take_up(learner, out / CHECKPOINT, described, resume=resume)
    if fabric.global_rank == 0:
        remove_leftovers(out)
    journal = Journal(out, learner.step) if fabric.global_rank == 0 else None
    batches = _batches(plan, samples, fabric, learner.step, total)
    while learner.step < total:
        rate = plan.schedule.rate_at(learner.step, total)
        answer, batch = _step(plan, learner, interaction, wrapped, batches, fabric, rate)
        done = learner.step
        watch(done, total, float(answer.loss.detach()))
        if journal is not None and _due(done, plan.run.scalars_every, total):
            losses = {f"loss/{name}": float(part.detach()) for name, part in answer.parts.items()}
            journal.scalars(done, {**losses, "rate": rate})
        if journal is not None and _due(done, plan.run.pictures_every, 0):
            journal.pictures(done, batch, answer)
        if fabric.global_rank == 0 and _due(done, plan.run.checkpoint_every, total):
            _keep(learner, out / CHECKPOINT, described)
        if measure is not None and _due(done, plan.evaluation.every, total):
            with _averaged(learner):
                learner.figures = dict(measure(network, done))
            if journal is not None:
                journal.scalars(done, {f"measured/{k}": v for k, v in learner.figures.items()})
    _settle(learner)
    return learner


def count_steps(plan: TrainingPlan, pictures: int) -> int:
    """Count the updates of a training; an epoch leaves out the pictures that fill no batch."""
    return plan.run.steps or plan.run.epochs * max(1, pictures // plan.run.batch)


def _step(
    plan: TrainingPlan,
    learner: Learner,
    interaction: Interaction,
    wrapped: nn.Module,
    batches: Iterator[Batch],
    fabric: Any,
    rate: float,
) -> tuple[Answer, Batch]:
    """Learn from one batch, in as many portions as the plan says."""
    portions = plan.run.portions(fabric.world_size)[1]
    set_rate(learner.optimiser, rate)
    for portion in range(portions):
        batch = _to_device(next(batches), fabric)
        with fabric.no_backward_sync(wrapped, enabled=portion < portions - 1):
            answer = interaction.answer(wrapped, batch)
            fabric.backward(answer.loss / portions)
    length = nn.utils.clip_grad_norm_(learner.network.parameters(), plan.optimiser.clip or math.inf)
    # Gradients are those of all processes, so all of them stop here together.
    if not torch.isfinite(length):
        parts = ", ".join(
            f"{name} {float(part.detach()):.3g}" for name, part in answer.parts.items()
        )
        raise DivergedError(
            f"Step {learner.step + 1}: the gradient is {float(length)} (losses here: {parts}). "
            f"Nothing of it was kept; lower schedule.rate ({plan.schedule.rate:g}), set "
            "optimiser.clip, or take run.precision fp32, and resume or start anew."
        )
    learner.optimiser.step()
    learner.optimiser.zero_grad(set_to_none=True)
    learner.step += 1
    if learner.average is not None:
        update_average(learner.average, learner.network, plan.optimiser.average)
    return answer, batch


def _take_up(learner: Learner, path: Path, described: Mapping[str, Any], *, resume: bool) -> None:
    if not path.is_file():
        return
    if not resume:
        raise InputError(
            f"{path.parent} holds a training already; --resume goes on with it, another --out "
            "starts anew."
        )
    checkpoint = read_checkpoint(path)
    restore(
        checkpoint,
        described=described,
        network=learner.network,
        optimiser=learner.optimiser,
        average=learner.average,
    )
    learner.step = checkpoint.step


def _keep(learner: Learner, path: Path, described: Mapping[str, Any]) -> None:
    write_checkpoint(
        path,
        step=learner.step,
        described=described,
        network=learner.network,
        optimiser=learner.optimiser,
        average=learner.average,
    )


class _averaged:  # noqa: N801, a context manager
    """While it lasts, the network has its average weights."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._own: dict[str, Tensor] = {}

    def __enter__(self) -> None:
        if self._learner.average is not None:
            state = self._learner.network.state_dict()
            self._own = {name: value.clone() for name, value in state.items()}
            self._learner.network.load_state_dict(self._learner.average)

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._learner.network.load_state_dict(self._own)


def _settle(learner: Learner) -> None:
    if learner.average is not None:
        learner.network.load_state_dict(learner.average)
    learner.network.eval()


def _due(step: int, every: int, total: int) -> bool:
    return step == total or (every > 0 and step % every == 0)


class _Lessons(Dataset[Sample]):
    """Samples as torch wants them."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def __getitem__(self, number: int) -> Sample:
        return self._samples[number]


class _Numbers(Sampler[int]):
    """The lessons of one process, step by step."""

    def __init__(self, first: int, last: int, batch: int, start: int, count: int) -> None:
        self._steps, self._batch, self._start, self._count = range(first, last), batch, start, count

    def __iter__(self) -> Iterator[int]:
        for step in self._steps:
            start = step * self._batch + self._start
            yield from range(start, start + self._count)

    def __len__(self) -> int:
        return len(self._steps) * self._count


def _batches(
    plan: TrainingPlan, samples: Samples, fabric: Any, first: int, last: int
) -> Iterator[Batch]:
    at_once, portions = plan.run.portions(fabric.world_size)
    mine = at_once * portions
    numbers = _Numbers(first, last, plan.run.batch, fabric.global_rank * mine, mine)
    return iter(
        DataLoader(
            _Lessons(samples),
            batch_size=at_once,
            sampler=numbers,
            num_workers=plan.run.workers,
            collate_fn=collate,
            worker_init_fn=_one_thread,
            pin_memory=fabric.device.type == "cuda",
        )
    )


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(1)


def _to_device(batch: Batch, fabric: Any) -> Batch:
    return Batch(
        numbers=batch.numbers,
        image=fabric.to_device(batch.image),
        target=fabric.to_device(batch.target),
        judged=fabric.to_device(batch.judged),
        clicks=batch.clicks,
        guidance=batch.guidance.moved(fabric),
    )
