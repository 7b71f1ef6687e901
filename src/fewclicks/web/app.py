"""App: the server, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import fewclicks
from fewclicks.errors import FewclicksError, StorageError, UnknownEntryError
from fewclicks.images.folders import list_pictures
from fewclicks.methods.registry import find_method
from fewclicks.web.access import LOOPBACK, Gate
from fewclicks.web.annotators import Annotators
from fewclicks.web.answering import Answering
from fewclicks.web.context import Context
from fewclicks.web.database import HIDDEN_FOLDER, DatabaseError, default_url, open_database
from fewclicks.web.routes import exchange, pictures, project
from fewclicks.web.store import LeaseError, Store
from fewclicks.web.thumbnails import Thumbnails

STATIC = Path(__file__).parent / "static"


def create_app(
    folder: Path,
    *,
    database: str | None = None,
    method: str | None = None,
    backbone: str | None = None,
    token: str = "",
    only_loopback: bool = True,
) -> FastAPI:
    """Build the annotation server of a folder.

    Parameters
    ----------
    folder
        Of pictures.
    database
        As `open_database` takes it; a SQLite file beside the pictures if left out.
    method, backbone
        As `create_method` takes them; without a method the folder's goes on, or the default.
    token
        Asked of everybody who logs in; empty where only this machine can reach the server.
    only_loopback
        Whether requests for any host but this machine are refused.

    Raises
    ------
    FewclicksError
        If the folder has no pictures, or the database or method cannot be used.
    """
    folder = folder.resolve()
    list_pictures(folder)  # both complain before anything is made in the folder
    if method is not None:
        find_method(method)
    engine = open_database(database or default_url(folder))
    store = Store(engine, folder)
    if method is not None:
        store.set_method(method)
    paths = {row.id: folder / row.name for row in store.pictures()}
    answering = Answering(paths, method=store.method, backbone=backbone)
    context = Context(
        engine=engine,
        store=store,
        annotators=Annotators(engine, store.project_id, token=token),
        answering=answering,
        thumbnails=Thumbnails(folder / HIDDEN_FOLDER / "thumbnails"),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        answering.warm_up()
        yield
        answering.close()
        engine.dispose()

    # FastAPI's own page of the routes loads its scripts from elsewhere; /openapi.json stays.
    app = FastAPI(
        title="fewclicks",
        version=fewclicks.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    for router in (project.router, pictures.router, exchange.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.get("/", include_in_schema=False)(_page)
    app.add_middleware(Gate, hosts=LOOPBACK if only_loopback else ())
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return app


def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


def _refused(_: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    return _said(status, str(error))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _said(422, f"The request does not fit: {place}: {first['msg']}.")


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _said(error.status_code, str(error.detail))


def _said(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


_STATUSES: Final[tuple[tuple[type[FewclicksError], int], ...]] = (
    (LeaseError, 409),
    (UnknownEntryError, 404),
    (DatabaseError, 507),  # a page keeps what it could not save, and sends it again
    (StorageError, 404),
    (FewclicksError, 422),
)
_HANDLERS: Final[dict[type[Exception], Any]] = {
    FewclicksError: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
}
