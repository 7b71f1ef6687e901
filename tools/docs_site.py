"""What the docs site adds to its pages as it is built; see `hooks` in mkdocs.yml.

Links that leave `docs/` lead to the repository; the command line is described by the program
itself; stored results become tables.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RESULTS = ROOT / "benchmarks" / "results"
COMMAND_LINE, STORED_RESULTS = "<!-- command line -->", "<!-- stored results -->"


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001
    """Complete a page before it is turned into HTML."""
    source = DOCS / page.file.src_uri
    completed = lead_outside(markdown, source, config["extra"]["repository"])
    if COMMAND_LINE in completed:
        completed = completed.replace(COMMAND_LINE, "\n".join(describe_verbs()))
    if STORED_RESULTS in completed:
        completed = completed.replace(STORED_RESULTS, "\n".join(describe_results(RESULTS)))
    return completed


def lead_outside(markdown: str, source: Path, repository: str) -> str:
    """Let links to files of the repository outside ``docs/`` lead to its home."""

    def led(found: re.Match[str]) -> str:
        path, _, anchor = found[1].partition("#")
        target = Path(os.path.normpath(source.parent / path))
        if not target.is_relative_to(ROOT) or target.is_relative_to(DOCS):
            return found[0]
        kind = "tree" if target.is_dir() else "blob"
        place = target.relative_to(ROOT).as_posix()
        return f"]({repository}/{kind}/main/{place}{anchor and '#' + anchor})"

    return re.sub(r"\]\((\.\./[^)\s]+)\)", led, markdown)


def describe_verbs() -> Iterator[str]:
    """Say of each verb what it does, and of each option what it means."""
    import typer.main

    from fewclicks.cli.app import app

    yield from _describe("fewclicks", typer.main.get_command(app), depth=2)


def _describe(name: str, command: Any, depth: int) -> Iterator[str]:
    verbs = getattr(command, "commands", None)
    if verbs is not None:
        for verb, each in verbs.items():
            yield from _describe(f"{name} {verb}", each, depth)
        return
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    places = " ".join(one.metavar or one.name.upper() for one in arguments)
    yield from (f"{'#' * depth} {name}", "", command.help or "", "")
    yield from ("```text", f"{name} {places}".rstrip() + " [OPTIONS]", "```", "")
    yield from ("| option | |", "| --- | --- |")
    for one in command.params:
        if one.param_type_name == "argument":
            place = (one.metavar or one.name.upper()).replace("|", "&#124;")
            called = f"<code>{place}</code>"
        else:
            called = ", ".join(f"`{option}`" for option in one.opts)
        needed = " Needed." if one.required else ""
        meaning = (one.help or "").replace("|", "\\|").replace("<", "&lt;")
        yield f"| {called} | {meaning}{needed} |"
    yield ""


def describe_results(folder: Path) -> Iterator[str]:
    """Make a section of each stored result, its table first and its machine below."""
    for path in sorted(folder.rglob("*.json")):
        stored = json.loads(path.read_text(encoding="utf-8"))
        yield from (f"## {path.relative_to(folder).with_suffix('').as_posix()}", "")
        yield from _facts(stored)
        for title, rows in _tables(stored):
            yield from _table(title, rows)
        yield from _machine(stored.get("machine") or {})


def _facts(stored: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in stored.items() if _is_plain(value)}
    if plain:
        yield "; ".join(f"{_words(key)}: {_figure(value)}" for key, value in plain.items()) + "."
        yield ""


def _tables(stored: Any, title: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Find whatever has rows: a list of records, or records by name."""
    if isinstance(stored, list):
        records = [one for one in stored if isinstance(one, dict)]
        flat = [{key: value for key, value in one.items() if _is_plain(value)} for one in records]
        if any(flat):
            yield title, flat
        for one, own in zip(records, flat, strict=True):
            below = "; ".join(f"{_words(key)}: {_figure(value)}" for key, value in own.items())
            for key, value in one.items():
                if not _is_plain(value):
                    yield from _tables(value, f"{_words(key)} ({below})" if below else _words(key))
    elif isinstance(stored, dict):
        named = {key: value for key, value in stored.items() if isinstance(value, dict)}
        named.pop("machine", None)
        if named and all(all(_is_plain(one) for one in value.values()) for value in named.values()):
            yield title, [{"": key, **value} for key, value in named.items()]
            named = {}
        for key, value in stored.items():
            if key in named or isinstance(value, list):
                yield from _tables(value, _words(key))


def _table(title: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if title:
        yield from (f"**{title}**", "")
    yield f"| {' | '.join(_words(column) for column in columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    for row in rows:
        yield f"| {' | '.join(_figure(row.get(column)) for column in columns)} |"
    yield ""


def _machine(machine: Mapping[str, Any]) -> Iterator[str]:
    if machine:
        versions = machine.get("versions") or {}
        told = [f"{machine.get('cpu', 'a CPU')}, {machine.get('cores', '?')} cores"]
        told += [f"{name} {version}" for name, version in versions.items()]
        yield from (f"On {', '.join(told)}.", "")


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _words(key: str) -> str:
    return key.replace("_", " ")


def _figure(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class OptionalNames(griffe.Extension):
    """Reads ``depth, optional`` in a docstring as the name alone; the annotation has the type."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Take the word off before the docstring is parsed."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^(\w+), optional$", r"\1", obj.docstring.value)
