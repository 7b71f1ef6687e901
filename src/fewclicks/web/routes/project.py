"""The project: its method, labels and list of pictures; logging in, and what the server does."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks, HTTPException
from fastapi.responses import PlainTextResponse

import fewclicks
from fewclicks.methods.registry import METHODS
from fewclicks.web.context import Context, Here, Id, Who
from fewclicks.web.schemas import (
    LabelAnswer,
    LabelChange,
    LabelRequest,
    LoginAnswer,
    LoginRequest,
    MethodRequest,
    PicturesAnswer,
    ProjectAnswer,
    StatusAnswer,
)

router = APIRouter()


@router.get("/health")
def health() -> dict[str, str]:
    """Say that the server is there."""
    return {"status": "ok", "version": fewclicks.__version__}


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(here: Here, _: Who) -> str:
    """Give the server's figures as Prometheus reads them."""
    pictures, done = here.store.counts()
    answering = here.answering
    figures = {
        "fewclicks_pictures": pictures,
        "fewclicks_pictures_done": done,
        "fewclicks_requests_waiting": answering.waiting,
        "fewclicks_pictures_prepared": len(answering.pictures.ids),
        "fewclicks_prepared_bytes": answering.pictures.weight,
        "fewclicks_click_seconds_median": answering.click_seconds or 0.0,
    }
    return "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in figures.items())


@router.post("/api/login")
def login(asked: LoginRequest, here: Here) -> LoginAnswer:
    """Let a person in who knows the server's token."""
    entered = here.annotators.enter(asked.token, asked.name)
    if entered is None:
        raise HTTPException(401, "The token is wrong; use the address that the server printed.")
    secret, person = entered
    return LoginAnswer(session=secret, annotator={"id": person.id, "name": person.name})


@router.get("/api/project")
def read_project(here: Here, _: Who) -> ProjectAnswer:
    """Describe the folder, and how it is annotated."""
    return _describe(here)


@router.put("/api/project/method")
def set_method(asked: MethodRequest, here: Here, _: Who) -> ProjectAnswer:
    """Have another method answer from now on."""
    here.answering.change(asked.method)
    here.store.choose(asked.method, here.answering.backbone)
    return _describe(here)


@router.post("/api/labels")
def add_label(asked: LabelRequest, here: Here, _: Who) -> LabelAnswer:
    """Add a label, or find the one of that name."""
    return LabelAnswer.of(here.store.add_label(asked.name, asked.colour))


@router.patch("/api/labels/{label}")
def change_label(label: Id, asked: LabelChange, here: Here, _: Who) -> LabelAnswer:
    """Rename or recolour a label."""
    return LabelAnswer.of(here.store.change_label(label, name=asked.name, colour=asked.colour))


@router.get("/api/pictures")
def list_pictures(here: Here, _: Who, afterwards: BackgroundTasks) -> PicturesAnswer:
    """List all pictures by name; then the method is loaded, if it is not yet."""
    afterwards.add_task(here.answering.begin)
    return PicturesAnswer(pictures=list(here.store.pictures()))


@router.get("/api/status")
def status(here: Here, _: Who) -> StatusAnswer:
    """Say what the server is doing."""
    answering = here.answering
    seconds = answering.click_seconds
    preparing = answering.pictures.preparing
    return StatusAnswer(
        waiting=answering.waiting,
        preparing=None if preparing is None else answering.name_of(preparing),
        prepared=answering.pictures.ids,
        click_ms=None if seconds is None else round(1000 * seconds, 1),
    )


def _describe(here: Context) -> ProjectAnswer:
    pictures, done = here.store.counts()
    return ProjectAnswer(
        id=here.store.key,
        name=here.store.folder.name,
        method=here.answering.name,
        methods=[entry.name for entry in METHODS if "weights" not in entry.needs],
        has_levels=here.answering.has_levels,
        takes_references=here.answering.takes_references,
        labels=[LabelAnswer.of(label) for label in here.store.labels()],
        pictures=pictures,
        done=done,
    )
