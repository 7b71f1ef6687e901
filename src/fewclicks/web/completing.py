"""Completing: the server puts masks into actions, so that the record needs nothing else."""

from __future__ import annotations

from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths, decode_rle, encode_rle
from fewclicks.session.exemplars import split_into_proposals
from fewclicks.web.actions import (
    AcceptAction,
    Action,
    FinishAction,
    Mask,
    ReferenceAction,
    RefuseAction,
)
from fewclicks.web.annotators import Person
from fewclicks.web.context import Context, wait
from fewclicks.web.desk import Desk
from fewclicks.web.store import Store, StoredPicture


def complete(here: Context, picture: int, uuid: str, action: Action, who: Person) -> Action:
    """Put the masks into an action that finishes, judges or refers to an object.

    An action that is sent again is left alone: it was taken as it was completed then.

    Raises
    ------
    InputError
        If there is nothing to finish or judge, no such object, or a mask was sent along.
    """
    match action:
        case FinishAction() | AcceptAction() | RefuseAction() | ReferenceAction():
            pass
        case _:
            return action
    if here.store.knows(uuid):
        return action
    if isinstance(action, ReferenceAction):
        return _with_marks(here.store, action)
    if action.mask is not None:
        raise InputError("Leave the mask out: an object is finished with the mask it has.")
    stored = here.store.picture(picture)
    rle = stored.draft
    if rle is None:
        rle = wait(here.answering.answer(stored, who.id))
    if isinstance(action, FinishAction):
        return _with_present(action, rle)
    return _with_proposal(action, stored, rle)


def proposals_of(desk: Desk, rle: RunLengths | None) -> list[RunLengths]:
    """Part what a search found into proposals, the largest first; none where no search is on."""
    if desk.search is None or rle is None:
        return []
    exemplar = decode_rle(desk.search.exemplar.rle)
    return [encode_rle(one.mask) for one in split_into_proposals(decode_rle(rle), exemplar)]


def _with_present(action: FinishAction, rle: RunLengths | None) -> FinishAction:
    if rle is None or not decode_rle(rle).any():
        raise InputError(f"Object '{action.label}' is still empty; click on it first.")
    return action.model_copy(update={"mask": Mask.of(rle)})


def _with_proposal(
    action: AcceptAction | RefuseAction, stored: StoredPicture, rle: RunLengths | None
) -> AcceptAction | RefuseAction:
    for proposal in proposals_of(stored.desk, rle):
        if decode_rle(proposal)[action.y, action.x]:
            return action.model_copy(update={"mask": Mask.of(proposal)})
    raise InputError(f"Nothing is proposed at x={action.x}, y={action.y}.")


def _with_marks(store: Store, action: ReferenceAction) -> ReferenceAction:
    if action.positive_mask is not None or action.negative_mask is not None:
        raise InputError("Leave the masks out: a reference is the objects as they are.")
    if action.object == action.negative:
        raise InputError(f"Object {action.object} cannot be both what is meant and what is not.")
    shown = store.picture(action.picture)
    masks = {one.id: Mask.of(one.rle) for one in shown.desk.objects}
    for id_ in (action.object, action.negative):
        if id_ is not None and id_ not in masks:
            raise InputError(
                f"{shown.name} has no finished object {id_}; choose one that it has, or finish one."
            )
    if not decode_rle(masks[action.object].rle).any():
        raise InputError(f"Object {action.object} of {shown.name} has no pixel; choose another.")
    negative = None if action.negative is None else masks[action.negative]
    return action.model_copy(
        update={"positive_mask": masks[action.object], "negative_mask": negative}
    )
