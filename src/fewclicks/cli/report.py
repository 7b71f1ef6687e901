"""`fewclicks report`: results in one page and one table, beside the published rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT.json...", help="Written by `fewclicks evaluate`."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the page, the tables and the plots.")],
    data: Annotated[
        str | None,
        typer.Option(
            envvar="FEWCLICKS_DATA",
            help="Folder of data sets; with it the best and worst cases are shown click by click.",
        ),
    ] = None,
    cases: Annotated[
        int, typer.Option(min=0, help="Best ones, and worst ones, of each result.")
    ] = 3,
) -> None:
    """Set results side by side: a page that stands alone (HTML), Markdown, CSV and plots."""
    from fewclicks.cli.progress import progress
    from fewclicks.evaluation.reports.report import write_report

    with progress("Drawing cases") as watch:
        written = write_report(results, out, data=data, cases=cases, watch=watch)
    for path in written:
        typer.echo(f"Wrote {path}")
