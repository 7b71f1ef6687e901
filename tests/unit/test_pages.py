"""Pages: every link leads somewhere, and the words are in the glossary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_decisions_are_numbered_without_gaps_and_listed():
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    listed = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for number, decision in enumerate(decisions, start=1):
        assert decision.name.startswith(f"{number:04d}-")
        assert decision.read_text(encoding="utf-8").startswith(f"# {number}. ")
        assert f"adr/{decision.name}" in listed


def test_no_word_of_the_glossary_is_explained_twice():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [word.lower() for word in re.findall(r"\*\*([^*]+)\*\*", text)]
    assert len(words) > 40
    assert len(set(words)) == len(words)


def test_the_first_picture_is_small_enough_to_load_at_once():
    assert (ROOT / "docs" / "pictures" / "demo.jpg").stat().st_size < 300_000
