"""A database that takes no more, while somebody annotates: a full disk, rights that were taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page
from sqlalchemy import Engine, event

from annotated_folder import make_folder
from browser import wait_until
from fewclicks.web.app import create_app
from on_page import click, is_calm, opened, place_of, state


class Limits:
    """What SQLite is told about each connection; those that there are, are closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pragma = ""
        event.listen(engine, "connect", self._tell)

    def _tell(self, connection: Any, _: object) -> None:
        if self._pragma:
            connection.execute(self._pragma)

    def set(self, pragma: str) -> None:
        self._pragma = pragma
        self._engine.dispose()

    def fill(self) -> None:
        """Let the disk hold not one page more."""
        with self._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        self.set(f"PRAGMA max_page_count = {pages}")

    def forbid(self) -> None:
        """Let nothing be written."""
        self.set("PRAGMA query_only = ON")


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(make_folder(tmp_path / "pictures"), method="graphcut")


@pytest.fixture
def limits(app: FastAPI) -> Limits:
    return Limits(app.state.context.engine)


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Of a server within this very process, whose database the test can reach."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("take_away", "said"),
    [
        (Limits.forbid, "readonly database"),
        pytest.param(Limits.fill, "disk is full", marks=pytest.mark.long),
    ],
)
def test_what_cannot_be_kept_is_said_and_kept_by_the_page_until_it_can(
    page: Page, limits: Limits, address: str, take_away: Callable[[Limits], None], said: str
):
    opened(page, address)
    click(page, 32, 22)
    page.get_by_test_id("tool-scribble").click()
    take_away(limits)
    for _ in range(8):  # until one is more than there is room for
        _scribble(page)
        page.wait_for_timeout(400)
        if said in page.get_by_test_id("banner-text").inner_text():
            break
    banner = page.get_by_test_id("banner-text").inner_text()
    assert said in banner
    assert "Nothing is lost: it is sent again" in banner
    waiting, shown = state(page)["pending"], state(page)["clicks"]
    assert waiting > 0
    limits.set("")
    is_calm(page)
    wait_until(page, "() => document.getElementById('banner').hidden")
    assert state(page)["clicks"] == shown + 2 * waiting  # a stroke shows its begin and its end


def _scribble(page: Page) -> None:
    """Draw a long stroke."""
    begin = place_of(page, 5, 55)
    page.mouse.move(begin["x"], begin["y"])
    page.mouse.down(button="right")
    for step in range(250):
        place = place_of(page, 5 + step % 60, 52 + step % 7)
        page.mouse.move(place["x"], place["y"])
    page.mouse.up(button="right")
