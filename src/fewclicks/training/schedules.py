"""Schedules: the learning rate of a step, which depends on nothing but the step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fewclicks.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How the learning rate falls.

    Parameters
    ----------
    rate
        Before it falls; above 0.
    kind
        ``"steps"``: it is multiplied by `factor` at each of the `milestones`. ``"cosine"``: it
        follows half a cosine to zero at the end.
    milestones
        As shares of the whole training, each in (0, 1): epoch 50 of 55 is 50/55. Of ``"steps"``.
    factor
        In (0, 1].
    warm_up
        Steps over which it rises evenly from zero.

    Examples
    --------
    >>> schedule = Schedule(rate=5e-5, milestones=(50 / 55,))
    >>> [schedule.rate_at(step, 55 * 265) for step in (0, 50 * 265 - 1, 50 * 265)]
    [5e-05, 5e-05, 5e-06]
    """

    rate: float = 5e-5
    kind: Literal["steps", "cosine"] = "steps"
    milestones: tuple[float, ...] = ()
    factor: float = 0.1
    warm_up: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", tuple(self.milestones))
        if not 0 < self.rate < math.inf:
            raise InputError(f"rate is {self.rate}; needs a number above 0.")
        if self.kind not in ("steps", "cosine"):
            raise InputError(f"kind is '{self.kind}'; needs steps or cosine.")
        if not all(0 < each < 1 for each in self.milestones):
            raise InputError(
                f"milestones are {list(self.milestones)}; each needs to be a share of the "
                "training, above 0 and below 1."
            )
        if not 0 < self.factor <= 1 or self.warm_up < 0:
            raise InputError(
                f"factor is {self.factor} and warm_up {self.warm_up}; needs a factor above 0, at "
                "most 1, and 0 steps or more."
            )

    def rate_at(self, step: int, steps: int) -> float:
        """Give the rate of a step, from 0, of so many."""
        rising = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        if self.kind == "cosine":
            return self.rate * rising * 0.5 * (1 + math.cos(math.pi * step / max(1, steps)))
        # Rounded, so that a milestone of 50/55 falls on the first step of an epoch.
        passed = sum(step >= round(share * steps) for share in self.milestones)
        return float(f"{self.rate * rising * self.factor**passed:.12g}")
