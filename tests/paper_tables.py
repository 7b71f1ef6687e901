"""Tables of the papers' texts, where those lie beside the data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data"
PAPERS = Path(os.environ.get("FEWCLICKS_DATA", _BESIDE)).parent / "papers"


def lines_of_table(paper: str, caption: str, *, head: str) -> list[str]:
    """Read the lines between a table's head and the caption below it; skips without the text."""
    path = PAPERS / f"{paper}.txt"
    if not path.is_file():
        pytest.skip(f"No text of the paper at {path}.")
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next(i for i, line in enumerate(lines) if line.startswith(caption))
    start = max(i for i, line in enumerate(lines[:end]) if head in line)
    return lines[start + 1 : end]
