"""`fewclicks export`: what was annotated, in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fewclicks.errors import MissingExtraError, StorageError
from fewclicks.formats.registry import FORMATS


def export(
    project: Annotated[
        Path, typer.Argument(metavar="PROJECT", help="The folder that was annotated.")
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"{', '.join(entry.name for entry in FORMATS)}, or record: every action there "
            "ever was.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    db: Annotated[
        str | None, typer.Option(metavar="URL", help="If it was annotated with --db.")
    ] = None,
    only_done: Annotated[
        bool, typer.Option("--only-done", help="Leave out pictures nobody said are done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write the annotations of a folder for other tools to read."""
    try:
        from fewclicks.web.database import default_url, file_of, open_database
        from fewclicks.web.exchange import RECORD, collect, write_record
        from fewclicks.web.store import Store
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("fewclicks"):
            raise
        raise MissingExtraError("Export", "web") from None
    from fewclicks.formats.registry import export as write

    if only_done and format_name == RECORD:
        raise typer.BadParameter("The record is of all pictures.", param_hint="--only-done")
    folder = project.resolve()
    url = db or default_url(folder)
    file = file_of(url)
    if file is not None and not file.is_file():
        if db is not None:
            raise StorageError(
                f"There is no database {file}; needs the --db that `fewclicks annotate` had."
            )
        raise StorageError(
            f"{project} was never annotated; `fewclicks annotate {project}` begins, or name its "
            "database with --db."
        )
    engine = open_database(url)
    try:
        store = Store(engine, folder, begin=False)
        annotations = collect(store, only_done=only_done)
        if format_name == RECORD:
            written = write_record(store, out)
        else:
            written = write(annotations, format_name, out)
    finally:
        engine.dispose()
    objects = sum(len(picture.objects) for picture in annotations.pictures)
    if as_json:
        import json

        typer.echo(
            json.dumps(
                {
                    "pictures": len(annotations.pictures),
                    "objects": objects,
                    "files": [str(path) for path in written],
                }
            )
        )
        return
    typer.echo(
        f"Wrote {objects} objects of {len(annotations.pictures)} pictures as {format_name} to "
        f"{out} ({len(written)} files)"
    )
