"""The notebook's widget in a real browser, with a model such as a notebook gives it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from browser import serve_modules, wait_until
from drawing import BLOB, enlarge, paint
from fake_method import BlobMethod
from fewclicks.session.session import Session
from fewclicks.web.widget import ClickWidget

BEGIN = """async ({module, state, size, picture, overlay}) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const listeners = {};
  const values = {state, size, picture: bytes(picture), overlay: bytes(overlay)};
  window.sent = [];
  window.model = {
    get: (name) => values[name],
    on: (name, listener) => { (listeners[name] ??= new Set()).add(listener); },
    off: (name, listener) => { listeners[name].delete(listener); },
    send: (message) => window.sent.push(message),
    answer: (state, overlay) => {
      Object.assign(values, {state, overlay: bytes(overlay)});
      for (const listener of listeners["change:state"] ?? []) listener();
    },
  };
  const address = URL.createObjectURL(new Blob([module], {type: "text/javascript"}));
  const { default: widget } = await import(address);
  window.end = widget.render({ model: window.model, el: document.body });
}"""
PIXEL = """([x, y]) => [...document.querySelector('canvas').getContext('2d')
  .getImageData(x, y, 1, 1).data]"""


class Notebook:
    """Carries messages between the page and the Python side, as a kernel does."""

    def __init__(self, page: Any, widget: ClickWidget) -> None:
        self.page, self.widget = page, widget
        page.evaluate(
            BEGIN,
            {
                **self._state(),
                "module": widget._esm,
                "size": widget.size,
                "picture": text(widget.picture),
            },
        )
        self._wait()

    def carry(self) -> None:
        for message in self.page.evaluate("() => window.sent.splice(0)"):
            self.widget._handle_custom_msg(message, [])
        state = self._state()
        self.page.evaluate("({state, overlay}) => window.model.answer(state, overlay)", state)
        self._wait()

    def click(self, x: int, y: int, **how: Any) -> None:
        place = {"x": x + 0.5, "y": y + 0.5}
        self.page.click(".fewclicks-picture", position=place, **how)

    def pixel(self, x: int, y: int) -> list[int]:
        found: list[int] = self.page.evaluate(PIXEL, [x, y])
        return found

    def _state(self) -> dict[str, Any]:
        return {"state": self.widget.state, "overlay": text(self.widget.overlay)}

    def _wait(self) -> None:
        answer = "document.querySelector('.fewclicks')?.dataset.answer"
        wait_until(self.page, f"(number) => {answer} == number", self.widget.state["answer"])


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_modules() as served:
        yield served


@pytest.fixture
def notebook(page: Any, address: str) -> Notebook:
    page.goto(address)
    page.evaluate("() => { document.body.style.margin = '20px'; }")
    large = enlarge(BLOB, 5)
    return Notebook(page, ClickWidget(Session(BlobMethod(), paint(large, noise=0))))


def test_clicks_undo_and_redo_in_a_browser(notebook: Notebook):
    page, session = notebook.page, notebook.widget.session
    wait_until(page, f"() => ({PIXEL})([160, 110])[0] > 190")  # the picture is there
    assert page.is_disabled(".fewclicks-undo")
    notebook.click(160, 110)
    notebook.carry()
    np.testing.assert_array_equal(session.mask, enlarge(BLOB, 5))
    assert notebook.pixel(130, 110)[2] > 100  # tinted
    notebook.click(350, 250, button="right")
    notebook.click(10, 10, modifiers=["Shift"])
    notebook.carry()
    clicks = [(one.x, one.y, one.is_positive) for one in session.clicks]
    assert clicks == [(160, 110, True), (350, 250, False), (10, 10, False)]
    page.click(".fewclicks-undo")
    notebook.carry()
    page.keyboard.press("Control+z")
    page.keyboard.press("z")
    notebook.carry()
    assert session.clicks == ()
    assert notebook.pixel(130, 110)[2] < 60  # not tinted any more
    assert page.is_disabled(".fewclicks-undo")
    page.keyboard.press("Control+Shift+z")
    notebook.carry()
    page.keyboard.press("y")
    notebook.carry()
    assert len(session.clicks) == 2


def test_a_refusal_is_shown_as_text_and_the_picture_stays_usable(notebook: Notebook):
    notebook.widget._show("<b>No</b> such place")
    notebook.carry()
    page = notebook.page
    assert page.inner_text(".fewclicks-notice") == "<b>No</b> such place"
    notebook.click(160, 110)
    notebook.carry()
    assert page.inner_text(".fewclicks-notice") == ""


def test_a_picture_that_is_shown_smaller_is_clicked_in_its_own_pixels(notebook: Notebook):
    page = notebook.page
    page.evaluate("() => { document.querySelector('.fewclicks-picture').style.width = '200px'; }")
    page.evaluate("() => { document.querySelector('.fewclicks-picture').style.height = '150px'; }")
    notebook.click(80, 55)
    notebook.carry()
    (click,) = notebook.widget.session.clicks
    assert (click.x, click.y) == (161, 111)


def test_nothing_is_heard_after_the_end(notebook: Notebook):
    page = notebook.page
    page.evaluate("() => window.end()")
    before = page.evaluate("() => document.querySelector('.fewclicks').dataset.answer")
    notebook.widget.refresh()
    page.evaluate("({state, overlay}) => window.model.answer(state, overlay)", notebook._state())
    page.wait_for_timeout(50)
    assert page.evaluate("() => document.querySelector('.fewclicks').dataset.answer") == before
