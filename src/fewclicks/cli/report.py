"""`fewclicks report`: results in one table, beside the published rows, with their curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT.json...", help="Written by `fewclicks evaluate`."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the table and the plots.")],
) -> None:
    """Set results side by side: a table (Markdown, CSV) and IoU-per-click plots."""
    from fewclicks.evaluation.report import write_report

    for path in write_report(results, out):
        typer.echo(f"Wrote {path}")
