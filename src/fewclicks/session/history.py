"""History: what was known after each step, and the answers that are kept for undo."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction
from fewclicks.session.prompts import Step
from fewclicks.session.scene import Scene

KEPT_BYTES: Final = 256 * 2**20
"""Of answers kept for undo; 160 of them at 854 x 480, five at twelve megapixels."""


@dataclass(frozen=True, eq=False, slots=True)
class Moment:
    """The sitting after one step; light, since answers are kept elsewhere.

    Parameters
    ----------
    step
        None at the very beginning.
    scene
        What all steps so far come to.
    asked
        The clicks for the method.
    """

    step: Step | None
    scene: Scene
    asked: tuple[Click, ...]

    @property
    def is_blank(self) -> bool:
        """Whether an object begins here, with nothing known of it."""
        return not (self.asked or self.scene.prompts or self.scene.exemplar is not None)


class KeptAnswers:
    """The answers of the moments seen last, within a budget of bytes.

    Parameters
    ----------
    budget
        In bytes of probabilities; the newest answer is kept whatever it weighs.
    """

    def __init__(self, budget: int = KEPT_BYTES) -> None:
        self._budget = budget
        self._bytes = 0
        self._answers: OrderedDict[Moment, Prediction] = OrderedDict()

    def of(self, moment: Moment) -> Prediction | None:
        """Give the moment's answer, if it is still kept."""
        if moment in self._answers:
            self._answers.move_to_end(moment)
        return self._answers.get(moment)

    def keep(self, moment: Moment, answer: Prediction) -> None:
        """Keep an answer, and let go of those not asked for longest."""
        self.drop([moment])
        self._answers[moment] = answer
        self._bytes += answer.probability.nbytes
        while self._bytes > self._budget and len(self._answers) > 1:
            self.drop([next(iter(self._answers))])

    def emptied(self) -> KeptAnswers:
        """Give one with the same budget that keeps nothing yet."""
        return KeptAnswers(self._budget)

    def drop(self, moments: Sequence[Moment]) -> None:
        """Let go of the answers of moments that will not come back."""
        for moment in moments:
            if moment in self._answers:
                self._bytes -= self._answers.pop(moment).probability.nbytes


def basis(moments: Sequence[Moment], index: int) -> int | None:
    """Which earlier moment's answer a method gets as ``previous``; None if it gets none.

    It is the newest moment of the same object whose clicks begin the present ones. That is the
    moment before, but where the box's centre gave way to a person's own click: an answer to
    other clicks would mislead a method that goes on from it.
    """
    return _newest_that_begins(moments[index].asked, moments, index)


def before_newest_click(moments: Sequence[Moment], index: int) -> int | None:
    """Which earlier moment's answer is the one before the moment's newest click; None if none."""
    return _newest_that_begins(moments[index].asked[:-1], moments, index)


def _newest_that_begins(
    asked: tuple[Click, ...], moments: Sequence[Moment], index: int
) -> int | None:
    for earlier in range(index - 1, -1, -1):
        moment = moments[earlier]
        if moment.is_blank:
            return None
        if asked[: len(moment.asked)] == moment.asked:
            return earlier
    return None
