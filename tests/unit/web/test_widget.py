from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, paint
from fake_method import BlobMethod
from fewclicks.errors import MissingExtraError
from fewclicks.images.overlay import FINISHED_COLOURS, OBJECT_COLOUR
from fewclicks.session.session import Session
from fewclicks.web.widget import ClickWidget

PICTURE = paint(BLOB, noise=0)


@pytest.fixture
def widget() -> ClickWidget:
    return ClickWidget(Session(BlobMethod(), PICTURE))


def say(widget: ClickWidget, **message: Any) -> None:
    """What the page's messages do, as they come from the notebook."""
    widget._handle_custom_msg(message, [])


def click(widget: ClickWidget, x: int, y: int, *, is_positive: bool = True) -> None:
    say(widget, kind="click", x=x, y=y, is_positive=is_positive)


def drawn(widget: ClickWidget) -> np.ndarray:
    """(H, W, 4) what lies over the picture."""
    return np.array(Image.open(io.BytesIO(widget.overlay)).convert("RGBA"))


def test_the_picture_comes_with_its_size_and_a_clear_overlay(widget: ClickWidget):
    shown = np.array(Image.open(io.BytesIO(widget.picture)))
    assert np.abs(shown.astype(int) - PICTURE)[20:25, 30:35].max() < 12  # JPEG, away from edges
    assert widget.size == (80, 60)
    assert (drawn(widget)[..., 3] == 0).all()
    assert widget.state == {
        "marks": [], "can_undo": False, "can_redo": False, "notice": "", "answer": 1,
    }  # fmt: skip


def test_a_click_reaches_the_session_and_its_mask_the_page(widget: ClickWidget):
    click(widget, 32, 22)
    np.testing.assert_array_equal(widget.session.mask, BLOB)
    overlay = drawn(widget)
    np.testing.assert_array_equal(overlay[..., 3] == 255, BLOB)
    assert (overlay[BLOB][:, :3] == OBJECT_COLOUR).all()
    assert widget.state["marks"] == [{"x": 32, "y": 22, "is_positive": True}]
    click(widget, 70, 50, is_positive=False)
    assert widget.state["marks"][1] == {"x": 70, "y": 50, "is_positive": False}


def test_undo_and_redo_go_through_the_session(widget: ClickWidget):
    click(widget, 32, 22)
    say(widget, kind="undo")
    assert not widget.session.mask.any()
    assert (widget.state["can_undo"], widget.state["can_redo"]) == (False, True)
    assert (drawn(widget)[..., 3] == 0).all()
    say(widget, kind="redo")
    np.testing.assert_array_equal(drawn(widget)[..., 3] > 0, BLOB)
    assert (widget.state["can_undo"], widget.state["can_redo"]) == (True, False)


def test_what_does_not_fit_is_said_and_gone_with_the_next_answer(widget: ClickWidget):
    click(widget, 999, 22)
    assert "outside the image" in widget.state["notice"]
    assert widget.session.clicks == ()
    say(widget, kind="undo")
    assert "no step to undo" in widget.state["notice"]
    click(widget, 32, 22)
    assert widget.state["notice"] == ""


def test_messages_that_mean_nothing_change_nothing(widget: ClickWidget):
    for message in ({"kind": "click", "x": "1", "y": 2, "is_positive": True}, {"kind": "eat"}, {}):
        say(widget, **message)
    assert widget.session.steps == ()


def test_another_cell_may_finish_an_object_and_refresh(widget: ClickWidget):
    click(widget, 32, 22)
    widget.session.finish_object("blob")
    widget.refresh()
    assert (drawn(widget)[BLOB][:, :3] == FINISHED_COLOURS[0]).all()
    assert widget.state["marks"] == []
    click(widget, 5, 5)
    np.testing.assert_array_equal(widget.session.mask, ~BLOB)
    assert (drawn(widget)[~BLOB][:, :3] == OBJECT_COLOUR).all()


def test_a_large_picture_is_shown_shrunk_and_clicked_in_its_own_pixels():
    image = np.zeros((900, 3200, 3), dtype=np.uint8)
    image[100:200, 3000:3100] = 255
    widget = ClickWidget(Session(BlobMethod(), image))
    assert Image.open(io.BytesIO(widget.picture)).size == (1600, 450)
    assert widget.size == (3200, 900)
    click(widget, 3050, 150)
    assert widget.session.mask.sum() == 100 * 100


def test_the_page_is_one_module_that_loads_nothing(widget: ClickWidget):
    assert "import " not in widget._esm
    for text in (widget._esm, widget._css):
        assert "http" not in text


def test_without_anywidget_the_command_to_type_is_said():
    program = "import sys; sys.modules['anywidget'] = None; import fewclicks.web.widget"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert f"{MissingExtraError.__name__}: The notebook widget needs" in run.stderr
    assert "pip install 'fewclicks[notebook]'" in run.stderr
