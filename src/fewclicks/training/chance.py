"""Chance: every number that a training draws, by seed, step and place in the batch.

Nothing is drawn from a stream that others draw from too, so a training that is taken up again, or
shared out over more processes, sees the same pictures, clicks and gaps.
"""

from __future__ import annotations

import enum

import numpy as np


class Purpose(enum.IntEnum):
    """What is drawn; each has its own numbers."""

    WEIGHTS = 0
    ORDER = 1
    SOURCE = 2
    TARGET = 3
    ROUNDS = 4
    NEXT_CLICK = 5
    DROPOUT = 6
    GUIDANCE = 7


def chance_of(purpose: Purpose, seed: int, *place: int) -> np.random.Generator:
    """Give the generator of one place.

    Parameters
    ----------
    purpose
        What it is for.
    seed
        Of the training.
    *place
        Such as step and place in the batch; each from 0 on.
    """
    return np.random.default_rng([seed, purpose, *place])
