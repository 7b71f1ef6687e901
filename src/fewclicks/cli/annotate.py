"""`fewclicks annotate`: a folder of pictures in the browser."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fewclicks.cli.options import BackboneName
from fewclicks.errors import InputError, MissingExtraError, StorageError

if TYPE_CHECKING:
    from fastapi import FastAPI


def annotate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of pictures.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Another than this machine's own asks everybody for a token.")
    ] = "127.0.0.1",
    db: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="sqlite:///FILE or postgresql://…; else a file beside the pictures.",
        ),
    ] = None,
    token: Annotated[
        str, typer.Option(help="Asked of everybody who logs in; made up where one is needed.")
    ] = "",
    method: Annotated[
        str | None,
        typer.Option(
            help="As listed by `fewclicks methods`; else the one the folder had, with its backbone."
        ),
    ] = None,
    backbone: BackboneName = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT=PATH",
            help="Begin with what stands there: coco, yolo, voc, labelme or png.",
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only say the page's address.")
    ] = False,
) -> None:
    """Annotate a folder of pictures in the browser; every click is kept at once."""
    try:
        from fewclicks.web.access import LOOPBACK
        from fewclicks.web.app import create_app
        from fewclicks.web.server import serve
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("fewclicks"):
            raise
        raise MissingExtraError("The annotation page", "web") from None
    only_loopback = host in LOOPBACK
    if not only_loopback and not token:
        token = secrets.token_urlsafe(16)
    listener = _listen(host, port)
    with contextlib.closing(listener):
        app = create_app(
            folder,
            database=db,
            method=method,
            backbone=backbone,
            token=token,
            only_loopback=only_loopback,
        )
        if start is not None:
            _begin_with(app, start, folder, token)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}/"
        address += f"#token={token}" if token else ""
        typer.echo(f"Annotate {folder} at {address}  (Ctrl-C ends; nothing is lost)")
        if not no_browser:
            # It may take its time, and what it asks for before the server is up waits.
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        serve(app, listener)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # a page that comes before the server is up waits
    except OSError as error:
        listener.close()
        raise StorageError(
            f"Cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}; choose "
            "another with --port, or --port 0 for any."
        ) from error
    return listener


def _begin_with(app: FastAPI, start: str, folder: Path, token: str) -> None:
    from fewclicks.formats.registry import read_annotations
    from fewclicks.web.context import Context
    from fewclicks.web.exchange import take

    name, sign, path = start.partition("=")
    if not sign or not path:
        raise InputError(f"--start is '{start}'; needs FORMAT=PATH, such as coco=instances.json.")
    context: Context = app.state.context
    entered = context.annotators.enter(token, "import")
    assert entered is not None
    annotations = read_annotations(name, Path(path), images=folder)
    taken = take(context.store, annotations, annotator=entered[1].id)
    typer.echo(f"Began with {taken.objects} objects from {path}")
    for names, why in (
        (taken.unknown, "are not in the folder"),
        (taken.annotated, "were worked on already and stay as they are"),
    ):
        if names:
            listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            typer.echo(f"{len(names)} pictures {why}: {listed}", err=True)
