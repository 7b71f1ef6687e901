"""Context: what every route works with, and who is asking."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, TypeVar

from fastapi import Depends, HTTPException, Path, Request
from sqlalchemy import Engine

from fewclicks.web.annotators import Annotators, Person
from fewclicks.web.answering import Answering
from fewclicks.web.store import Store
from fewclicks.web.thumbnails import Thumbnails


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """One running server.

    Parameters
    ----------
    engine
        Of the database.
    store, annotators
        What it keeps.
    answering
        The model at work.
    thumbnails
        Pictures as the page shows them.
    """

    engine: Engine
    store: Store
    annotators: Annotators
    answering: Answering
    thumbnails: Thumbnails


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here: TypeAlias = Annotated[Context, Depends(_context)]
"""The running server, as a route's argument."""


def find_person(request: Request, here: Here) -> Person:
    """Recognise who asks; nobody else is let in."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    person = here.annotators.recognise(secret) if scheme.lower() == "bearer" else None
    if person is None:
        raise HTTPException(401, "Log in first, by the address that the server printed.")
    return person


Who: TypeAlias = Annotated[Person, Depends(find_person)]
"""Whoever asks, as a route's argument; nobody else is let in."""


Id: TypeAlias = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A row's number in an address; larger ones are in no database."""


ResultT = TypeVar("ResultT")
_PATIENCE: Final = 120  # seconds


def wait(future: Future[ResultT]) -> ResultT:
    """Wait for the model."""
    try:
        return future.result(timeout=_PATIENCE)
    except TimeoutError:
        raise HTTPException(503, "The model takes too long; what you did is stored.") from None
