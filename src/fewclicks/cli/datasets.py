"""`fewclicks datasets`: which data sets there are, and whether one on disk is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List data sets, or check one on disk.")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON.")] = False,
) -> None:
    """Say which data sets can be measured on."""
    from fewclicks.datasets.registry import DATASETS

    if as_json:
        import json

        rows = [{"name": entry.name, "summary": entry.summary} for entry in DATASETS]
        typer.echo(json.dumps(rows))
        return
    width = max(len(entry.name) for entry in DATASETS)
    for entry in DATASETS:
        typer.echo(f"{entry.name:{width}}  {entry.summary}")


@app.command()
def check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The data set's own folder, or its parent.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(help="How to read it; by the folder's name, or as `folder`, if left out."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--dataset-set", metavar="KEY=VALUE", help="How masks are read."),
    ] = None,
) -> None:
    """Read every picture and mask of a data set, and name those that would stop a run."""
    from fewclicks.cli.options import read_pairs
    from fewclicks.datasets.checking import check as look_through
    from fewclicks.datasets.registry import DATASETS, open_dataset

    known = {entry.name for entry in DATASETS}
    by_folder = folder.resolve().name
    name = dataset or (by_folder if by_folder in known else "folder")
    pictures = objects = problems = parted = kinds = 0
    for found in look_through(open_dataset(name, folder, **read_pairs("--dataset-set", settings))):
        pictures += 1
        objects += found.objects
        problems += len(found.problems)
        parted += found.parted
        kinds += found.kinds
        for problem in found.problems:
            typer.echo(problem, err=True)
    more = f", {parted} objects with parts" if parted else ""
    more += f", {kinds} categories with several objects" if kinds else ""
    typer.echo(f"{name}: {pictures} pictures, {objects} objects{more}, {problems} problems")
    if problems or not objects:
        raise typer.Exit(1)
