"""Answers: what the method said at each moment, kept, or asked again from the nearest that is."""

from __future__ import annotations

from collections.abc import Sequence

from fewclicks.arrays import FloatMap
from fewclicks.methods.base import AnyMethod, Prediction
from fewclicks.methods.guidance import Reference
from fewclicks.session.history import KeptAnswers, Moment, basis, before_newest_click
from fewclicks.session.places import Places
from fewclicks.session.prompts import Accept, Aim, Correction, Refuse


class Answers:
    """One method's answers on one picture.

    Parameters
    ----------
    method
        Is asked.
    places
        The picture, conditioned on each scene.
    kept
        Answers that need not be asked for again.
    """

    def __init__(self, method: AnyMethod, places: Places, kept: KeptAnswers) -> None:
        self._method = method
        self.places = places
        self.kept = kept

    def with_depth(self, depth: FloatMap | None) -> Answers:
        """Answer anew, given another depth or none.

        Raises
        ------
        InputError
            If the method takes no depth.
        """
        return Answers(self._method, self.places.with_depth(depth), self.kept.emptied())

    def with_references(self, label: str, references: Sequence[Reference]) -> Answers:
        """Answer anew, given other references of a label, or none.

        Raises
        ------
        InputError
            If the method takes no references.
        """
        places = self.places.with_references(label, references)
        return Answers(self._method, places, self.kept.emptied())

    def of(self, moments: Sequence[Moment], index: int) -> Prediction | None:
        """Give a moment's answer; None where an object begins.

        Parameters
        ----------
        moments
            The sitting up to that moment, or further.
        index
            Of the moment.
        """
        missing: list[int] = []
        at: int | None = index
        answer: Prediction | None = None
        while at is not None and not moments[at].is_blank:
            answer = self.kept.of(moments[at])
            if answer is not None:
                break
            missing.append(at)
            at = _goes_on_from(moments, at)
        for late in reversed(missing):
            if answer is None or not _carries_on(moments, late):
                answer = self._ask(moments[late], answer)
            self.kept.keep(moments[late], answer)
        return answer

    def before_newest_click(self, moments: Sequence[Moment], index: int) -> Prediction | None:
        """Give the answer that stood when the moment's newest click came; None if none did."""
        at = before_newest_click(moments, index)
        return None if at is None else self.of(moments, at)

    def _ask(self, moment: Moment, previous: Prediction | None) -> Prediction:
        if isinstance(moment.step, Correction):
            answer = Prediction.from_mask(moment.step.mask.unpack())
        else:
            prepared = self.places.of(moment.scene).prepared
            answer = self._method.predict(prepared, moment.asked, previous)
        answer.probability.flags.writeable = False  # it is history now
        return answer


def _carries_on(moments: Sequence[Moment], index: int) -> bool:
    """Whether a step says nothing about what is left of the present object.

    A proposal that is accepted or refused leaves the others as they are, unless it shows that a
    negative click on the exemplar was a pseudo negative.
    """
    if index == 0 or not isinstance(moments[index].step, (Aim, Accept, Refuse)):
        return False
    now, before = moments[index].scene.chosen_exemplar, moments[index - 1].scene.chosen_exemplar
    return now == before


def _goes_on_from(moments: Sequence[Moment], index: int) -> int | None:
    """Which earlier moment's answer a moment's own begins with; None if with none."""
    moment = moments[index]
    if _carries_on(moments, index):
        return index - 1
    if isinstance(moment.step, (Accept, Refuse)):
        return before_newest_click(moments, index) if moment.asked else None
    return None if isinstance(moment.step, Correction) else basis(moments, index)
