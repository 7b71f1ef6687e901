"""Server: what the annotation page and the service have in common, before they have any route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI

import fewclicks
from fewclicks.web.access import Gate
from fewclicks.web.answering import Answering
from fewclicks.web.refusals import answer_refusals


def open_server(
    answering: Answering,
    *,
    hosts: Iterable[str],
    at_end: Callable[[], None] = lambda: None,
) -> FastAPI:
    """Build a server without routes: gate, refusals, and kernels that are warm when it begins.

    Parameters
    ----------
    answering
        Warmed up at the start and closed at the end; ``app.state.answering``.
    hosts
        The only ones that may be asked for; empty for any.
    at_end
        What else is to be closed, after the answering.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        answering.warm_up()
        yield
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
