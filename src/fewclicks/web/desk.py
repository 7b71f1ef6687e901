"""Desk: what all actions on a picture so far come to, before any method is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce

from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths
from fewclicks.web.actions import (
    AcceptAction,
    AddAction,
    BoxAction,
    BrushAction,
    ClickAction,
    DeleteAction,
    DeskAction,
    DiscardAction,
    FinishAction,
    LevelAction,
    OrderAction,
    OthersAction,
    PromptAction,
    ReferenceAction,
    RefuseAction,
    RelabelAction,
    ReopenAction,
    ScribbleAction,
    StepAction,
    UnreferenceAction,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskObject:
    """A finished object.

    Parameters
    ----------
    id
        Stays its own however often it is reopened.
    label
        What it is called.
    rle
        Its mask.
    prompts
        What made it; none if its mask came from elsewhere.
    origin, optional
        The mask that came from elsewhere, which its prompts go on from.
    """

    id: int
    label: str
    rle: RunLengths
    prompts: tuple[PromptAction, ...] = ()
    origin: RunLengths | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """A search for the others of an object's kind.

    Parameters
    ----------
    exemplar
        The object.
    before
        All that were finished when it began, the exemplar too.
    """

    exemplar: DeskObject
    before: tuple[DeskObject, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """One picture on an annotator's desk.

    Parameters
    ----------
    objects
        Finished ones, bottom to top.
    prompts
        Of the present object; during a search, what corrects and judges the proposals.
    reopened, optional
        The finished object that the present one was, and where it lay.
    search, optional
        The one that is on; the present object is then all that is proposed.
    """

    objects: tuple[DeskObject, ...] = ()
    prompts: tuple[StepAction, ...] = ()
    reopened: tuple[DeskObject, int] | None = None
    search: Search | None = None

    @property
    def origin(self) -> RunLengths | None:
        """Of the present object."""
        return None if self.reopened is None else self.reopened[0].origin

    @property
    def is_untouched(self) -> bool:
        """Whether the present object is a reopened one that nothing was done to."""
        return self.reopened is not None and self.prompts == self.reopened[0].prompts

    @property
    def is_open(self) -> bool:
        """Whether there is a present object, or a search."""
        return bool(self.prompts) or self.reopened is not None or self.search is not None

    def after(self, action: DeskAction, number: int) -> Desk:
        """Take one more action.

        Parameters
        ----------
        number
            Of the action within its picture, from 1; names the object that it may begin.

        Raises
        ------
        InputError
            If the action does not fit.
        """
        match action:
            case ClickAction() | BoxAction() | ScribbleAction() | BrushAction() | LevelAction():
                return replace(self, prompts=(*self.prompts, action))
            case FinishAction():
                return self._finish(action, number)
            case DiscardAction():
                return self._discard()
            case ReopenAction(object=id_):
                return self._reopen(id_)
            case RelabelAction(object=id_, label=label):
                place = self._place(id_)
                return self._with(place, [replace(self.objects[place], label=label)])
            case DeleteAction(object=id_):
                self._check_no_search("deleting an object")
                return self._with(self._place(id_), [])
            case OrderAction(objects=ids):
                return self._order(ids)
            case OthersAction(object=id_):
                return self._look_for_others(id_)
            case AcceptAction() | RefuseAction():
                return self._judge(action, number)
            case ReferenceAction() | UnreferenceAction():
                return self  # said of a label; `lay_references` hears it
            case AddAction(label=label, mask=mask):
                self._check_no_search("adding one")
                added = DeskObject(id=number, label=label, rle=mask.rle, origin=mask.rle)
                return replace(self, objects=(*self.objects, added))

    def _finish(self, action: FinishAction, number: int) -> Desk:
        if action.mask is None:
            raise InputError("There is no object to finish; click on one first.")
        if self.reopened is None:
            id_, place = number, len(self.objects)
        else:
            id_, place = self.reopened[0].id, min(self.reopened[1], len(self.objects))
        finished = DeskObject(
            id=id_,
            label=action.label,
            rle=action.mask.rle,
            # What a search found is no answer to its prompts alone.
            prompts=() if self.search else _plain(self.prompts),
            origin=action.mask.rle if self.search else self.origin,
        )
        return Desk(objects=(*self.objects[:place], finished, *self.objects[place:]))

    def _discard(self) -> Desk:
        if not self.is_open:
            raise InputError("There is no object to discard.")
        if self.reopened is None:
            return Desk(objects=self.objects)
        before, place = self.reopened
        place = min(place, len(self.objects))
        return Desk(objects=(*self.objects[:place], before, *self.objects[place:]))

    def _reopen(self, id_: int) -> Desk:
        if self.is_open:
            raise InputError(
                "Another object is open; finish or discard it before reopening this one."
            )
        place = self._place(id_)
        chosen = self.objects[place]
        return replace(self._with(place, []), prompts=chosen.prompts, reopened=(chosen, place))

    def _look_for_others(self, id_: int) -> Desk:
        if self.prompts or self.reopened is not None:
            raise InputError("An object is open; finish or discard it before looking for others.")
        exemplar = self.objects[self._place(id_)]
        return replace(self, search=Search(exemplar=exemplar, before=self.objects))

    def _judge(self, action: AcceptAction | RefuseAction, number: int) -> Desk:
        if self.search is None or action.mask is None:
            raise InputError("Nothing is proposed; look for the others of an object first.")
        judged = replace(self, prompts=(*self.prompts, action))
        if isinstance(action, RefuseAction):
            return judged
        label = self.objects[self._place(self.search.exemplar.id)].label
        mask = action.mask.rle
        accepted = DeskObject(id=number, label=label, rle=mask, origin=mask)
        return replace(judged, objects=(*self.objects, accepted))

    def _check_no_search(self, what: str) -> None:
        if self.search is not None:
            raise InputError(f"Others of a kind are being looked for; end that before {what}.")

    def _order(self, ids: list[int]) -> Desk:
        known = {one.id: one for one in self.objects}
        if sorted(ids) != sorted(known):
            raise InputError(
                f"The order names objects {sorted(ids)}; needs each of {sorted(known)} once."
            )
        return replace(self, objects=tuple(known[id_] for id_ in ids))

    def _place(self, id_: int) -> int:
        for place, one in enumerate(self.objects):
            if one.id == id_:
                return place
        raise InputError(f"There is no finished object {id_}; it may be deleted, or open.")

    def _with(self, place: int, put: list[DeskObject]) -> Desk:
        return replace(self, objects=(*self.objects[:place], *put, *self.objects[place + 1 :]))


def _plain(steps: Iterable[StepAction]) -> tuple[PromptAction, ...]:
    return tuple(step for step in steps if not isinstance(step, AcceptAction | RefuseAction))


def lay(actions: Iterable[tuple[int, DeskAction]]) -> Desk:
    """Lay actions on an empty desk, each with its number."""
    return reduce(lambda desk, one: desk.after(one[1], one[0]), actions, Desk())
