"""Timeline: the moments of a sitting, and where among them it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.methods.base import Prediction, Prepared
from fewclicks.session.answers import Answers
from fewclicks.session.history import Moment
from fewclicks.session.prompts import Correction, PackedMask, Step
from fewclicks.session.scene import Scene


class Timeline:
    """Takes steps, goes back and forth between them, and keeps the present answer.

    Parameters
    ----------
    answers
        The method's, on the picture.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.prediction: Prediction | None = None
        self.index = 0
        height, width = answers.places.prepared.shape
        scene = Scene(height=height, width=width)
        self.moments: tuple[Moment, ...] = (Moment(step=None, scene=scene, asked=()),)

    @property
    def now(self) -> Moment:
        """Where the sitting stands."""
        return self.moments[self.index]

    @property
    def excluded(self) -> BoolMask | None:
        """(H, W) Where the present object cannot be."""
        return self.answers.places.of(self.now.scene).excluded

    @property
    def prepared(self) -> Prepared:
        """The picture, conditioned on what is known now."""
        return self.answers.places.of(self.now.scene).prepared

    def steps(self, *, undone: bool) -> tuple[Step, ...]:
        """List the steps that stand, and those that are undone if wanted; oldest first."""
        moments = self.moments[1:] if undone else self.moments[1 : self.index + 1]
        return tuple(moment.step for moment in moments if moment.step is not None)

    def begin_with(self, mask: PackedMask) -> None:
        """Put a mask before all steps."""
        step = Correction(mask)
        scene = self.moments[0].scene.after(step, self.answers.places.prepared.excluded)
        self.moments = (Moment(step=step, scene=scene, asked=()),)
        self.go_to(0)

    def advance(self, step: Step) -> None:
        """Take a step; nothing has changed if it, or the method, fails."""
        moments = (*self.moments[: self.index + 1], self._after(step))
        prediction = self.answers.of(moments, self.index + 1)
        self.answers.kept.drop(self.moments[self.index + 1 :])
        self.moments, self.index, self.prediction = moments, self.index + 1, prediction

    def take_up(self, steps: Sequence[Step], *, done: int) -> None:
        """Take steps that were taken before, and ask for no answer but that where so many stand."""
        for step in steps:
            self.moments = (*self.moments, self._after(step))
            self.index += 1
        self.go_to(done)

    def go_to(self, index: int) -> Prediction | None:
        """Stand at a moment; None where an object begins."""
        self.prediction = self.answers.of(self.moments, index)
        self.index = index
        return self.prediction

    def answer_anew(self, answers: Answers) -> Prediction | None:
        """Have the present clicks answered by others; nothing has changed if they fail."""
        before = self.answers
        self.answers = answers
        try:
            return self.go_to(self.index)
        except BaseException:
            self.answers = before
            raise

    def before_newest_click(self) -> Prediction | None:
        """Give the answer that stood when the present moment's newest click came."""
        return self.answers.before_newest_click(self.moments, self.index)

    def within(self, mask: BoolMask) -> BoolMask:
        """Take excluded pixels off a mask; a new array."""
        excluded = self.excluded
        return mask.copy() if excluded is None else np.asarray(mask & ~excluded)

    def _after(self, step: Step) -> Moment:
        places, now = self.answers.places, self.now.scene
        scene = now.after(step, places.of(now).excluded)
        return Moment(step=step, scene=scene, asked=scene.asked(places.of(scene).excluded))
