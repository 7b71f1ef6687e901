"""`fewclicks datasets`: which data sets there are, and whether one on disk is whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from fewclicks.datasets.checking import DatasetCheck, PictureCheck
    from fewclicks.datasets.registry import DatasetEntry

app = typer.Typer(help="List data sets, or check one on disk.")

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Say which data sets can be measured on, how large they are, and where they are had."""
    from fewclicks.cli.listing import print_table
    from fewclicks.datasets.registry import DATASETS

    if as_json:
        typer.echo(json.dumps([_facts(entry) for entry in DATASETS]))
        return
    print_table(
        ("name", "pictures", "objects", "what it is", "where it is had"),
        (
            (
                entry.name,
                str(entry.facts.pictures or ""),
                str(entry.facts.objects or ""),
                entry.summary,
                entry.facts.home,
            )
            for entry in DATASETS
        ),
    )


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
        typer.Option(
            "--dataset-set",
            metavar="KEY=VALUE",
            help="How masks are read; what is found is then not compared with what is published.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read every picture and mask of a data set, and name what would stop a run or is missing."""
    from fewclicks.cli.options import read_pairs
    from fewclicks.datasets.checking import check_all
    from fewclicks.datasets.registry import DATASETS, find_dataset, open_dataset

    known = {entry.name for entry in DATASETS}
    by_folder = folder.resolve().name
    entry = find_dataset(dataset or (by_folder if by_folder in known else "folder"))
    chosen = read_pairs("--dataset-set", settings)
    found = check_all(open_dataset(entry.name, folder, **chosen), watch=_tell)
    missing = [] if chosen else found.missing(entry.facts)
    for line in missing:
        typer.echo(line, err=True)
    if as_json:
        typer.echo(json.dumps(_answer(entry, found, missing)))
    else:
        typer.echo(_sentence(entry, found))
        typer.echo(f"data_sha256 {_checksum(found)}")
    if found.problems or missing or not found.objects:
        raise typer.Exit(1)


def _tell(picture: PictureCheck) -> None:
    for problem in picture.problems:
        typer.echo(problem, err=True)


def _facts(entry: DatasetEntry) -> dict[str, Any]:
    return {"name": entry.name, "summary": entry.summary, **asdict(entry.facts)}


def _answer(entry: DatasetEntry, found: DatasetCheck, missing: list[str]) -> dict[str, Any]:
    counts = {name: getattr(found, name) for name in ("pictures", "objects", "parted", "kinds")}
    return {
        "name": entry.name,
        **counts,
        "problems": [*found.problems],
        "missing": missing,
        "data_sha256": _checksum(found),
    }


def _sentence(entry: DatasetEntry, found: DatasetCheck) -> str:
    more = f", {found.parted} objects with parts" if found.parted else ""
    more += f", {found.kinds} categories with several objects" if found.kinds else ""
    return (
        f"{entry.name}: {found.pictures} pictures, {found.objects} objects{more}, "
        f"{len(found.problems)} problems"
    )


def _checksum(found: DatasetCheck) -> str:
    """Name the files as a result would; where some cannot be read, nothing."""
    from fewclicks.errors import StorageError
    from fewclicks.evaluation.tasks import checksum

    try:
        return checksum(found.files)
    except StorageError:
        return ""
