"""References and searches for a kind in a real browser, on a real server and the default method."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page

from annotated_folder import Hand, mask_of
from annotation_server import AnnotationServer
from browser import wait_until
from drawing import enlarge, mask, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.images.masks import decode_rle, encode_rle
from fewclicks.images.reading import read_image
from fewclicks.images.writing import write_image
from fewclicks.methods.guidance import Reference
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session
from on_page import click, finish, is_calm, opened, press, state

MARKUP = "<img src=x onerror=alert(1)>"
CAR = enlarge(
    mask(
        "................",
        "....######......",
        "...########.....",
        ".#############..",
        ".#############..",
        ".#############..",
        "................",
        "................",
    ),
    10,
)
DOOR = enlarge(
    mask(
        *["................"] * 3,
        "....####........",
        "....####........",
        "....####........",
        *["................"] * 2,
    ),
    10,
)
DOTS = enlarge(
    mask(
        "................",
        ".###...###..###.",
        ".###...###..###.",
        ".###...###..###.",
        "................",
        "...###....###...",
        "...###....###...",
        "...###....###...",
        "................",
    ),
    10,
)


ON_THE_DOOR = (45, 35)


def car(colour: tuple[int, int, int]) -> RgbImage:
    """A car whose door is a shade lighter."""
    painted = paint(CAR, inside=colour)
    painted[DOOR] = np.minimum(painted[DOOR].astype(int) + 40, 255).astype(np.uint8)
    return painted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cars")
    write_image(folder / f"1 {MARKUP}.png", car((170, 60, 40)))
    write_image(folder / "2.png", car((150, 70, 50)))
    for number in (3, 4):
        write_image(folder / f"{number}.png", paint(DOTS, inside=(200, 60, 10 * number)))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[AnnotationServer]:
    server = AnnotationServer(folder)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def address(server: AnnotationServer) -> str:
    """Of a server that has the parts of the first car."""
    address = server.start()
    with httpx.Client(base_url=address, timeout=60) as client:
        hand = Hand(client, "annotator")
        hand.act(1, kind="add", label="car", rle=dict(encode_rle(CAR & ~DOOR)))
        hand.act(1, kind="add", label=MARKUP, rle=dict(encode_rle(DOOR)))
    return address


def shown(page: Page) -> BoolMask:
    """The active mask on screen."""
    return np.asarray(decode_rle(page.evaluate("() => window.fewclicks.masks().active")))


def first_click(folder: Path, *, guided: bool) -> BoolMask:
    """What the package itself answers to the click on the second car's door."""
    one, two = sorted(folder.glob("*.png"))[:2]
    session = Session(create_method(), read_image(two))
    if guided:
        reference = Reference(image=read_image(one), positive=DOOR, negative=CAR & ~DOOR)
        session.attach_reference(MARKUP, [reference])
        session.aim_at(MARKUP)
    return session.click(*ON_THE_DOOR).mask


def choose_reference(page: Page) -> None:
    """With the keyboard, by the dialog: the door, and not the rest of the car."""
    page.keyboard.press("2")
    page.get_by_test_id("canvas").focus()
    page.keyboard.press("m")
    page.get_by_test_id("reference-dialog").wait_for(state="visible")
    wait_until(page, "() => document.querySelectorAll('#reference-object option').length === 2")
    assert MARKUP in page.get_by_test_id("reference-object").inner_text()
    assert MARKUP in page.get_by_test_id("reference-picture").inner_text()
    page.get_by_test_id("reference-negative").select_option(label="car")
    page.get_by_test_id("reference-use").press("Enter")
    wait_until(page, "() => window.fewclicks.state().references.length === 1")
    is_calm(page)


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("picture-row").filter(has_text=name).click()
    wait_until(page, "(name) => window.fewclicks.state().name === name", name)


def test_a_reference_of_one_picture_guides_the_first_click_on_the_next(
    page: Page, server: AnnotationServer, address: str, folder: Path
):
    plain, guided = (first_click(folder, guided=known) for known in (False, True))
    assert (plain != guided).any()
    opened(page, address)
    choose_reference(page)
    (one,) = state(page)["references"]
    assert (one["label"], one["picture"]) == (MARKUP, 1)
    assert "Guided by 1" in page.get_by_test_id("reference-text").inner_text()
    go_to(page, "2.png")
    server.kill()
    server.start()
    page.reload()
    is_calm(page)
    assert state(page)["label"] == MARKUP
    click(page, *ON_THE_DOOR)
    np.testing.assert_array_equal(shown(page), guided)
    page.reload()
    is_calm(page)
    wait_until(page, "() => window.fewclicks.state().area > 0")
    np.testing.assert_array_equal(shown(page), guided)

    page.get_by_test_id("reference-drop").click()
    wait_until(page, "() => window.fewclicks.state().references.length === 0")
    is_calm(page)
    np.testing.assert_array_equal(shown(page), plain)
    press(page, "Control+z")
    np.testing.assert_array_equal(shown(page), guided)
    assert page.evaluate(
        "() => document.querySelectorAll('#reference-dialog img, #reference img').length === 0"
    )


@pytest.mark.long
def test_a_method_without_references_says_so_and_clicks_go_on(page: Page, address: str):
    with httpx.Client(base_url=address, timeout=60) as client:
        hand = Hand(client, "annotator")
        hand.act(1, kind="reference", label=MARKUP, picture=1, object=2)
    opened(page, address)
    page.get_by_test_id("canvas").focus()
    page.keyboard.press("2")
    page.get_by_test_id("method").select_option("graphcut")
    wait_until(
        page, "() => document.querySelector('#reference-text').textContent.includes('takes none')"
    )
    go_to(page, "2.png")
    click(page, *ON_THE_DOOR)
    assert state(page)["area"] > 0
    assert "'graphcut' takes no references" in state(page)["notice"]
    assert "'graphcut' takes no references" in page.get_by_test_id("note").inner_text()
    page.get_by_test_id("method").select_option("default")
    wait_until(
        page, "() => document.querySelector('#reference-text').textContent.includes('Guided')"
    )


def find_others(page: Page, address: str, name: str) -> int:
    """Finish one dot, look for the others, and count them."""
    opened(page, address)
    go_to(page, name)
    click(page, 25, 25)
    click(page, 5, 5, button="right")
    finish(page, "dot")
    press(page, "o")
    wait_until(page, "() => window.fewclicks.state().searching")
    is_calm(page)
    return int(state(page)["proposals"])


def proposed(page: Page) -> list[BoolMask]:
    return [decode_rle(one) for one in page.evaluate("() => window.fewclicks.masks().proposed")]


def test_the_others_are_found_accepted_refused_and_corrected_by_clicks(page: Page, address: str):
    count = find_others(page, address, "3.png")
    assert count >= 3
    press(page, "a")
    assert (state(page)["proposals"], len(state(page)["objects"])) == (count - 1, 2)
    press(page, "r")
    assert (state(page)["proposals"], len(state(page)["objects"])) == (count - 2, 2)
    page.reload()
    is_calm(page)
    wait_until(page, "() => window.fewclicks.state().searching")
    assert state(page)["proposals"] == count - 2
    press(page, "Control+z")
    assert state(page)["proposals"] == count - 1
    on_one = np.argwhere(proposed(page)[0])
    row, column = (int(place) for place in on_one[len(on_one) // 2])
    click(page, column, row, button="right")
    assert not any(one[row, column] for one in proposed(page))
    press(page, "Escape")
    assert not state(page)["searching"]
    assert [one["label"] for one in state(page)["objects"]] == ["dot", "dot"]


@pytest.mark.long
def test_a_click_on_a_proposal_accepts_it_and_a_key_the_rest(page: Page, address: str):
    count = find_others(page, address, "4.png")
    found = proposed(page)
    rows, columns = np.nonzero(found[-1])
    click(page, int(columns[0]), int(rows[0]))
    assert (state(page)["proposals"], len(state(page)["objects"])) == (count - 1, 2)
    page.keyboard.press("Shift+A")
    wait_until(
        page, "() => !window.fewclicks.state().searching && !window.fewclicks.state().pending"
    )
    with httpx.Client(base_url=address, timeout=60) as client:
        kept = [
            mask_of(one["rle"]) for one in Hand(client, "Eve").get("/api/pictures/4")["objects"]
        ]
    assert len(kept) == count + 1
    for one in found:
        assert any(np.array_equal(one, other) for other in kept)
