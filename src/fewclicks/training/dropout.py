"""Dropout whose gaps depend on the lesson, not on how lessons are shared out over processes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from fewclicks.training.chance import Purpose, chance_of


class LessonDropout(nn.Module):
    """Leaves channels out, each lesson those of its own number.

    Parameters
    ----------
    probability
        That a channel is left out, in [0, 1).
    whole_channels
        Whether all of a channel is left out together, as ``nn.Dropout2d`` does, or each number by
        itself.
    place
        Among the network's other dropouts.
    """

    def __init__(self, probability: float, *, whole_channels: bool, place: int) -> None:
        super().__init__()
        self._probability, self._whole_channels, self._place = probability, whole_channels, place
        self._lessons: tuple[int, Sequence[int]] = (0, ())

    def show(self, seed: int, numbers: Sequence[int]) -> None:
        """Say which lessons come next."""
        self._lessons = seed, numbers

    def forward(self, values: Tensor) -> Tensor:
        """Leave out, and scale up what stays."""
        if not self.training or self._probability == 0:
            return values
        seed, numbers = self._lessons
        shape = values.shape[1:2] + (1,) * (values.ndim - 2)
        shape = shape if self._whole_channels else values.shape[1:]
        kept = np.stack(
            [
                chance_of(Purpose.DROPOUT, seed, number, self._place).random(shape, np.float32)
                >= self._probability
                for number in numbers
            ]
        )
        mask = torch.from_numpy(kept).to(values.device, values.dtype)
        return values * mask / (1 - self._probability)


def replace_dropout(network: nn.Module) -> list[LessonDropout]:
    """Put such dropouts into a network in place of its own, and give them; weights stay."""
    replaced: list[LessonDropout] = []
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, (nn.Dropout, nn.Dropout2d)):
                ours = LessonDropout(
                    child.p, whole_channels=isinstance(child, nn.Dropout2d), place=len(replaced)
                )
                setattr(parent, name, ours)
                replaced.append(ours)
    return replaced
