"""Kind search: a finished object is declared the exemplar, and the others of its kind are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewclicks.methods.base import Prediction
from fewclicks.session.exemplars import Proposal, find_proposal, split_into_proposals
from fewclicks.session.prompts import (
    Accept,
    DeclareExemplar,
    FinishedObject,
    PackedMask,
    Refuse,
)

if TYPE_CHECKING:
    from fewclicks.session.timeline import Timeline


class KindSearch:
    """What a person does about the other objects of a finished one's kind.

    All of it are steps of the session, to be undone and saved. While a search is on, the session's
    mask is all that is proposed, and its clicks correct that: a positive one on what is missing,
    a negative one on what is no object of the kind.

    Parameters
    ----------
    timeline
        Of the session; see `Session.others`.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    @property
    def exemplar(self) -> FinishedObject | None:
        """The object whose kind is looked for; None if no search is on."""
        chosen = self._timeline.now.scene.chosen_exemplar
        return None if chosen is None else chosen.finished

    @property
    def proposals(self) -> list[Proposal]:
        """What is proposed now, part by part where parts do not touch; the largest first."""
        exemplar, answer = self.exemplar, self._timeline.prediction
        if exemplar is None or answer is None:
            return []
        return split_into_proposals(self._timeline.within(answer.mask), exemplar.mask)

    def of(self, number: int) -> Prediction | None:
        """Declare a finished object the exemplar, and look for the others of its kind.

        Parameters
        ----------
        number
            Of the object in ``session.objects``, from 0.

        Raises
        ------
        InputError
            If there is no such object, another is still open, finished ones leave no room, or the
            method takes no exemplar.
        """
        self._timeline.advance(DeclareExemplar(number))
        return self._timeline.prediction

    def accept(self, number: int) -> FinishedObject:
        """Take a proposal for a finished object, called as the exemplar is.

        Others stay as they are, unless a negative click on the exemplar lies on this one: it no
        longer counts, and all others are proposed anew.

        Raises
        ------
        InputError
            If no search is on, or there is no such proposal.
        """
        return self.accept_mask(self._proposed(number))

    def accept_mask(self, mask: PackedMask) -> FinishedObject:
        """Take what was a proposal once, as somebody kept it; see `accept`.

        Raises
        ------
        InputError
            If no search is on, or the mask is not of the picture's size.
        """
        self._timeline.advance(Accept(mask))
        return self._timeline.now.scene.objects[-1]

    def refuse(self, number: int) -> None:
        """Say that a proposal is none of the kind; it is not proposed again in this search.

        Raises
        ------
        InputError
            If no search is on, or there is no such proposal.
        """
        self.refuse_mask(self._proposed(number))

    def refuse_mask(self, mask: PackedMask) -> None:
        """Refuse what was a proposal once, as somebody kept it; see `refuse`.

        Raises
        ------
        InputError
            If no search is on, or the mask is not of the picture's size.
        """
        self._timeline.advance(Refuse(mask))

    def end(self) -> None:
        """End the search; what is still proposed is let go.

        Raises
        ------
        InputError
            If no search is on.
        """
        self._timeline.now.scene.exemplar_now()
        self._timeline.advance(DeclareExemplar(None))

    def _proposed(self, number: int) -> PackedMask:
        self._timeline.now.scene.exemplar_now()
        return PackedMask.pack(find_proposal(self.proposals, number).mask)
