"""What a person does on the annotation page, in a real browser, waiting for what it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from browser import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page


def state(page: Page) -> dict[str, Any]:
    """What the page says of itself."""
    found: dict[str, Any] = page.evaluate("() => window.fewclicks.state()")
    return found


def is_calm(page: Page) -> None:
    """Wait until everything that was done is saved and shown."""
    wait_until(page, "() => window.fewclicks?.state().name && !window.fewclicks.state().pending")


def opened(page: Page, address: str) -> Page:
    """Open the page and wait for its picture."""
    page.goto(address)
    is_calm(page)
    return page


def place_of(page: Page, x: int, y: int) -> dict[str, float]:
    """Where in the window the middle of a pixel of the picture is."""
    found: dict[str, float] = page.evaluate(
        "([x, y]) => window.fewclicks.clientPoint(x, y)", [x, y]
    )
    return found


def click(page: Page, x: int, y: int, *, button: Any = "left") -> None:
    """Click a pixel of the picture, and wait for the mask."""
    version = state(page)["version"]
    place = place_of(page, x, y)
    page.mouse.click(place["x"], place["y"], button=button)
    wait_until(page, "(before) => window.fewclicks.state().version > before", version)
    is_calm(page)


def press(page: Page, keys: str, *, changes: bool = True) -> None:
    """Press keys, and wait for the change if they lead to one."""
    version = state(page)["version"]
    page.keyboard.press(keys)
    if changes:
        wait_until(page, "(before) => window.fewclicks.state().version > before", version)
    is_calm(page)


def finish(page: Page, label: str) -> None:
    """Give the object a new label and go on."""
    version = state(page)["version"]
    page.get_by_test_id("label-input").fill(label)
    page.get_by_test_id("label-input").press("Enter")
    page.get_by_test_id("finish").click()
    wait_until(page, "(before) => window.fewclicks.state().version > before", version)
    is_calm(page)
