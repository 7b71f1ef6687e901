"""A figure as files, and as a drawing within a page that takes on the page's colours."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure

from fewclicks.evaluation.figures.style import COLOURS, GRID, INK, PAPER
from fewclicks.files import written_beside

_VARIABLES: Final = {
    INK.lower(): "var(--ink)",
    GRID.lower(): "var(--grid)",
    PAPER.lower(): "var(--paper)",
    **{colour.lower(): f"var(--series-{n})" for n, colour in enumerate(COLOURS)},
}
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\b")
_FONT: Final = re.compile(r"font: ([^;]*?)([\d.]+px) [^;]*")
_POINTS: Final = re.compile(r"^([\d.]+)pt$")


def write_figure(path: Path, figure: Figure) -> list[Path]:
    """Write a figure as PNG and as SVG, and say where; the same figure gives the same bytes."""
    written = []
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        target = path.with_name(f"{path.name}.{kind}")
        with written_beside(target) as beside, rc_context({"svg.hashsalt": "fewclicks"}):
            figure.savefig(beside, format=kind, dpi=160, metadata=metadata)
        written.append(target)
    return written


def inline_drawing(
    figure: Figure, name: str, *, says: str, hints: Mapping[str, str] | None = None
) -> ElementTree.Element:
    """Draw a figure as an element of a page, with text as text and the page's own colours.

    The page names the colours ``--ink``, ``--grid``, ``--paper`` and ``--series-0`` to 6, so that
    one drawing is right on light and on dark paper.

    Parameters
    ----------
    name
        Of the figure, which no other on the page has; leads the ids within the drawing.
    says
        What it shows, for those who do not see it.
    hints
        What comes up over parts of the figure, by their ids (``gid``) in it.

    Returns
    -------
    Element
        ``svg``, which refers to nothing outside itself.
    """
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "fewclicks", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawing = ElementTree.fromstring(text.getvalue())
    for found in drawing.iter():
        _take_in(found, name)
        _hint(found, (hints or {}).get(found.get("id", "").removeprefix(f"{name}-")))
    for child in [each for each in drawing if each.tag == "metadata"]:
        drawing.remove(child)
    for definitions in drawing.iter("defs"):
        for sheet in definitions.findall("style"):  # it would dress the whole page
            definitions.remove(sheet)
    width = _POINTS.match(drawing.attrib.pop("width"))
    drawing.attrib.pop("height")
    drawing.attrib.pop("version", None)
    drawing.set("style", f"max-width: {float(width.group(1)) * 1.45:.0f}px" if width else "")
    drawing.set("role", "img")
    drawing.set("aria-label", says)
    return drawing


def _take_in(found: ElementTree.Element, name: str) -> None:
    """Free an element of its namespace, and make ids the figure's and colours the page's own."""
    found.tag = _plain(found.tag)
    attributes = {_plain(key): value for key, value in found.attrib.items()}
    found.attrib.clear()
    for key, value in attributes.items():
        if key == "id":
            value = f"{name}-{value}"
        elif value.startswith("#") and key == "href":
            value = f"#{name}-{value[1:]}"
        elif key == "style":
            value = _FONT.sub(r"font: \1\2 var(--sans)", _follow(value))
        elif key == "clip-path":
            value = value.replace("url(#", f"url(#{name}-")
        found.set(key, value)
    if found.tag == "text" and "fill" not in found.get("style", ""):
        found.set("style", f"{found.get('style', '')}; fill: var(--ink)".removeprefix("; "))


def _follow(value: str) -> str:
    return _COLOUR.sub(lambda match: _VARIABLES.get(match[0].lower(), match[0]), value)


def _hint(found: ElementTree.Element, text: str | None) -> None:
    if text is not None:
        title = ElementTree.Element("title")
        title.text = text
        found.insert(0, title)


def _plain(name: object) -> str:
    return str(name).rpartition("}")[2]
