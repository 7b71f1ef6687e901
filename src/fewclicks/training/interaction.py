"""Interaction: a network answers the first clicks, is clicked where it erred, and is blamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fewclicks.clicks import Click
from fewclicks.methods.transformer.click_maps import click_disks
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.training.chance import Purpose, chance_of
from fewclicks.training.dropout import replace_dropout
from fewclicks.training.losses import cross_entropy, normalised_focal_loss, smoothness
from fewclicks.training.next_clicks import sample_next_click
from fewclicks.training.plan import LossSettings, TrainingPlan
from fewclicks.training.samples import Batch


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a batch.

    Parameters
    ----------
    parts
        Of the loss, weighed; their sum is what is learnt from.
    probability : (b, 1, h, w)
        Of the answer that was blamed.
    clicks
        That it answered.
    """

    parts: dict[str, Tensor]
    probability: Tensor
    clicks: tuple[tuple[Click, ...], ...]

    @property
    def loss(self) -> Tensor:
        """All parts together."""
        return torch.stack(list(self.parts.values())).sum()


class Interaction:
    """Turns batches into losses, as the plan says.

    Parameters
    ----------
    plan
        What is trained.
    network
        Whose dropouts are replaced; it says what it takes besides clicks.
    """

    def __init__(self, plan: TrainingPlan, network: ClickNetwork) -> None:
        self._plan = plan
        self._dropouts = replace_dropout(network)
        self._network = network

    def answer(self, network: nn.Module, batch: Batch) -> Answer:
        """Click, answer, click again and answer; the last answer is blamed.

        Parameters
        ----------
        network
            The same, wrapped or not: answers pictures and guidance, (b, 3, h, w) both, with
            logits (b, 1, h, w), as `SimpleClickNetwork` does; set to training at the end.

        References
        ----------
        .. [1] arXiv:2102.06583, section 3.2: clicks between are made in evaluation mode.
        """
        seed, run = self._plan.run.seed, self._plan.run
        for dropout in self._dropouts:
            dropout.show(seed, batch.numbers)
        clicks = [list(each) for each in batch.clicks]
        told = batch.guidance.told(self._network)
        previous = torch.zeros_like(batch.target)
        step = batch.numbers[0] // run.batch
        rounds = int(
            chance_of(Purpose.ROUNDS, seed, step).integers(self._plan.next_clicks.max_rounds + 1)
        )
        network.eval()
        for number in range(rounds):
            with torch.no_grad():
                logits = network(batch.image, _guidance(previous, clicks), *told)
            previous = torch.sigmoid(logits.float())
            self._click_errors(batch, previous, clicks, number)
        network.train()
        logits = network(batch.image, _guidance(previous, clicks), *told).float()
        return Answer(
            parts=_blame(logits, batch, self._plan.loss),
            probability=torch.sigmoid(logits.detach()),
            clicks=tuple(tuple(each) for each in clicks),
        )

    def _click_errors(
        self, batch: Batch, previous: Tensor, clicks: list[list[Click]], number: int
    ) -> None:
        answers = previous[:, 0].cpu().numpy()
        targets = batch.target[:, 0].cpu().numpy() > 0.5
        void = batch.judged[:, 0].cpu().numpy() < 0.5
        for k, lesson in enumerate(batch.numbers):
            chance = chance_of(Purpose.NEXT_CLICK, self._plan.run.seed, lesson, number)
            click = sample_next_click(
                targets[k], answers[k], chance, self._plan.next_clicks, void=void[k]
            )
            if click is not None:
                clicks[k].append(click)


def _guidance(previous: Tensor, clicks: Sequence[Sequence[Click]]) -> Tensor:
    height, width = previous.shape[-2:]
    disks = np.asarray(click_disks(clicks, (height, width)))
    return torch.cat([previous, torch.from_numpy(disks).to(previous)], dim=1)


def _blame(logits: Tensor, batch: Batch, settings: LossSettings) -> dict[str, Tensor]:
    parts: dict[str, Tensor] = {}
    if settings.kind == "focal":
        parts["focal"] = normalised_focal_loss(
            logits,
            batch.target,
            batch.judged,
            alpha=settings.focal_alpha,
            gamma=settings.focal_gamma,
        )
    else:
        parts["cross_entropy"] = cross_entropy(logits, batch.target, batch.judged)
    if settings.smoothness:
        values = logits if settings.smooth_logits else torch.sigmoid(logits)
        parts["smoothness"] = settings.smoothness * smoothness(
            values, batch.image, settings.neighbourhood()
        )
    return parts
