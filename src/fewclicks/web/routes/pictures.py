"""One picture: its pixels, its desk, and what an annotator does to it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fewclicks.errors import FewclicksError, InputError
from fewclicks.images.masks import RunLengths
from fewclicks.web.actions import ClickAction, ReferenceAction, check_inside
from fewclicks.web.completing import complete, proposals_of
from fewclicks.web.context import Context, Here, Id, Who, wait
from fewclicks.web.fair_queue import StaleError
from fewclicks.web.leases import LEASE_SECONDS
from fewclicks.web.schemas import (
    ActionRequest,
    LeaseAnswer,
    LevelAnswer,
    LevelsAnswer,
    ObjectsAnswer,
    PictureAnswer,
    PlaceRequest,
    Rle,
    StateRequest,
)
from fewclicks.web.store import StoredPicture

router = APIRouter(prefix="/api/pictures/{picture}")

_VIEW, _THUMBNAIL = 2560, 160
_BUSY = 2
_JPEG = {"content": {"image/jpeg": {}}, "description": "The picture as JPEG."}


@router.get("")
def read_picture(picture: Id, here: Here, who: Who) -> PictureAnswer:
    """Open a picture; it is prepared in the background, and so are the next ones."""
    stored = here.store.picture(picture)
    shape = here.answering.shape(picture)
    here.answering.open(picture)
    rle = stored.draft
    if rle is None and stored.desk.is_open:
        with suppress(FewclicksError, StaleError):  # the picture opens even where a prompt is bad
            rle = wait(here.answering.answer(stored, who.id))
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
def set_state(picture: Id, asked: StateRequest, here: Here, who: Who) -> PictureAnswer:
    """Say whether the picture is done."""
    stored = here.store.set_state(picture, asked.state, annotator=who.id)
    return _answer(here, stored, here.answering.shape(picture), stored.draft)


@router.post("/actions")
def act(picture: Id, asked: ActionRequest, here: Here, who: Who) -> PictureAnswer:
    """Take an action: it is in the database before the method is asked, and before the answer."""
    height, width = here.answering.shape(picture)
    check_inside(asked.action, height=height, width=width)
    action = complete(here, picture, asked.id, asked.action, who)
    stored = here.store.act(
        picture,
        asked.id,
        action,
        annotator=who.id,
        method=here.answering.name,
        answerer=here.answering.answerer,
    )
    rle = stored.draft
    if rle is None:
        try:
            rle = wait(here.answering.answer(stored, who.id))
        except FewclicksError:  # it does not fit, or its picture is gone
            here.store.drop(picture, asked.id)
            raise
        except StaleError:
            stored = here.store.picture(picture)
            rle = stored.draft
        if rle is not None:
            here.store.keep_draft(picture, stored.version, rle)
    if isinstance(action, ReferenceAction) and here.answering.takes_references:
        here.answering.look_at(stored, stored.references[action.label])
    return _answer(here, stored, (height, width), rle)


@router.post("/hover", responses={204: {"description": "The machine is busy."}})
def hover(picture: Id, asked: PlaceRequest, here: Here, who: Who) -> Response:
    """Show what a click would give; nothing is stored."""
    height, width = here.answering.shape(picture)
    is_inside = 0 <= asked.x < width and 0 <= asked.y < height
    if not is_inside or here.answering.waiting >= _BUSY or not here.answering.has(picture):
        return Response(status_code=204)
    click = ClickAction(kind="click", x=asked.x, y=asked.y, is_positive=True, label=asked.label)
    try:
        rle = wait(here.answering.hover(here.store.picture(picture), who.id, click))
    except (StaleError, InputError):
        return Response(status_code=204)
    shown = Rle.of(rle)
    assert shown is not None
    return Response('{"rle":' + shown.model_dump_json() + "}", media_type="application/json")


@router.get("/levels")
def read_levels(picture: Id, here: Here, who: Who) -> LevelsAnswer:
    """List what the newest click may stand for, from part to group."""
    levels = wait(here.answering.levels(here.store.picture(picture), who.id))
    return LevelsAnswer(
        levels=[LevelAnswer(area=area) for area in levels.areas], chosen=levels.chosen
    )


@router.get("/objects")
def list_objects(picture: Id, here: Here, _: Who) -> ObjectsAnswer:
    """List a picture's finished objects, to choose a reference from; it is not prepared."""
    stored = here.store.picture(picture)
    height, width = here.answering.shape(picture)
    return ObjectsAnswer.of(stored.desk, height=height, width=width)


def _answer(
    here: Context, stored: StoredPicture, shape: tuple[int, int], rle: RunLengths | None
) -> PictureAnswer:
    return PictureAnswer.of(
        stored,
        shape=shape,
        rle=rle,
        proposals=proposals_of(stored.desk, rle),
        notice=here.answering.notice(stored),
        ready=here.answering.has(stored.id),
    )


def _jpeg(here: Context, picture: int, longest: int) -> Response:
    content = here.thumbnails.get(here.answering.path(picture), longest)
    return Response(
        content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"}
    )
