"""One picture: its pixels, its desk, and what an annotator does to it."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from typing import Annotated, TypeVar

from fastapi import APIRouter, HTTPException, Query, Response

from fewclicks.errors import FewclicksError, InputError
from fewclicks.images.masks import RunLengths, decode_rle
from fewclicks.web.actions import Action, FinishAction, Mask, check_inside
from fewclicks.web.annotators import Person
from fewclicks.web.context import Context, Here, Id, Who
from fewclicks.web.fair_queue import StaleError
from fewclicks.web.schemas import (
    ActionRequest,
    LeaseAnswer,
    LevelAnswer,
    LevelsAnswer,
    ObjectRequest,
    PictureAnswer,
    PlaceRequest,
    ProposalsAnswer,
    Rle,
    StateRequest,
)
from fewclicks.web.store import LEASE_SECONDS, StoredPicture

router = APIRouter(prefix="/api/pictures/{picture}")

_VIEW, _THUMBNAIL = 2560, 160
_BUSY = 2
_JPEG = {"content": {"image/jpeg": {}}, "description": "The picture as JPEG."}

ResultT = TypeVar("ResultT")


@router.get("")
def read_picture(picture: Id, here: Here, who: Who) -> PictureAnswer:
    """Open a picture; it is prepared in the background, and so are the next ones."""
    stored = here.store.picture(picture)
    shape = here.answering.shape(picture)
    here.answering.open(picture)
    rle = stored.draft
    if rle is None and (stored.desk.prompts or stored.desk.reopened):
        with suppress(FewclicksError, StaleError):  # the picture opens even where a prompt is bad
            rle = _wait(here.answering.answer(picture, stored.desk, who.id))
    return _answer(here, stored, shape, rle)


@router.get("/image", response_class=Response, responses={200: _JPEG})
def read_image(
    picture: Id, here: Here, _: Who, longest: Annotated[int, Query(ge=16, le=8192)] = _VIEW
) -> Response:
    """Give the picture as JPEG, at most so many pixels long."""
    return _jpeg(here, picture, longest)


@router.get("/thumbnail", response_class=Response, responses={200: _JPEG})
def read_thumbnail(picture: Id, here: Here, _: Who) -> Response:
    """Give the picture as a small JPEG."""
    return _jpeg(here, picture, _THUMBNAIL)


@router.post("/lease")
def take_lease(picture: Id, here: Here, who: Who) -> LeaseAnswer:
    """Take or renew the right to change a picture; others can look at it."""
    holder = here.store.lease(picture, who.id)
    return LeaseAnswer(holder=holder, mine=holder == who.name, seconds=LEASE_SECONDS)


@router.delete("/lease", status_code=204)
def give_lease_back(picture: Id, here: Here, who: Who) -> None:
    """Let others change the picture."""
    here.store.give_back(picture, who.id)


@router.put("/state")
def set_state(picture: Id, asked: StateRequest, here: Here, _: Who) -> PictureAnswer:
    """Say whether the picture is done."""
    stored = here.store.set_state(picture, asked.state)
    return _answer(here, stored, here.answering.shape(picture), stored.draft)


@router.post("/actions")
def act(picture: Id, asked: ActionRequest, here: Here, who: Who) -> PictureAnswer:
    """Take an action: it is in the database before the method is asked, and before the answer."""
    height, width = here.answering.shape(picture)
    check_inside(asked.action, height=height, width=width)
    action = _with_mask(here, picture, asked.action, who)
    stored = here.store.act(picture, asked.id, action, annotator=who.id, method=here.answering.name)
    rle = stored.draft
    if rle is None:
        try:
            rle = _wait(here.answering.answer(picture, stored.desk, who.id))
        except FewclicksError:  # it does not fit, or its picture is gone
            here.store.drop(picture, asked.id)
            raise
        except StaleError:
            stored = here.store.picture(picture)
            rle = stored.draft
        if rle is not None:
            here.store.keep_draft(picture, stored.version, rle)
    return _answer(here, stored, (height, width), rle)


@router.post("/hover", responses={204: {"description": "The machine is busy."}})
def hover(picture: Id, asked: PlaceRequest, here: Here, who: Who) -> Response:
    """Show what a click would give; nothing is stored."""
    height, width = here.answering.shape(picture)
    is_inside = 0 <= asked.x < width and 0 <= asked.y < height
    if not is_inside or here.answering.waiting >= _BUSY or not here.answering.has(picture):
        return Response(status_code=204)
    desk = here.store.picture(picture).desk
    try:
        rle = _wait(here.answering.hover(picture, desk, who.id, asked.x, asked.y))
    except (StaleError, InputError):
        return Response(status_code=204)
    shown = Rle.of(rle)
    assert shown is not None
    return Response('{"rle":' + shown.model_dump_json() + "}", media_type="application/json")


@router.get("/levels")
def read_levels(picture: Id, here: Here, who: Who) -> LevelsAnswer:
    """List what the newest click may stand for, from part to group."""
    desk = here.store.picture(picture).desk
    levels = _wait(here.answering.levels(picture, desk, who.id))
    return LevelsAnswer(
        levels=[LevelAnswer(area=area) for area in levels.areas], chosen=levels.chosen
    )


@router.post("/proposals")
def propose(picture: Id, asked: ObjectRequest, here: Here, who: Who) -> ProposalsAnswer:
    """Find the other objects of a finished one's kind; nothing is stored."""
    desk = here.store.picture(picture).desk
    found = _wait(here.answering.others(picture, desk, who.id, asked.object))
    return ProposalsAnswer(proposals=[Rle(size=one["size"], counts=one["counts"]) for one in found])


def _with_mask(here: Context, picture: int, action: Action, who: Person) -> Action:
    """Put the present object's mask into the action that finishes it."""
    if not isinstance(action, FinishAction):
        return action
    if action.mask is not None:
        raise InputError("Leave the mask out: an object is finished with the mask it has.")
    stored = here.store.picture(picture)
    rle = stored.draft
    if rle is None:
        rle = _wait(here.answering.answer(picture, stored.desk, who.id))
    if rle is None or not decode_rle(rle).any():
        raise InputError(f"Object '{action.label}' is still empty; click on it first.")
    return action.model_copy(update={"mask": Mask.of(rle)})


def _answer(
    here: Context, stored: StoredPicture, shape: tuple[int, int], rle: RunLengths | None
) -> PictureAnswer:
    return PictureAnswer.of(stored, shape=shape, rle=rle, ready=here.answering.has(stored.id))


def _jpeg(here: Context, picture: int, longest: int) -> Response:
    content = here.thumbnails.get(here.answering.path(picture), longest)
    return Response(
        content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"}
    )


def _wait(future: Future[ResultT]) -> ResultT:
    try:
        return future.result(timeout=120)
    except TimeoutError:
        raise HTTPException(503, "The model takes too long; what you did is stored.") from None
