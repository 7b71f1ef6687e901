"""Distillation: a student learns the features of a large network from photographs alone.

What is learnt is first of all which tokens of a picture are alike, since that is what a walk over
them consumes, and besides that each token's direction.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fewclicks.errors import InputError
from fewclicks.files import remove_leftovers
from fewclicks.training.checkpoints import (
    CHECKPOINT,
    read_checkpoint,
    restore,
    update_average,
    write_checkpoint,
)
from fewclicks.training.lessons import Lessons
from fewclicks.training.student import Student, StudentConfig, unit_tokens
from fewclicks.training.student_export import export_student
from fewclicks.training.teacher import TeacherConfig, TeacherTargets, list_photos

EXPORTED: Final = "builtin.onnx"
"""What a run leaves in its folder for the backbone."""

_ROWS: Final = 128  # of the similarities of a picture that are compared at each step
_LONGEST_GRADIENT: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Learning:
    """How long and how fast a student learns.

    Parameters
    ----------
    steps
        Of `batch` crops each.
    crop, last_crop
        Side of the crops, in tokens, before and while the rate falls: small ones first, since they
        are quick, and in the end nearly whole pictures, since those are what it is for.
    rate
        The highest learning rate: it rises evenly over `warm_up` steps and falls evenly over the
        last `cool_down` share of them all.
    weight_decay
        As AdamW has it.
    average
        Share that stays in the running average of the weights, which is what is kept.
    temperature
        At which similarities become rows of probabilities, for both networks.
    relation
        Weight of the rows' divergence, where one minus the cosine has weight 1.
    checkpoint_every
        Steps.
    workers
        Processes that ask the teacher, and threads that the student learns with.
    seed
        Of the first weights, of the order of pictures, and of their crops.
    """

    steps: int = 12000
    batch: int = 8
    crop: int = 32
    last_crop: int = 40
    rate: float = 2e-3
    warm_up: int = 200
    cool_down: float = 0.3
    weight_decay: float = 0.05
    average: float = 0.998
    temperature: float = 0.07
    relation: float = 2.0
    checkpoint_every: int = 200
    workers: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "batch",
            "crop",
            "last_crop",
            "warm_up",
            "checkpoint_every",
            "workers",
        ):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least 1.")
        for name in ("temperature", "cool_down", "rate"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number above 0.")

    def rate_at(self, step: int) -> float:
        """Give the learning rate of a step, from 0."""
        return self.rate * min(1.0, (step + 1) / self.warm_up, self._fallen(step))

    def crop_at(self, step: int) -> int:
        """Give the side of the crops of a step, in tokens."""
        return self.crop if self._fallen(step) >= 1.0 else self.last_crop

    def _fallen(self, step: int) -> float:
        """Share of the rate that the end leaves; 1 and more before it begins."""
        return (self.steps - step) / max(1.0, self.cool_down * self.steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run has come.

    Parameters
    ----------
    step
        So many are done.
    seconds
        Since this process began.
    cosine, relation
        Mean over crops since the last report: cosine of tokens with the teacher's, and relational
        loss in nats.
    held_out_cosine, held_out_relation
        The same for the average of the weights on whole photographs that are never trained on;
        None where there is none.
    """

    step: int
    seconds: float
    cosine: float
    relation: float
    held_out_cosine: float | None = None
    held_out_relation: float | None = None

    @property
    def summary(self) -> str:
        """``cosine 0.412``, of what is held out if there is any."""
        held_out = self.held_out_cosine
        return f"cosine {self.cosine if held_out is None else held_out:.3f}"


def relational_loss(taught: Tensor, told: Tensor, *, temperature: float) -> Tensor:
    """How far the student's similarities are from the teacher's.

    Parameters
    ----------
    taught, told : (b, m, n)
        Cosines of m tokens with all n, of the student and of the teacher.
    temperature
        Lower looks at the nearest only.

    Returns
    -------
    Tensor
        Divergence of Kullback and Leibler from the teacher's ``softmax(cos / temperature)`` to the
        student's, in nats, the mean over rows.
    """
    wanted = functional.log_softmax(told / temperature, dim=2).flatten(0, 1)
    given = functional.log_softmax(taught / temperature, dim=2).flatten(0, 1)
    return functional.kl_div(given, wanted, reduction="batchmean", log_target=True)


def compare_tokens(
    taught: Tensor, told: Tensor, rows: Tensor, *, temperature: float
) -> tuple[Tensor, Tensor]:
    """Mean cosine and relational loss of tokens.

    Parameters
    ----------
    taught, told : (b, n, k)
        Of length 1, of the student and of the teacher.
    rows : (m,)
        Tokens whose similarities with all are compared.
    """
    cosine = (taught * told).sum(dim=2).mean()
    relation = relational_loss(
        taught[:, rows] @ taught.mT, told[:, rows] @ told.mT, temperature=temperature
    )
    return cosine, relation


class Distillation:
    """A run: the student, its average over steps, the optimiser, and how far it has come.

    Parameters
    ----------
    shape
        Of the student.
    learning
        How it learns.
    """

    def __init__(self, shape: StudentConfig, learning: Learning) -> None:
        torch.manual_seed(learning.seed)
        self.learning = learning
        self.student = Student(shape)
        self.student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Student(shape).eval()
        self.average.load_state_dict(self.student.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.student.parameters(), lr=learning.rate, weight_decay=learning.weight_decay
        )
        self.step = 0

    def learn(self, lessons: Lessons) -> tuple[float, float]:
        """Take one step; give cosine and relational loss of its crops.

        Raises
        ------
        InputError
            If the loss is no number any more.
        """
        learning, step = self.learning, self.step
        for group in self.optimiser.param_groups:
            group["lr"] = learning.rate_at(step)
        side = learning.crop_at(step)
        colours, told = lessons.batch(step, size=learning.batch, side=side, seed=learning.seed)
        self.student.train()
        with torch.autocast("cpu", torch.bfloat16):
            features = self.student(colours.to(memory_format=torch.channels_last))
        order = np.random.default_rng((learning.seed, step, 1)).permutation(side**2)
        cosine, relation = compare_tokens(
            unit_tokens(features),
            unit_tokens(told),
            torch.from_numpy(order[:_ROWS]),
            temperature=learning.temperature,
        )
        loss = 1.0 - cosine + learning.relation * relation
        if not torch.isfinite(loss):
            raise InputError(f"The loss is {loss.item()} at step {step}; needs a lower rate.")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), _LONGEST_GRADIENT)
        self.optimiser.step()
        self.step += 1
        # An average over so few steps would remember the first weights, which know nothing.
        keep = min(learning.average, self.step / (self.step + 10.0))
        update_average(self.average.state_dict(), self.student, keep)
        return cosine.item(), relation.item()

    @torch.inference_mode()
    def judge(self, lessons: Lessons) -> tuple[float, float] | tuple[None, None]:
        """Cosine and relational loss of the average, over whole photographs that are held out."""
        found = []
        for photo in lessons.held_out:
            lesson = lessons.read(photo)
            colours = torch.from_numpy(lesson.image).permute(2, 0, 1)[None].float() / 255.0
            told = torch.from_numpy(lesson.tokens).permute(2, 0, 1)[None]
            taught = unit_tokens(self.average(colours))
            rows = torch.arange(0, taught.shape[1], max(1, taught.shape[1] // _ROWS))
            pair = compare_tokens(
                taught, unit_tokens(told), rows, temperature=self.learning.temperature
            )
            found.append([value.item() for value in pair])
        if not found:
            return None, None
        cosine, relation = np.mean(found, axis=0)
        return float(cosine), float(relation)

    def save(self, out: Path) -> None:
        """Keep the run and what it has learnt so far, in a folder."""
        write_checkpoint(
            out / CHECKPOINT,
            step=self.step,
            described=self._described(),
            network=self.student,
            optimiser=self.optimiser,
            average=self.average.state_dict(),
        )
        export_student(self.average, out / EXPORTED)

    def go_on(self, out: Path) -> bool:
        """Go on from what `save` kept, if there is anything.

        Raises
        ------
        InputError
            If it is of another student.
        """
        if not (out / CHECKPOINT).is_file():
            return False
        checkpoint = read_checkpoint(out / CHECKPOINT)
        restore(
            checkpoint,
            described=self._described(),
            network=self.student,
            optimiser=self.optimiser,
            average=self.average.state_dict(),
        )
        self.step = checkpoint.step
        return True

    def _described(self) -> dict[str, Any]:
        """Say what may not change: a run may go on for longer, or in larger crops."""
        return {"network": asdict(self.student.config), "seed": self.learning.seed}


def ask_teacher(
    teacher: TeacherConfig, data: str, out: Path, *, workers: int, seed: int
) -> Iterator[tuple[int, int]]:
    """Let the teacher speak of all photographs; give how many are done, and how many there are.

    Parameters
    ----------
    data
        As `list_photos` takes it.
    out
        Of the run; the targets are kept in a folder of it.
    """
    photos, targets = _photos(data, seed), TeacherTargets(out / "targets", teacher)
    for done, _ in enumerate(targets.fill(photos, workers=workers), start=1):
        yield done, len(photos)


def teach(
    teacher: TeacherConfig,
    data: str,
    out: Path,
    *,
    shape: StudentConfig,
    learning: Learning,
    resume: bool = False,
) -> Iterator[Progress]:
    """Teach a student; gives how far it is after each checkpoint.

    Parameters
    ----------
    teacher, data, out
        As `ask_teacher` had them; photographs that it has not reached are left out.
    resume
        Go on where a run in `out` stopped, if there is one.

    Raises
    ------
    InputError
        If `out` holds another run, or this one and `resume` is not set.
    """
    torch.set_num_threads(learning.workers)
    targets = TeacherTargets(out / "targets", teacher)
    lessons = Lessons(targets, _photos(data, learning.seed))
    run = Distillation(shape, learning)
    if run.go_on(out) and not resume:
        raise InputError(
            f"{out} holds a training already; --resume goes on with it, another --out starts anew."
        )
    remove_leftovers(out)
    since, learnt = time.monotonic(), []
    while run.step < learning.steps:
        learnt.append(run.learn(lessons))
        if run.step % learning.checkpoint_every and run.step != learning.steps:
            continue
        run.save(out)
        cosine, relation = np.mean(learnt, axis=0)
        learnt.clear()
        judged = run.judge(lessons)
        yield Progress(
            step=run.step,
            seconds=time.monotonic() - since,
            cosine=float(cosine),
            relation=float(relation),
            held_out_cosine=judged[0],
            held_out_relation=judged[1],
        )


def _photos(data: str, seed: int) -> list[Path]:
    """In an order of their own, so that the first ones are a fair sample."""
    photos = list_photos(data)
    random.Random(seed).shuffle(photos)
    return photos
