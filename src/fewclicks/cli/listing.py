"""`fewclicks methods` and `fewclicks backbones`: which names there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeAlias

import typer

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print a list as JSON.")]


def methods(as_json: AsJson = False) -> None:
    """List the methods that `--method` takes."""
    from fewclicks.methods.registry import METHODS

    if as_json:
        rows = [
            {
                "name": entry.name,
                "family": entry.family,
                "needs": sorted(entry.needs),
                "trainable": entry.trainable,
                "source": entry.source,
                "parameters": entry.parameters,
            }
            for entry in METHODS
        ]
        typer.echo(json.dumps(rows))
        return
    print_table(
        ("name", "family", "takes", "what it is", "source"),
        (
            (
                entry.name,
                entry.family,
                ", ".join(sorted(entry.takes)),
                entry.summary,
                entry.source,
            )
            for entry in METHODS
        ),
    )


def backbones(as_json: AsJson = False) -> None:
    """List what `--backbone` and `--depth` take."""
    from fewclicks.backbones.registry import BACKBONES, DEPTHS

    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "kind": list(entry.kind),
            "licence": entry.licence,
            "size": entry.size,
            "source": entry.source,
            "found": entry.found(),
        }
        for entry in (*BACKBONES, *DEPTHS)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    print_table(
        ("name", "gives", "licence", "size", "found", "source"),
        (
            (
                row["name"],
                ", ".join(row["kind"]),
                row["licence"],
                _megabytes(row["size"]),
                row["found"] or "to be fetched",
                row["source"],
            )
            for row in rows
        ),
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size else "-"


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people, at the width of their terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a pipe has none, and a table that is searched must not be wrapped
    console.print(table)
