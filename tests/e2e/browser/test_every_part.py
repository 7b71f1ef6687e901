"""Each part of the page by itself: tools, levels, preview, objects, labels, view, help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from annotated_folder import make_folder
from annotation_server import AnnotationServer
from browser import wait_until
from drawing import BLOB
from fewclicks.images.masks import decode_rle, iou
from on_page import click, finish, is_calm, opened, place_of, press, state


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnnotationServer]:
    """One for all tests: each that annotates has a picture of its own."""
    folder = make_folder(tmp_path_factory.mktemp("parts") / "pictures")
    server = AnnotationServer(folder, "--method", "graphcut")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def address(server: AnnotationServer) -> str:
    return server.start()


@pytest.fixture
def fresh(page: Page, address: str) -> Page:
    return opened(page, address)


def on_picture(page: Page, name: str) -> Page:
    page.get_by_test_id("picture-row").filter(has_text=Path(name).name).first.click()
    wait_until(page, "(name) => window.fewclicks.state().name === name", name)
    is_calm(page)
    return page


def drag(page: Page, *places: tuple[int, int], button: Any = "left") -> None:
    """Draw along pixels of the picture, and wait for the mask."""
    version = state(page)["version"]
    first, *others = (place_of(page, x, y) for x, y in places)
    page.mouse.move(first["x"], first["y"])
    page.mouse.down(button=button)
    for each in others:
        page.mouse.move(each["x"], each["y"], steps=3)
    page.mouse.up(button=button)
    wait_until(page, "(before) => window.fewclicks.state().version > before", version)
    is_calm(page)


def edges_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def active(page: Page) -> np.ndarray:
    rle = page.evaluate("() => window.fewclicks.masks().active")
    return np.zeros_like(BLOB) if rle is None else decode_rle(rle)


def test_box_scribble_brush_and_eraser_draw_and_are_undone_and_redone(fresh: Page):
    page = on_picture(fresh, "a.png")
    masks = [active(page)]

    def took() -> np.ndarray:
        masks.append(active(page))
        return masks[-1]

    top, bottom, left, right = edges_of(BLOB)
    press(page, "b", changes=False)
    drag(page, (left - 2, top - 2), (right + 2, bottom + 2))
    boxed = took()
    assert iou(boxed, BLOB) > 0.8
    assert not boxed[: top - 2].any()

    press(page, "s", changes=False)
    drag(page, (left - 1, top - 1), (right + 1, top - 1), button="right")
    took()

    press(page, "p", changes=False)
    page.get_by_test_id("size").fill("3")
    drag(page, (right, bottom), (right + 1, bottom))
    painted = took()
    assert painted[bottom, right]
    assert painted.sum() > masks[-2].sum()

    press(page, "]", changes=False)
    assert int(page.get_by_test_id("size").input_value()) == 4
    press(page, "e", changes=False)
    drag(page, (right, bottom), (right + 1, bottom))
    erased = took()
    assert not erased[bottom, right]

    for before in masks[-2::-1]:
        press(page, "Control+z")
        np.testing.assert_array_equal(active(page), before)
    for after in masks[1:]:
        press(page, "Control+Shift+Z")
        np.testing.assert_array_equal(active(page), after)
    press(page, "Backspace")
    assert state(page)["area"] == 0


def test_objects_are_selected_relabelled_edited_again_reordered_and_deleted(fresh: Page):
    page = on_picture(fresh, "b.png")
    page.get_by_test_id("tool-click").click()
    click(page, 32, 22)
    finish(page, "blob")
    click(page, 70, 50)
    finish(page, "ground")
    blob, ground = state(page)["objects"]
    shown = {one["id"]: decode_rle(one["rle"])
             for one in page.evaluate("() => window.fewclicks.masks().objects")}  # fmt: skip
    assert not (shown[blob["id"]] & shown[ground["id"]]).any(), "finished objects keep pixels"

    press(page, "g", changes=False)  # the uppermost first
    assert state(page)["selected"] == ground["id"]
    press(page, "1")
    assert [one["label"] for one in state(page)["objects"]] == ["blob", "blob"]
    press(page, "Control+z")

    press(page, "g", changes=False)
    press(page, "g", changes=False)
    press(page, "Alt+ArrowDown")
    assert [one["id"] for one in state(page)["objects"]] == [ground["id"], blob["id"]]

    page.get_by_test_id("object-row").first.hover()  # the blob, which lies above now
    page.get_by_test_id("object-reopen").first.click()
    wait_until(page, "() => window.fewclicks.state().objects.length === 1")
    is_calm(page)
    np.testing.assert_array_equal(active(page), shown[blob["id"]])
    press(page, "e", changes=False)
    drag(page, (32, 22), (34, 22))
    edited = active(page)
    assert not edited[22, 32]
    press(page, "Enter")
    assert [one["id"] for one in state(page)["objects"]] == [ground["id"], blob["id"]]
    assert state(page)["objects"][1]["area"] == int(edited.sum())

    page.get_by_test_id("tool-select").click()
    left, *_ = np.argwhere(edited)
    place = place_of(page, int(left[1]), int(left[0]))
    page.mouse.click(place["x"], place["y"])
    assert state(page)["selected"] == blob["id"]
    press(page, "Delete")
    assert [one["id"] for one in state(page)["objects"]] == [ground["id"]]
    press(page, "Control+z")
    assert len(state(page)["objects"]) == 2


def test_the_mask_under_the_resting_pointer_is_shown_until_it_is_switched_off(fresh: Page):
    page = on_picture(fresh, "sub/c.png")
    page.get_by_test_id("tool-click").click()
    click(page, 70, 50)  # how long it took tells the page that the machine is fast enough
    place = place_of(page, 32, 22)
    for _ in range(40):
        page.mouse.move(place["x"], place["y"])
        page.wait_for_timeout(500)
        if state(page)["hover"] is not None:
            break
        page.mouse.move(place["x"] + 5, place["y"])
    assert state(page)["hover"] > state(page)["area"]
    assert state(page)["clicks"] == 1, "nothing was clicked"
    press(page, "h", changes=False)
    assert page.get_by_test_id("hover").get_attribute("aria-pressed") == "false"
    page.mouse.move(place["x"] + 3, place["y"])
    page.wait_for_timeout(500)
    assert state(page)["hover"] is None
    press(page, "h", changes=False)


def test_zoom_theme_help_opacity_and_contour_obey_and_outlive_a_reload(fresh: Page):
    page = on_picture(fresh, "a.png")
    fitted = state(page)["zoom"]
    place = place_of(page, 40, 30)
    page.mouse.move(place["x"], place["y"])
    page.mouse.wheel(0, -400)
    wait_until(page, "(before) => window.fewclicks.state().zoom > 1.5 * before", fitted)
    there = place_of(page, 40, 30)
    assert abs(there["x"] - place["x"]) + abs(there["y"] - place["y"]) < 2, "it stays in place"
    page.mouse.down(button="middle")
    page.mouse.move(place["x"] + 50, place["y"] + 20, steps=3)
    page.mouse.up(button="middle")
    panned = place_of(page, 40, 30)
    assert panned["x"] - there["x"] == pytest.approx(50, abs=2)
    press(page, "f", changes=False)
    wait_until(page, "(before) => Math.abs(window.fewclicks.state().zoom - before) < 1e-6", fitted)

    before = page.evaluate("() => document.documentElement.dataset.theme ?? ''")
    press(page, "t", changes=False)
    theme = page.evaluate("() => document.documentElement.dataset.theme")
    assert theme in ("light", "dark")
    assert theme != before
    page.get_by_test_id("opacity").fill("80")
    page.get_by_test_id("contour").set_checked(False)
    press(page, "s", changes=False)

    press(page, "?", changes=False)
    page.get_by_test_id("help-dialog").wait_for(state="visible")
    assert "brush and eraser" in page.get_by_test_id("help-dialog").inner_text()
    press(page, "Escape", changes=False)
    page.get_by_test_id("help-dialog").wait_for(state="hidden")

    page.reload()
    is_calm(page)
    assert state(page)["name"] == "a.png"
    assert state(page)["tool"] == "scribble"
    assert page.get_by_test_id("opacity").input_value() == "80"
    assert not page.get_by_test_id("contour").is_checked()
    assert page.evaluate("() => document.documentElement.dataset.theme") == theme


def test_the_list_is_filtered_says_what_is_done_and_shows_small_pictures(fresh: Page):
    page = fresh
    page.get_by_test_id("filter").fill("sub")
    wait_until(page, "() => document.querySelectorAll('[data-testid=picture-row]').length === 1")
    page.get_by_test_id("filter").fill("")
    on_picture(page, "b.png")
    page.get_by_test_id("done").click()
    wait_until(page, "() => window.fewclicks.state().state === 'done'")
    page.get_by_test_id("filter-state").select_option("done")
    wait_until(page, "() => document.querySelectorAll('[data-testid=picture-row]').length === 1")
    assert page.get_by_test_id("folder-count").inner_text().startswith("1")
    page.get_by_test_id("filter-state").select_option("")
    wait_until(
        page,
        "() => [...document.querySelectorAll('[data-testid=picture-row] img, "
        "[data-testid=picture-row] canvas')].length === 3",
    )
    page.get_by_test_id("done").click()
    wait_until(page, "() => window.fewclicks.state().state !== 'done'")


def test_the_wheel_turns_the_newest_click_from_part_to_group(page: Page, tmp_path: Path):
    folder = make_folder(tmp_path / "pictures")
    server = AnnotationServer(folder, "--method", "m2n2", "--backbone", "colour")
    try:
        opened(page, server.start())
        click(page, 32, 22)
        area = state(page)["area"]
        place = place_of(page, 32, 22)
        page.get_by_test_id("level-value").hover()
        wait_until(page, "() => window.fewclicks.state().levels !== null")
        levels = state(page)["levels"]
        assert levels["count"] > 1
        by = 1 if levels["chosen"] < levels["count"] - 1 else -1
        press(page, "." if by > 0 else ",")
        assert state(page)["levels"]["chosen"] == levels["chosen"] + by
        turned = state(page)["area"]
        assert (turned - area) * by > 0
        page.mouse.move(place["x"], place["y"])
        page.keyboard.down("Alt")
        page.mouse.wheel(0, 100 * by)
        page.keyboard.up("Alt")
        wait_until(page, "(area) => window.fewclicks.state().area === area", area)
        is_calm(page)
        press(page, "Control+z")
        assert state(page)["area"] == turned
    finally:
        server.kill()
