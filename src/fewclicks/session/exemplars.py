"""Exemplars: one finished object stands for its kind, and the others are proposed.

A negative click on the exemplar may have said "not this neighbour". Once the neighbour is accepted
as another of the kind, that is no longer what is meant: such a pseudo negative is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.methods.guidance import Exemplar
from fewclicks.session.prompts import FinishedObject, PackedMask, Scribble, Step

_LEAST_AREA: Final = 0.05  # of the exemplar's; what is smaller is no proposal, but a crumb


@dataclass(frozen=True, slots=True)
class ChosenExemplar:
    """Which finished object stands for its kind, as the steps so far have it.

    Parameters
    ----------
    finished
        The object.
    clicks
        How it was found, without pseudo negatives.
    """

    finished: FinishedObject
    clicks: tuple[Click, ...]

    @property
    def guidance(self) -> Exemplar:
        """For the method."""
        return Exemplar(mask=self.finished.mask, clicks=self.clicks)


@dataclass(frozen=True, eq=False, slots=True)
class Proposal:
    """One object that may be of the exemplar's kind.

    Parameters
    ----------
    number
        From 0, by area, the largest first; for `Session.accept` and `Session.refuse`.
    mask : (H, W)
        What hangs together, by sides or corners.
    box
        Around it.
    """

    number: int
    mask: BoolMask
    box: Box

    @property
    def area(self) -> int:
        """In pixels."""
        return int(np.count_nonzero(self.mask))


def choose_exemplar(objects: Sequence[FinishedObject], number: int) -> ChosenExemplar:
    """Let a finished object stand for its kind.

    Raises
    ------
    InputError
        If there is no such object.
    """
    if not 0 <= number < len(objects):
        known = f"0 to {len(objects) - 1}" if objects else "none; finish an object first"
        raise InputError(f"There is no finished object {number}; known: {known}.")
    finished = objects[number]
    others = [
        each.packed for each in objects if each is not finished and each.label == finished.label
    ]
    clicks = tuple(
        click
        for click in clicks_of(finished.prompts)
        if click.is_positive or not any(_covers(mask, click.x, click.y) for mask in others)
    )
    return ChosenExemplar(finished=finished, clicks=clicks)


@lru_cache(maxsize=1024)
def _covers(mask: PackedMask, x: int, y: int) -> bool:
    """Look a pixel up; asked at every step of a search, for every object of the kind."""
    return bool(mask.unpack()[y, x])


def clicks_of(prompts: Sequence[Step]) -> tuple[Click, ...]:
    """List the clicks of an object's steps, strokes included; levels are left out."""
    found: list[Click] = []
    for step in prompts:
        if isinstance(step, Click):
            found.append(Click(x=step.x, y=step.y, is_positive=step.is_positive))
        elif isinstance(step, Scribble):
            found.extend(step.clicks)
    return tuple(found)


def clicks_on(clicks: Sequence[Click], mask: BoolMask) -> tuple[Click, ...]:
    """Choose the clicks that lie on a mask."""
    return tuple(click for click in clicks if mask[click.y, click.x])


def split_into_proposals(mask: BoolMask, exemplar: BoolMask) -> list[Proposal]:
    """Part a mask into what does not touch, the largest first.

    Parameters
    ----------
    mask : (H, W)
        All that is proposed.
    exemplar : (H, W)
        Parts of less than a twentieth of its area are dropped.
    """
    count, labels, found, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    least = _LEAST_AREA * np.count_nonzero(exemplar)
    kept = [k for k in range(1, count) if found[k, cv2.CC_STAT_AREA] >= least]
    kept.sort(key=lambda k: -int(found[k, cv2.CC_STAT_AREA]))
    proposals = []
    for number, k in enumerate(kept):
        x, y, width, height = (int(side) for side in found[k, :4])
        proposals.append(
            Proposal(number=number, mask=labels == k, box=Box(x, y, x + width, y + height))
        )
    return proposals


def find_proposal(proposals: Sequence[Proposal], number: int) -> Proposal:
    """Give the proposal of a number.

    Raises
    ------
    InputError
        If there is none.
    """
    if not 0 <= number < len(proposals):
        known = f"0 to {len(proposals) - 1}" if proposals else "none; click on what is missing"
        raise InputError(f"There is no proposal {number}; known: {known}.")
    return proposals[number]
