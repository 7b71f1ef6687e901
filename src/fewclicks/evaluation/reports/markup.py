"""Markup: a page of HTML that stands alone, put together from elements, so that no name escapes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, tostring

from PIL import Image

from fewclicks.arrays import RgbImage

Node: TypeAlias = Element | str | None
"""Text stands as it is, whatever signs it has; None is nothing."""

_QUALITY: Final = 82
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def element(tag: str, *content: Node, **attributes: str) -> Element:
    """Make an element; ``class_`` is its class, if any, and ``_`` in a name stands for ``-``."""
    made = Element(tag)
    for name, value in attributes.items():
        if name == "class_" and not value:
            continue
        made.set(name.rstrip("_").replace("_", "-"), value)
    for part in content:
        _append(made, part)
    return made


def group(*content: Node | Iterable[Node], class_: str = "") -> Element:
    """Put elements together in one, with a class or without."""
    made = element("div", class_=class_)
    for part in content:
        for each in [part] if part is None or isinstance(part, (str, Element)) else part:
            _append(made, each)
    return made


def table(titles: Sequence[Node], rows: Iterable[Element], *, text_columns: int = 1) -> Element:
    """Make a table that scrolls by itself where the page is narrow; numbers stand to the right."""
    head = element("tr")
    for number, title in enumerate(titles):
        head.append(element("th", title, scope="col", class_="text" * (number < text_columns)))
    made = element("table", element("thead", head), element("tbody", *rows))
    return element("div", made, class_="wide", tabindex="0")


def cells(contents: Sequence[Node], *, text_columns: int = 1, class_: str = "") -> Element:
    """Make a row of a table."""
    row = element("tr", class_=class_)
    for number, content in enumerate(contents):
        if number == 0:
            row.append(element("th", content, scope="row", class_="text"))
        else:
            row.append(element("td", content, class_="text" * (number < text_columns)))
    return row


def drawing(figure: Element, caption: str) -> Element:
    """Set a figure into the page, with how to read it below."""
    return element("figure", figure, element("figcaption", caption), class_="chart")


def photograph(picture: RgbImage, *, says: str) -> Element:
    """Set a picture into the page itself.

    Parameters
    ----------
    picture : (H, W, 3)
        In [0, 255].
    says
        What it shows, for those who do not see it.
    """
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=_QUALITY)
    text = base64.b64encode(content.getvalue()).decode("ascii")
    height, width = picture.shape[:2]
    return element(
        "img",
        src=f"data:image/jpeg;base64,{text}",
        alt=says,
        width=str(width),
        height=str(height),
    )


def page(title: str, *content: Node) -> str:
    """Give a whole page, which fetches nothing and runs nothing."""
    sheet = files("fewclicks.evaluation.reports").joinpath("page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", sheet),
    )
    whole = element("html", head, element("body", element("main", *content)), lang="en")
    return "<!doctype html>\n" + tostring(whole, encoding="unicode", method="html") + "\n"


def _append(parent: Element, part: Node) -> None:
    if part is None:
        return
    if isinstance(part, Element):
        parent.append(part)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + part
    else:
        parent.text = (parent.text or "") + part
