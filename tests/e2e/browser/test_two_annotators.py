"""Two people, each with a browser program of their own, on one server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from annotated_folder import Hand, make_folder
from annotation_server import AnnotationServer
from browser import open_another, open_page, wait_until
from on_page import click, finish, is_calm, place_of, state


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    folder = make_folder(tmp_path / "pictures")
    server = AnnotationServer(folder, "--method", "graphcut", "--token", "sesame")
    yield server.start()
    server.kill()


def come_in(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.get_by_test_id("sign-in-name").fill(name)
    page.get_by_test_id("sign-in-send").click()
    is_calm(page)


def actions_of(address: str) -> list[dict[str, Any]]:
    with httpx.Client(base_url=address.partition("#")[0], timeout=60) as client:
        found: list[dict[str, Any]] = Hand(client, "Eve", token="sesame").get("/api/pictures/1")[
            "active"
        ]["clicks"]
    return found


def test_two_browsers_on_one_picture_never_overwrite_each_other(chromium: Browser, address: str):
    with (
        open_another(chromium) as other,
        open_page(chromium) as anna,
        open_page(other) as ben,
    ):
        come_in(anna, address, "Anna")
        click(anna, 32, 22)
        come_in(ben, address, "Ben")
        wait_until(ben, "() => window.fewclicks.state().readOnly")
        assert "Anna is working on this picture" in ben.get_by_test_id("banner").inner_text()
        assert state(ben)["area"] == state(anna)["area"]

        place = place_of(ben, 70, 50)
        ben.mouse.click(place["x"], place["y"])
        ben.keyboard.press("Enter")
        ben.keyboard.press("Control+z")
        assert "Anna is working" in ben.get_by_test_id("note").inner_text()
        click(anna, 70, 50, button="right")
        assert [one["is_positive"] for one in actions_of(address)] == [True, False]

        anna.keyboard.press("PageDown")
        wait_until(anna, "() => window.fewclicks.state().name === 'b.png'")
        wait_until(ben, "() => !window.fewclicks.state().readOnly")
        wait_until(ben, "() => window.fewclicks.state().clicks === 2")
        finish(ben, "Ben's blob")

        anna.keyboard.press("PageUp")
        wait_until(anna, "() => window.fewclicks.state().name === 'a.png'")
        wait_until(anna, "() => window.fewclicks.state().readOnly")
        assert "Ben is working on this picture" in anna.get_by_test_id("banner").inner_text()
        assert [one["label"] for one in state(anna)["objects"]] == ["Ben's blob"]


@pytest.mark.long
def test_what_waited_while_another_had_the_picture_is_not_sent_unasked(
    chromium: Browser, address: str
):
    """Anna's server is out of reach for her, and Ben takes the picture meanwhile."""
    with (
        open_another(chromium) as other,
        open_page(chromium) as anna,
        open_page(other) as ben,
    ):
        come_in(anna, address, "Anna")
        click(anna, 32, 22)
        anna.context.set_offline(True)
        place = place_of(anna, 70, 50)
        anna.mouse.click(place["x"], place["y"], button="right")
        wait_until(anna, "() => window.fewclicks.state().pending === 1")
        _give_back(address, anna)
        come_in(ben, address, "Ben")
        click(ben, 5, 5, button="right")
        anna.context.set_offline(False)
        wait_until(anna, "() => window.fewclicks.state().readOnly")
        assert [(one["x"], one["y"]) for one in actions_of(address)] == [(32, 22), (5, 5)]
        assert state(anna)["pending"] == 1
        ben.keyboard.press("PageDown")
        wait_until(ben, "() => window.fewclicks.state().name === 'b.png'")
        anna.get_by_test_id("banner-send").click()
        wait_until(anna, "() => window.fewclicks.state().pending === 0")
        assert [(one["x"], one["y"]) for one in actions_of(address)] == [
            (32, 22), (5, 5), (70, 50),
        ]  # fmt: skip


def _give_back(address: str, page: Page) -> None:
    """As when her lease has run out."""
    secret = page.evaluate("() => sessionStorage.getItem('fewclicks/session')")
    with httpx.Client(base_url=address.partition("#")[0], timeout=60) as client:
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.delete("/api/pictures/1/lease", headers=headers).status_code == 204
