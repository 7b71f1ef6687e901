"""`fewclicks bench`: time stages and whole clicks beside plain versions and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def bench(
    size: Annotated[
        str, typer.Option(metavar="WIDTHxHEIGHT|12mp", help="Of the photograph.")
    ] = "854x480",
    method: Annotated[
        list[str] | None,
        typer.Option(help="Whose clicks are timed, as listed by `fewclicks methods`; repeatable."),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Runs of each after a warm-up; the median counts.")
    ] = 7,
    out: Annotated[Path | None, typer.Option(help="File to write as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Time each stage and whole clicks on one thread, our way and the baseline in one run."""
    import json

    from fewclicks.cli.progress import progress
    from fewclicks.evaluation.speed.run import METHODS, measure, read_size
    from fewclicks.files import write_text

    wanted = read_size(size)
    with progress(f"bench {size}") as watch:
        found = measure(wanted, methods=method or METHODS, repeats=repeats, watch=watch)
    text = json.dumps(found, indent=2)
    if out is not None:
        write_text(out, text + "\n")
    if as_json:
        typer.echo(text)
    else:
        _print_table(found)


def _print_table(found: dict[str, Any]) -> None:
    machine = found["machine"]
    typer.echo(f"{found['width']}x{found['height']}, one thread, {machine['cpu']}")
    for row in found["rows"]:
        if row["megabytes"] is not None:
            typer.echo(f"{row['name']:52} {row['megabytes']:9.0f} MB")
            continue
        line = f"{row['name']:52} {1000 * row['median_s']:9.1f} ms"
        if row["baseline"]:
            line += f"   {row['ratio']:7.1f} x {row['baseline']}"
        if row["max_error"] is not None:
            line += f" (off by {row['max_error']:.0e})"
        typer.echo(line)
