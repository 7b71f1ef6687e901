"""App: the server, put together."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from fewclicks.images.folders import list_pictures
from fewclicks.methods.registry import find_method
from fewclicks.web.access import LOOPBACK
from fewclicks.web.annotators import Annotators
from fewclicks.web.answering import Answering
from fewclicks.web.context import Context, find_person
from fewclicks.web.database import HIDDEN_FOLDER, default_url, open_database
from fewclicks.web.model import Model
from fewclicks.web.routes import exchange, pictures, project, segment
from fewclicks.web.server import open_server
from fewclicks.web.store import Store
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
        As `create_method` takes them. What is left out goes on as the folder had it, but a method
        that is given does not take another's backbone. The folder keeps them once they are loaded.
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
    paths = {row.id: folder / row.name for row in store.pictures()}
    kept = store.chosen
    if backbone is not None and Path(backbone).is_dir():
        backbone = str(Path(backbone).resolve())  # the next start may be from elsewhere
    chosen = kept if (method, backbone) == (None, None) else (method or kept[0], backbone)
    answering = Answering(paths, method=chosen[0], backbone=chosen[1])
    if chosen != kept:
        answering.model.add_done_callback(partial(_keep, store, chosen))
    context = Context(
        engine=engine,
        store=store,
        annotators=Annotators(engine, store.project_id, token=token),
        answering=answering,
        thumbnails=Thumbnails(folder / HIDDEN_FOLDER / "thumbnails"),
    )

    hosts = LOOPBACK if only_loopback else ()
    app = open_server(answering, hosts=hosts, at_end=engine.dispose)
    app.state.context = context
    for router in (project.router, pictures.router, exchange.router):
        app.include_router(router)
    app.include_router(segment.router, dependencies=[Depends(find_person)])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.get("/", include_in_schema=False)(_page)
    return app


def _keep(store: Store, chosen: tuple[str, str | None], model: Future[Model]) -> None:
    # One that cannot be built ends the server, and would end it again at every later start.
    if model.exception() is None:
        store.choose(*chosen)


def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})
