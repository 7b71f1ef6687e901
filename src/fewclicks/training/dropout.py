"""Dropout whose gaps depend on the lesson, not on how lessons are shared out over processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from transformers.models.swin.modeling_swin import SwinDropPath

from fewclicks.training.chance import Purpose, chance_of

Unit: TypeAlias = Literal["value", "channel", "lesson"]
"""What is left out together: a number by itself, a channel, or all that a branch adds."""


class LessonDropout(nn.Module):
    """Leaves something out, each lesson what belongs to its own number.

    Parameters
    ----------
    probability
        That a unit is left out, in [0, 1).
    unit
        As ``nn.Dropout``, ``nn.Dropout2d`` and stochastic depth have it.
    place
        Among the network's other dropouts.
    """

    def __init__(self, probability: float, *, unit: Unit, place: int) -> None:
        super().__init__()
        self._probability, self._unit, self._place = probability, unit, place
        self._lessons: tuple[int, Sequence[int]] = (0, ())

    def show(self, seed: int, numbers: Sequence[int]) -> None:
        """Say which lessons come next."""
        self._lessons = seed, numbers

    def forward(self, values: Tensor) -> Tensor:
        """Leave out, and scale up what stays.

        Parameters
        ----------
        values : (k b, ...)
            Of b lessons; several streams of them stand one after the other, and each lesson's
            have the same gaps.
        """
        if not self.training or self._probability == 0:
            return values
        seed, numbers = self._lessons
        shape = {
            "value": tuple(values.shape[1:]),
            "channel": (values.shape[1],) + (1,) * (values.ndim - 2),
            "lesson": (1,) * (values.ndim - 1),
        }[self._unit]
        kept = np.stack(
            [
                chance_of(Purpose.DROPOUT, seed, number, self._place).random(shape, np.float32)
                >= self._probability
                for number in numbers
            ]
        )
        streams = np.concatenate([kept] * (len(values) // len(numbers)))
        mask = torch.from_numpy(streams).to(values.device, values.dtype)
        return values * mask / (1 - self._probability)


def replace_dropout(network: nn.Module) -> list[LessonDropout]:
    """Put such dropouts into a network in place of its own, and give them; weights stay."""
    replaced: list[LessonDropout] = []
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            known = _known(child)
            if known is not None:
                ours = LessonDropout(known[0], unit=known[1], place=len(replaced))
                setattr(parent, name, ours)
                replaced.append(ours)
    return replaced


def _known(module: nn.Module) -> tuple[float, Unit] | None:
    """Tell a dropout's probability and unit; None for other modules."""
    if isinstance(module, nn.Dropout2d):
        return module.p, "channel"
    if isinstance(module, nn.Dropout):
        return module.p, "value"
    if isinstance(module, SwinDropPath):
        return module.drop_prob, "lesson"
    return None
