"""Draw the rooms of the package from its import rules and from what its modules really import.

    .venv/bin/python tools/rooms_picture.py docs/pictures/rooms.svg

Rows are the layers that `make check` holds the house to. Small print says which rooms a room
imports; those that it reaches through one of these are left out.
"""

from __future__ import annotations

import sys
import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
WIDTH, MARGIN, GAP = 1000, 16, 14
ROOM, PIECE, BETWEEN = 66, 32, 12  # heights: of a room, of a piece in one, of the air between rows
SHARE = 1 - 2 * MARGIN / WIDTH  # of the picture's width, for what stands in a room
WHAT = {
    "cli": "one file for each verb",
    "training": "targets, clicks, losses, the loop",
    "web": "the page, the service, the widget",
    "evaluation": "simulated user, scores, reports",
    "proposals": "merge trees, sampling, the store",
    "session": "clicks, undo, redo, objects",
    "datasets": "samples, and loaders by name",
    "formats": "COCO, YOLO, VOC, LabelMe, PNG",
    "methods": "from clicks to a mask, without memory",
    "backbones": "picture to tokens, attention, depth; weights",
    "images": "reading, writing, masks, polygons, overlays",
    "clicks": "Click",
    "files": "whole or not there",
    "json_text": "what others wrote",
    "settings": "from text to fields",
    "ray_cluster": "many machines",
    "arrays": "arrays by name",
    "errors": "the error tree",
}


def layers(container: str) -> list[list[str]]:
    """Read the rows below a package from the import rules, from the top down."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = rules["tool"]["importlinter"]["contracts"]
    (ours,) = (each for each in contracts if each.get("containers") == [container])
    return [[room.strip() for room in layer.split("|")] for layer in ours["layers"]]


def imports(rooms: list[str]) -> set[tuple[str, str]]:
    """Which room imports which, less what follows from the others."""
    graph = grimp.build_graph("fewclicks")
    direct = {
        (upper, lower)
        for upper in rooms
        for lower in rooms
        if upper != lower
        and graph.direct_import_exists(
            importer=f"fewclicks.{upper}", imported=f"fewclicks.{lower}", as_packages=True
        )
    }
    reached = set(direct)
    for middle in rooms:
        reached |= {
            (upper, lower)
            for upper, first in reached
            for second, lower in reached
            if first == second == middle
        }
    follows = {
        (upper, lower)
        for upper, lower in direct
        if any((upper, room) in reached and (room, lower) in reached for room in rooms)
    }
    return direct - follows


def box(x: float, y: float, width: float, height: float, *texts: str) -> str:
    name, *more = texts
    kind = "room" if more else "piece"
    middle = x + width / 2
    place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<rect class="{kind}" {place} rx="7"/>',
        f'<text class="name" x="{middle:.0f}" y="{y + 21:.0f}">{name}</text>',
    ]
    for style, text, down in zip(("what", "uses"), more, (38, 56), strict=bool(more)):
        lines.append(
            f'<text class="{style}" x="{middle:.0f}" y="{y + down:.0f}">{escape(text)}</text>'
        )
    return "\n".join(lines)


def row(names: list[str]) -> list[tuple[float, float]]:
    """Where boxes of one row begin, and how wide they are."""
    width = (WIDTH - 2 * MARGIN - GAP * (len(names) - 1)) / len(names)
    return [(MARGIN + number * (width + GAP), width) for number in range(len(names))]


def draw() -> str:
    """Give the picture as SVG."""
    parts, y, inside = [], float(MARGIN), layers("fewclicks.methods")
    rows = layers("fewclicks")
    uses = imports([name for names in rows for name in names])
    for names in rows:
        height = ROOM + (len(inside) * (PIECE + 8) if names == ["methods"] else 0)
        for name, (x, width) in zip(names, row(names), strict=True):
            used = ", ".join(sorted(lower for upper, lower in uses if upper == name))
            parts.append(box(x, y, width, height, name, WHAT[name], f"imports {used}" * bool(used)))
        if names == ["methods"]:
            parts += pieces_of_methods(inside, y + ROOM)
        y += height + BETWEEN
    height = y - BETWEEN + MARGIN
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    style = (
        "text{font-family:sans-serif;text-anchor:middle;fill:#1c2733}.name{font-weight:bold;"
        "font-size:15px}.what{font-size:12px}.uses{font-size:11px;fill:#5b6b7a}"
        ".room{fill:#eef3f8;stroke:#5b7a99}.piece{fill:#fff;stroke:#9db3c8}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
            "<title>The rooms of fewclicks; each imports only what stands below it</title>",
            f"<style>{style}</style>",
            '<rect width="100%" height="100%" fill="#fff" rx="10"/>',
            *parts,
            "</svg>\n",
        ]
    )


def pieces_of_methods(inside: list[list[str]], top: float) -> list[str]:
    """Draw the families of methods, and what they stand on."""
    return [
        box(MARGIN + x * SHARE, top + number * (PIECE + 8), width * SHARE, PIECE, name)
        for number, names in enumerate(inside)
        for name, (x, width) in zip(names, row(names), strict=True)
    ]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: rooms_picture.py TARGET.svg")
    Path(sys.argv[1]).write_text(draw(), encoding="utf-8")
    print(f"Wrote {sys.argv[1]}")
