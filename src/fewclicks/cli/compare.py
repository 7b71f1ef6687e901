"""`fewclicks compare`: two methods on the same objects, paired, with an interval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fewclicks.evaluation.reports.comparing import Compared


def compare(
    first: Annotated[
        Path,
        typer.Argument(metavar="A", help="A result.json, or a folder of results, one a data set."),
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="The same, of the other method.")],
    target: Annotated[
        int, typer.Option(help="IoU in per cent that clicks are counted to: 80, 85, 90 or 95.")
    ] = 90,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page, Markdown, CSV and difference bars.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two results object by object: clicks and IoU, with 95 % bootstrap intervals."""
    from fewclicks.evaluation.reports.comparing import as_content, write_comparison
    from fewclicks.evaluation.reports.comparing import compare as carry_out

    compared = carry_out(first, second, target=target)
    written = [] if out is None else write_comparison(compared, out)
    if as_json:
        typer.echo(json.dumps(as_content(compared)))
        return
    _print(compared)
    for path in written:
        typer.echo(f"Wrote {path}")


def _print(compared: Compared) -> None:
    from fewclicks.evaluation.reports.paired import in_words

    for each in compared.comparisons:
        typer.echo(f"{each.place}, {each.objects} objects")
        for sentence in in_words(each):
            typer.echo(f"  {sentence}")
        for found in each.differences:
            digits = 2 if found.is_clicks else 3
            interval = f"{found.interval.low:+.{digits}f} to {found.interval.high:+.{digits}f}"
            typer.echo(
                f"  {found.figure:8} {found.first:.{digits}f} against {found.second:.{digits}f}: "
                f"{found.mean:+.{digits}f} ({interval}); better, equal, worse: "
                f"{found.better}, {found.equal}, {found.worse}"
            )
        for note in each.notes:
            typer.echo(f"  {note}")
    if compared.alone:
        typer.echo(f"Without a partner: {'; '.join(compared.alone)}.", err=True)
