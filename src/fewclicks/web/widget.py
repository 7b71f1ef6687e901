"""Widget: a session on one picture, clicked in a notebook."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from fewclicks.errors import FewclicksError, MissingExtraError
from fewclicks.images.overlay import FINISHED_COLOURS, OBJECT_COLOUR
from fewclicks.session.session import Session

try:
    import anywidget
    import traitlets
except ModuleNotFoundError:
    raise MissingExtraError("The notebook widget", "notebook") from None

_STATIC: Final = Path(__file__).parent / "static"
_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";$', re.MULTILINE)
_LONGEST: Final = 1600
_PALETTE: Final = [(0, 0, 0), OBJECT_COLOUR, *FINISHED_COLOURS]


def _one_module(name: str) -> str:
    """Read a module with what it imports from its neighbours, as a notebook can load it."""
    text = (_STATIC / name).read_text(encoding="utf-8")
    return _IMPORT.sub(lambda found: (_STATIC / found[1]).read_text(encoding="utf-8"), text)


class ClickWidget(anywidget.AnyWidget):
    """A picture to be clicked: left on the object, right off it, with undo and redo.

    Parameters
    ----------
    session
        What is clicked. Use it from other cells too (``widget.session.mask``), and `refresh` the
        picture after changing it there.

    Raises
    ------
    MissingExtraError
        When the module is imported, if anywidget is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from fewclicks import Session, create_method
    >>> image = np.zeros((40, 60, 3), dtype=np.uint8)
    >>> image[10:30, 10:30] = 255
    >>> widget = ClickWidget(Session(create_method("graphcut"), image))
    >>> bool(widget.session.mask.any())
    False
    """

    _esm = _one_module("widget.js")
    _css = _STATIC / "widget.css"

    picture = traitlets.Bytes().tag(sync=True)
    """JPEG, shrunk where the picture is large."""

    size = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    """Width and height of the picture itself, in pixels; clicks are in these."""

    overlay = traitlets.Bytes().tag(sync=True)
    """PNG of the picture's size: finished objects and the present one, clear elsewhere."""

    state = traitlets.Dict().tag(sync=True)
    """What else is shown: ``marks``, ``can_undo``, ``can_redo``, ``notice``, and ``answer``, which
    counts."""

    def __init__(self, session: Session) -> None:
        height, width = session.image.shape[:2]
        super().__init__(picture=_draw_picture(session), size=(width, height))
        self.session = session
        self._answers = 0
        self.on_msg(self._take)
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        self._show("")

    def _take(self, _: Any, message: Any, __: Any) -> None:
        """Do what the page says; what does not fit changes nothing and is said there."""
        try:
            match message:
                case {"kind": "click", "x": int(x), "y": int(y), "is_positive": bool(is_positive)}:
                    self.session.click(x, y, is_positive=is_positive)
                case {"kind": "undo"}:
                    self.session.undo()
                case {"kind": "redo"}:
                    self.session.redo()
        except FewclicksError as error:
            self._show(str(error))
        else:
            self._show("")

    def _show(self, notice: str) -> None:
        session = self.session
        self._answers += 1
        with self.hold_sync():
            self.overlay = _draw_overlay(session)
            self.state = {
                "marks": [
                    {"x": one.x, "y": one.y, "is_positive": one.is_positive}
                    for one in session.clicks
                ],
                "can_undo": session.can_undo,
                "can_redo": session.can_redo,
                "notice": notice or session.notice or "",
                "answer": self._answers,
            }


def _draw_picture(session: Session) -> bytes:
    picture = Image.fromarray(session.image)
    picture.thumbnail((_LONGEST, _LONGEST))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _draw_overlay(session: Session) -> bytes:
    """Draw objects in their colours on a clear ground: a palette keeps that small and quick."""
    colours = np.zeros(session.image.shape[:2], dtype=np.uint8)
    for number, finished in enumerate(session.objects):
        colours[finished.mask] = 2 + number % len(FINISHED_COLOURS)
    colours[session.mask] = 1
    drawn = Image.fromarray(colours).convert("P")
    drawn.putpalette([part for colour in _PALETTE for part in colour])
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG", transparency=0, compress_level=1)
    return buffer.getvalue()
