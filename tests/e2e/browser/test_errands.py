"""Whole errands in a real browser, on a real server."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from annotated_folder import Hand, make_folder, mask_of
from annotation_server import AnnotationServer
from browser import open_page, wait_until
from drawing import BLOB
from fewclicks.images.masks import decode_rle, iou
from fewclicks.images.reading import read_image
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session
from on_page import click, finish, is_calm, opened, place_of, press, state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture
def server(folder: Path) -> Iterator[AnnotationServer]:
    server = AnnotationServer(folder, "--method", "graphcut")
    yield server
    server.kill()


@pytest.fixture
def address(server: AnnotationServer) -> str:
    return server.start()


def test_a_whole_errand_from_the_folder_to_the_file(page: Page, address: str):
    opened(page, address)
    assert state(page)["name"] == "a.png"
    click(page, 32, 22)
    click(page, 70, 50, button="right")
    assert state(page)["clicks"] == 2
    area = state(page)["area"]
    press(page, "Control+z")
    press(page, "Control+y")
    assert state(page)["area"] == area
    finish(page, "blob")

    click(page, 70, 8)
    page.get_by_test_id("tool-brush").click()
    click(page, 72, 52)
    press(page, "Control+z")
    press(page, "Control+y")
    finish(page, "ground")
    assert [one["label"] for one in state(page)["objects"]] == ["blob", "ground"]
    shown = page.evaluate("() => window.fewclicks.masks()")

    press(page, "PageDown", changes=False)
    wait_until(page, "() => window.fewclicks.state().name === 'b.png'")
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-coco").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        content = json.loads(archive.read("annotations.json"))
    names = {category["id"]: category["name"] for category in content["categories"]}
    written = {names[one["category_id"]]: one["segmentation"] for one in content["annotations"]}
    assert sorted(written) == ["blob", "ground"]
    on_screen = sorted(json.dumps(one, sort_keys=True) for one in _rles(shown))
    in_file = sorted(json.dumps(one, sort_keys=True) for one in written.values())
    assert on_screen == in_file
    assert iou(decode_rle(written["blob"]), BLOB) > 0.9
    assert not (decode_rle(written["blob"]) & decode_rle(written["ground"])).any()


def _rles(shown: Any) -> list[dict[str, Any]]:
    """Find the run lengths in what the page draws."""
    if isinstance(shown, dict):
        if {"size", "counts"} <= shown.keys():
            return [{"size": shown["size"], "counts": shown["counts"]}]
        return [one for value in shown.values() for one in _rles(value)]
    if isinstance(shown, list):
        return [one for value in shown for one in _rles(value)]
    return []


def test_a_reload_in_the_middle_shows_what_was_there(page: Page, address: str):
    opened(page, address)
    click(page, 32, 22)
    finish(page, "blob")
    click(page, 70, 50)
    before = page.evaluate("() => window.fewclicks.masks()")
    page.reload()
    is_calm(page)
    wait_until(page, "() => window.fewclicks.state().objects.length === 1")
    wait_until(page, "() => window.fewclicks.state().area > 0")
    assert _rles(page.evaluate("() => window.fewclicks.masks()")) == _rles(before)


def test_a_server_killed_between_two_clicks_has_both_when_it_is_back(
    page: Page, server: AnnotationServer, address: str
):
    opened(page, address)
    click(page, 32, 22)
    server.kill()
    place = page.evaluate("([x, y]) => window.fewclicks.clientPoint(x, y)", [70.5, 50.5])
    page.mouse.click(place["x"], place["y"], button="right")
    wait_until(page, "() => window.fewclicks.state().pending > 0")
    page.get_by_test_id("banner").wait_for(state="visible")
    server.start()
    wait_until(page, "() => window.fewclicks.state().pending === 0", seconds=60)
    is_calm(page)
    assert state(page)["clicks"] == 2
    with httpx.Client(base_url=address.partition("#")[0], timeout=60) as client:
        found = Hand(client, "annotator").get("/api/pictures/1")["active"]
    assert [one["is_positive"] for one in found["clicks"]] == [True, False]
    assert iou(mask_of(found["rle"]), BLOB) > 0.9


def test_the_second_annotator_on_a_picture_is_told_who_has_it(page: Page, address: str):
    opened(page, address)
    click(page, 32, 22)
    with httpx.Client(base_url=address, timeout=60) as client:
        ben = Hand(client, "Ben")
        action = {"kind": "click", "x": 1, "y": 1, "is_positive": False}
        assert ben.send(1, action, name=str(uuid.uuid4())).status_code == 409
        ben.act(2, kind="click", x=32, y=22, is_positive=True)
    page.keyboard.press("PageDown")
    wait_until(page, "() => window.fewclicks.state().readOnly")
    assert "Ben" in page.get_by_test_id("banner").inner_text()
    assert state(page)["clicks"] == 1


def test_an_object_is_annotated_with_the_keyboard_alone(page: Page, address: str):
    opened(page, address)
    page.get_by_test_id("canvas").focus()
    version = state(page)["version"]
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Space")
    wait_until(page, "(before) => window.fewclicks.state().version > before", version)
    is_calm(page)
    assert state(page)["clicks"] == 1
    assert state(page)["area"] > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_a_small_window(chromium: Browser, address: str, scheme: Any):
    with open_page(chromium, color_scheme=scheme) as window:
        opened(window, address)
        click(window, 32, 22)
        finish(window, "a label that is rather long for the panel it has to stand in")
        sizes = window.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
    assert sizes[0] <= 1280
    assert sizes[1] <= 720


def test_markup_in_a_label_is_text(page: Page, address: str):
    opened(page, address)
    click(page, 32, 22)
    label = "<img src=x onerror=alert(1)>"
    finish(page, label)
    assert page.get_by_test_id("object-row").inner_html().find("<img") == -1
    assert [one["label"] for one in state(page)["objects"]] == [label]


def test_the_mask_on_screen_is_the_mask_of_the_server(page: Page, address: str):
    opened(page, address)
    click(page, 32, 22)
    with httpx.Client(base_url=address, timeout=60) as client:
        found = Hand(client, "annotator").get("/api/pictures/1")["active"]["rle"]
    (shown,) = _rles(page.evaluate("() => window.fewclicks.masks()"))
    np.testing.assert_array_equal(decode_rle(shown), decode_rle(found))  # type: ignore[arg-type]


def test_a_method_chosen_between_two_clicks_answers_from_then_on(
    page: Page, address: str, folder: Path
):
    opened(page, address)
    click(page, 32, 22)
    finish(page, "blob")
    click(page, 70, 8)
    place = place_of(page, 70, 50)
    page.mouse.click(place["x"], place["y"])
    page.get_by_test_id("method").select_option("geodesic")
    wait_until(page, "() => document.getElementById('note').textContent === 'Method: geodesic.'")
    is_calm(page)
    click(page, 40, 35, button="right")
    assert state(page)["clicks"] == 3
    session = Session(create_method("geodesic"), read_image(folder / "a.png"))
    session.correct(decode_rle(page.evaluate("() => window.fewclicks.masks().objects[0].rle")))
    session.finish_object("blob")
    session.click(70, 8)
    session.click(70, 50)
    session.click(40, 35, is_positive=False)
    shown = page.evaluate("() => window.fewclicks.masks().active")
    np.testing.assert_array_equal(decode_rle(shown), session.mask)
    page.reload()
    is_calm(page)
    assert page.get_by_test_id("method").input_value() == "geodesic"
    assert page.evaluate("() => window.fewclicks.masks().active") == shown


def test_a_label_that_is_recoloured_changes_its_objects_at_once_and_for_good(
    page: Page, address: str
):
    opened(page, address)
    click(page, 32, 22)
    finish(page, "blob")
    colour = page.get_by_label("Colour of blob")
    assert _drawn(page, 32, 22) != (0, 0, 255)
    page.get_by_test_id("opacity").fill("100")
    colour.fill("#0000ff")
    wait_until(page, "() => document.querySelector('#labels input').value === '#0000ff'")
    page.wait_for_timeout(300)
    assert _drawn(page, 32, 22) == (0, 0, 255)
    page.reload()
    is_calm(page)
    wait_until(page, "() => window.fewclicks.state().objects.length === 1")
    assert colour.input_value() == "#0000ff"
    page.wait_for_timeout(300)
    assert _drawn(page, 32, 22) == (0, 0, 255)


def _drawn(page: Page, x: int, y: int) -> tuple[int, int, int]:
    """Colour on the screen of a pixel of the picture."""
    place = place_of(page, x, y)
    clip = {"x": round(place["x"]), "y": round(place["y"]), "width": 1, "height": 1}
    shot = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
    red, green, blue = shot.getpixel((0, 0))  # type: ignore[misc]
    return int(red), int(green), int(blue)
