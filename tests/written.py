"""What is written for people to type: commands on pages and in headers of configs, and Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
CONFIGS = sorted((ROOT / "configs").rglob("*.toml"))
SHELLS = ("sh", "bash", "console")
PROGRAMS = ("fewclicks", "make", "pip", "python", "uvicorn", "torchrun", "tensorboard", "docker")
SHELL_WORDS = frozenset({"for", "do", "done"})

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\s*\n(?P<body>.*?)^ *```\s*$", re.S | re.M)
_INLINE = re.compile(rf"`((?:{'|'.join(PROGRAMS)})\s[^`]+)`")
_SYNOPSIS = re.compile(r"^    (fewclicks .+)$", re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command as somebody would type it.

    Parameters
    ----------
    is_whole
        Whether it stands in a block to be typed as it is; what stands within a sentence, or ends
        in dots, may leave out what the sentence is not about.
    variables
        Of the environment, which the command or the lines before it set.
    """

    page: str
    words: tuple[str, ...]
    is_whole: bool
    variables: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def blocks(page: Path) -> Iterator[Block]:
    """Give the fenced blocks of a page, without the indentation of a list."""
    for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
        text = re.sub(rf"^{found['indent']}", "", found["body"], flags=re.M)
        yield Block(page, found["language"], text)


def commands() -> list[Command]:
    """Give every command of the pages and of the configs' headers, once each."""
    found = [command for page in PAGES for command in _on_page(page)]
    found += [command for path in CONFIGS for command in _in_header(path)]
    return list(dict.fromkeys(found))


def split(page: str, text: str, *, is_whole: bool = True) -> Iterator[Command]:
    """Read lines of a shell: continued ones joined, comments and variables before it taken off."""
    exported: dict[str, str] = {}
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        own = dict(exported)
        while words and (words[0] == "export" or re.fullmatch(r"[A-Z_]+=.*", words[0], re.S)):
            name, _, value = words.pop(0).partition("=")
            (exported if line.startswith("export ") else own)[name] = value
        if words and words[0] not in SHELL_WORDS:
            whole = _without_dots(words)
            yield Command(page, tuple(whole), is_whole and whole == words, tuple(own.items()))


def _without_dots(words: list[str]) -> list[str]:
    """Leave out what the reader is to fill in, with the option that it is for."""
    kept: list[str] = []
    for word in words:
        if word not in ("...", "…"):
            kept.append(word)
        elif kept[-1].startswith("--"):
            kept.pop()
    return kept


def _on_page(page: Path) -> Iterator[Command]:
    name = page.relative_to(ROOT).as_posix()
    for block in blocks(page):
        if block.language in SHELLS:
            yield from split(name, block.text)
    rest = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for found in _INLINE.finditer(rest):
        yield from split(name, " ".join(found[1].split()), is_whole=False)
    for found in _SYNOPSIS.finditer(rest):
        yield from split(name, re.sub(r"[][]", "", found[1]), is_whole=False)


def _in_header(path: Path) -> Iterator[Command]:
    name = path.relative_to(ROOT).as_posix()
    header = path.read_text(encoding="utf-8").partition("\n\n")[0]
    lines = [line.removeprefix("#").removeprefix(" ") for line in header.splitlines()]
    typed = "\n".join(line.strip() for line in lines if line.startswith("  "))
    yield from (each for each in split(name, typed) if each.words[0] in PROGRAMS)
    said = " ".join(line for line in lines if not line.startswith("  "))
    for found in _INLINE.finditer(said):
        yield from split(name, found[1], is_whole=False)
