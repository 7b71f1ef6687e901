"""Server: what the annotation page and the service have in common, before they have any route."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

import fewclicks
from fewclicks.web.access import Gate
from fewclicks.web.answering import Answering
from fewclicks.web.fair_queue import StaleError
from fewclicks.web.refusals import answer_refusals

_LIST_SECONDS: Final = 2  # until the method is loaded though nobody asked for the list
_LAST_SECONDS: Final = 5  # for requests under way when the server is told to end


def open_server(
    answering: Answering,
    *,
    hosts: Iterable[str],
    at_end: Callable[[], None] = lambda: None,
) -> FastAPI:
    """Build a server without routes: gate, refusals, and a model that is closed at the end.

    Parameters
    ----------
    answering
        Begun soon after the start and closed at the end; ``app.state.answering``.
    hosts
        The only ones that may be asked for; empty for any.
    at_end
        What else is to be closed, after the answering.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        waiting = asyncio.get_running_loop().call_later(_LIST_SECONDS, answering.begin)
        yield
        waiting.cancel()
        answering.close()
        at_end()

    # FastAPI's own page of the routes loads its scripts from elsewhere; /openapi.json stays.
    app = FastAPI(
        title="fewclicks",
        version=fewclicks.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.answering = answering
    app.add_middleware(Gate, hosts=hosts)
    answer_refusals(app)
    return app


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve until told to end; the page is up before the method is loaded.

    Parameters
    ----------
    app
        As `open_server` gave it.
    listener
        Bound.

    Raises
    ------
    FewclicksError
        If it turns out that the method cannot be built; the server has ended then.
    """
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=_LAST_SECONDS
    )
    server = uvicorn.Server(config)

    def end_if_failed(model: Future[Any]) -> None:
        server.should_exit = server.should_exit or _problem(model) is not None

    model: Future[Any] = app.state.answering.model
    model.add_done_callback(end_if_failed)
    server.run(sockets=[listener])
    problem = _problem(model)
    if problem is not None:
        raise problem


def _problem(model: Future[Any]) -> BaseException | None:
    """Say why a method could not be built; one whose loading was cut short has no problem."""
    problem = model.exception()
    return None if isinstance(problem, StaleError) else problem
