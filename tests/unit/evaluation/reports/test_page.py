"""The page: whole, self-contained, and safe whatever things are called."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import lxml.html
import numpy as np
import pytest

from browser import open_browser, open_page
from fewclicks.evaluation.reports.comparing import Compared, comparison_page
from fewclicks.evaluation.reports.markup import element, page, photograph
from fewclicks.evaluation.reports.paired import compare_rows
from fewclicks.evaluation.reports.report import report_page
from fewclicks.evaluation.reports.rows import ReportRow
from made_results import made_row

EVIL = "<script>alert(1)</script>\"'&amp;"
FIRST = {"a": (0.5, 0.96), "b": (0.96,), f"{EVIL}:1": (0.4,) * 20}
SECOND = {"a": (0.7, 0.8, 0.96), "b": (0.3, 0.96), f"{EVIL}:1": (0.96,)}


def rows() -> list[ReportRow]:
    config = {"backbone": EVIL}
    return [
        made_row(FIRST, method="default"),
        made_row(SECOND, method="m2n2", config=config),
        made_row(SECOND, method="default", rule="random"),
        *(made_row(FIRST, config={"backbone": None, "jitter": size}) for size in (1.0, 2.0, 3.0)),
    ]


@pytest.fixture(scope="module")
def whole() -> str:
    strip = element("p", photograph(np.zeros((4, 6, 3), dtype=np.uint8), says=EVIL))
    return report_page(rows(), lambda _row: [strip])


def every_attribute(text: str) -> list[tuple[str, str, str]]:
    return [
        (str(found.tag), name, value)
        for found in lxml.html.document_fromstring(text).iter()
        if isinstance(found.tag, str)
        for name, value in found.attrib.items()
    ]


def test_nothing_is_fetched_and_nothing_runs(whole: str):
    for tag, name, value in every_attribute(whole):
        assert not name.startswith("on"), (tag, name)
        if name in ("src", "href", "xlink:href", "srcset", "poster", "action", "data"):
            assert value.startswith(("data:", "#")), (tag, name, value[:60])
    found = lxml.html.document_fromstring(whole)
    assert not list(found.iter("script", "link", "iframe", "object", "base"))
    assert not re.search(r"@import|url\((?!#)", whole)


def test_every_link_and_every_reference_leads_to_one_place(whole: str):
    attributes = every_attribute(whole)
    ids = [value for _, name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {value for _, name, value in attributes if name == "href"}
    assert len(targets) > 8
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_every_element_that_is_opened_is_closed_in_order(whole: str):
    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.opened: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            del attrs
            if tag not in ("meta", "img", "br"):
                self.opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.opened.pop() == tag

    reader = Reader()
    reader.feed(whole)
    reader.close()
    assert reader.opened == []


def test_names_stand_as_they_are_and_are_never_markup(whole: str):
    found = lxml.html.document_fromstring(whole)
    assert f"m2n2 ({EVIL})" in found.text_content()
    assert found.xpath("//img/@alt")[0] == EVIL
    assert any(EVIL in hint for hint in found.xpath("//svg//title/text()"))
    assert not list(found.iter("script"))


def test_all_sections_are_there_and_listed(whole: str):
    found = lxml.html.document_fromstring(whole)
    titles = [title.text_content() for title in found.iter("h2")]
    assert titles == [
        "At a glance",
        "grabcut, rule ritm",
        "grabcut, rule random",
        *(f"grabcut, rule ritm jitter {size}" for size in (1, 2, 3)),
        "How much the place of a click matters",
        "What disturbs, and how much",
        "How it was measured",
    ]
    assert [link.text_content() for link in found.xpath("//nav//a")] == titles


def test_our_row_stands_among_published_ones_by_its_clicks(whole: str):
    found = lxml.html.document_fromstring(whole)
    first = found.xpath("//div[@class='published']//tbody")[0]
    at = [cell.text_content() for cell in found.xpath("//div[@class='published']//thead/tr")[0]]
    ranked = [float(row[at.index("NoC@90")].text_content() or "inf") for row in first]
    assert ranked == sorted(ranked)
    ours = [row[0].text_content() for row in first if row.get("class") == "ours"]
    assert ours == [f"m2n2 ({EVIL})", "default"]
    assert len(first) > 20


def test_a_comparison_is_such_a_page_too():
    first, second, *_ = rows()
    text = comparison_page(Compared(comparisons=(compare_rows(first, second),), alone=(EVIL,)))
    for tag, name, value in every_attribute(text):
        if name in ("src", "href"):
            assert value.startswith(("data:", "#")), (tag, value[:60])
    found = lxml.html.document_fromstring(text)
    assert not list(found.iter("script"))
    assert EVIL in found.text_content()


def test_a_page_opens_in_a_browser_light_dark_and_narrow_without_a_complaint(
    whole: str, tmp_path: Path
):
    (tmp_path / "report.html").write_text(whole, encoding="utf-8")
    papers = []
    with open_browser() as browser:
        for scheme, width in (("light", 1280), ("dark", 400)):
            options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
            with open_page(browser, **options) as opened:
                said: list[str] = []
                opened.on("console", lambda message, said=said: said.append(message.text))
                opened.on("request", lambda request, said=said: said.append(request.url))
                opened.goto((tmp_path / "report.html").as_uri())
                fetched = [each for each in said if not each.startswith("data:")]
                assert fetched == [(tmp_path / "report.html").as_uri()]
                wide = opened.evaluate("document.documentElement.scrollWidth")
                assert wide <= width
                papers.append(opened.evaluate("getComputedStyle(document.body).backgroundColor"))
                drawn = opened.locator("figure svg").first.bounding_box()
                assert drawn is not None
                assert drawn["height"] > 100
    assert papers == ["rgb(255, 255, 255)", "rgb(20, 23, 27)"]


def test_text_and_elements_stand_in_the_order_they_were_given():
    made = element("p", "one ", element("b", "two"), " three", None, " four", class_="x")
    text = page("T", made)
    assert '<p class="x">one <b>two</b> three four</p>' in text
