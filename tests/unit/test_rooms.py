"""The picture of the rooms, and the page around it, match the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "fewclicks"


@pytest.fixture(scope="module")
def rooms() -> ModuleType:
    specification = importlib.util.spec_from_file_location(
        "rooms_picture", ROOT / "tools" / "rooms_picture.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_picture_shows_what_the_modules_import(rooms: ModuleType):
    stored = (ROOT / "docs" / "pictures" / "rooms.svg").read_text(encoding="utf-8")
    assert rooms.draw() == stored, "run tools/rooms_picture.py docs/pictures/rooms.svg"


def test_every_folder_and_module_of_the_package_is_a_room_in_it(rooms: ModuleType):
    drawn = {name for layer in rooms.layers("fewclicks") for name in layer}
    there = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    there |= {path.stem for path in SOURCE.glob("[!_]*.py")}
    assert drawn == there
    stored = (ROOT / "docs" / "pictures" / "rooms.svg").read_text(encoding="utf-8")
    assert all(f">{name}</text>" in stored for name in there)


def test_every_family_of_methods_is_drawn_and_told(rooms: ModuleType):
    drawn = {name for layer in rooms.layers("fewclicks.methods") for name in layer}
    folders = {path.parent.name for path in (SOURCE / "methods").glob("*/__init__.py")}
    assert folders <= drawn
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert all(f"- **{family}**:" in page for family in folders)


def test_what_follows_from_other_imports_is_left_out(rooms: ModuleType):
    direct = rooms.imports(["session", "methods", "backbones", "images"])
    assert ("session", "methods") in direct
    assert ("methods", "backbones") in direct
    assert ("session", "images") not in direct
