"""The words of the project are those that the pages promise."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = [
    "setup",
    "demo",
    "format",
    "check",
    "test",
    "test-all",
    "coverage",
    "docs",
    "bench",
    "tables",
    "tables-all",
    "sbom",
]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="There is no make on PATH.")


def make(*arguments: str) -> str:
    # Under `make test` its flags stand in the environment.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFL"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_make_alone_lists_the_words_and_what_they_do():
    lines = [line.split(maxsplit=1) for line in make().splitlines()]
    assert [word for word, _ in lines if word != "help"] == WORDS
    assert all(meaning for _, meaning in lines)


def test_check_edits_nothing():
    recipe = make("--dry-run", "check")
    assert "format --check" in recipe
    assert "--fix" not in recipe


def test_contributing_explains_every_word():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(f"`make {word}`" in page for word in WORDS)


def test_ci_says_the_same_words():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for word in ("check", "test"):
        assert f"run: make {word}\n" in workflow
        assert f"\nmake {word}\n" in script
