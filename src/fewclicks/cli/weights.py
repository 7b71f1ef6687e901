"""`fewclicks weights`: which weights there are, and those on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer

from fewclicks.cli.options import Settings, read_pairs

app = typer.Typer(help="List, fetch, verify, delete or export the weights of networks.")

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Names: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="NAME...", help="As listed, or any hub id (owner/name).")
]
SomeNames: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="As listed, or any hub id.")
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Say which weights there are, where they lie, and where fetched ones are kept."""
    from fewclicks.backbones.fetching import begun, known
    from fewclicks.backbones.verifying import is_recorded
    from fewclicks.backbones.weights import find_on_disk, weights_folder

    rows: list[dict[str, Any]] = []
    for weights in known():
        found = find_on_disk(weights)
        rows.append(
            {
                "name": weights.name,
                "kind": weights.kind,
                "size": weights.size,
                "licence": weights.licence,
                "source": weights.source,
                "found": None if found is None else str(found),
                "verified": None if found is None else is_recorded(found),
                "begun": begun(weights),
            }
        )
    if as_json:
        typer.echo(json.dumps({"folder": str(weights_folder()), "weights": rows}))
        return
    from fewclicks.cli.listing import print_table

    checked = {True: "yes", False: "no", None: "-"}
    print_table(
        ("name", "kind", "size", "licence", "verified", "found"),
        (
            (
                row["name"],
                row["kind"],
                f"{row['size'] / 1e6:.0f} MB" if row["size"] else "-",
                row["licence"] or "-",
                checked[row["verified"]],
                row["found"] or _still_to_fetch(row["begun"]),
            )
            for row in rows
        ),
    )
    typer.echo(f"Fetched weights are kept in {weights_folder()}")


@app.command()
def fetch(
    names: Names,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="A folder, a hub id (owner/name, with @revision if need be), or the address of "
            "another hub with one; else by FEWCLICKS_MIRROR and the table.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring weights to this machine: safetensors only, checked, going on where it stopped."""
    from fewclicks.backbones.fetching import fetch as bring
    from fewclicks.backbones.verifying import problems
    from fewclicks.backbones.weights import find_on_disk, find_weights
    from fewclicks.cli.progress import progress

    if source is not None and len(names) > 1:
        raise typer.BadParameter("holds one set of weights; needs one NAME.", param_hint="--from")
    rows = []
    for weights in [find_weights(name) for name in names]:
        here = None if source else find_on_disk(weights)
        fetched = here is None or bool(problems(weights, here))
        if fetched:
            with progress(f"{weights.name}, MB") as watch:
                here = bring(weights, source=source, watch=_in_megabytes(watch))
        rows.append({"name": weights.name, "folder": str(here), "fetched": fetched})
        if not as_json:
            typer.echo(f"{weights.name}: {'fetched to' if fetched else 'already at'} {here}")
    if as_json:
        typer.echo(json.dumps(rows))


@app.command()
def verify(names: SomeNames = None, as_json: AsJson = False) -> None:
    """Read every byte of weights again and name what is wrong; all that are found by default."""
    from fewclicks.backbones.fetching import known
    from fewclicks.backbones.verifying import problems
    from fewclicks.backbones.weights import find_on_disk, find_weights, locate

    chosen = [find_weights(name) for name in names] if names else known()
    rows: list[dict[str, Any]] = []
    for weights in chosen:
        found = locate(weights.name) if names else find_on_disk(weights)
        if found is None:
            continue
        wrong = problems(weights, found)
        rows.append({"name": weights.name, "folder": str(found), "problems": wrong})
        if not as_json:
            for problem in wrong:
                typer.echo(
                    f"{weights.name}: {problem}. Fetch anew with: "
                    f"fewclicks weights fetch {weights.name}",
                    err=True,
                )
            if not wrong:
                typer.echo(f"{weights.name}: whole, {found}")
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("No weights are on this machine.")
    if any(row["problems"] for row in rows):
        raise typer.Exit(1)


@app.command()
def clean(
    names: SomeNames = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were fetched.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete fetched weights, whole or begun, from our own cache."""
    from fewclicks.backbones.fetching import clean as delete
    from fewclicks.backbones.weights import find_weights, weights_folder

    if bool(names) == everything:
        raise typer.BadParameter(
            "Needs either names, as listed by `fewclicks weights list`, or --all."
        )
    freed = delete(None if everything else [find_weights(name) for name in names or []])
    if as_json:
        typer.echo(json.dumps({"folder": str(weights_folder()), "freed": freed}))
        return
    for name, size in freed.items():
        typer.echo(f"{name}: {size / 1e6:.1f} MB")
    typer.echo(f"{sum(freed.values()) / 1e6:.1f} MB freed in {weights_folder()}")


@app.command()
def export(
    name: Annotated[
        str, typer.Argument(help="A method with a network of its own, or the backbone `builtin`.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files and their card.")],
    format_: Annotated[Literal["onnx"], typer.Option("--format", help="Of the files.")] = "onnx",
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Write a network for programs that have no torch; this one runs it too."""
    from fewclicks.backbones.registry import EMBEDDED_BACKBONE

    given = read_pairs("--set", settings)
    if name == EMBEDDED_BACKBONE:
        from fewclicks.backbones.builtin_export import export_builtin

        if given:
            raise typer.BadParameter(f"'{name}' has none when exported.", param_hint="--set")
        folder = export_builtin(out).parent
    else:
        folder = _export_method(name, out, given)
    files = {file.name: file.stat().st_size for file in sorted(folder.glob(f"*.{format_}"))}
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": files}))
        return
    for file, size in files.items():
        typer.echo(f"{file}: {size / 1e6:.1f} MB")
    typer.echo(f"{name}: exported to {folder}; README.md there says what goes in and comes out")


def _export_method(name: str, folder: Path, settings: dict[str, str]) -> Path:
    from fewclicks.errors import InputError
    from fewclicks.methods.registry import create_method, find_method

    export_onnx = None
    if find_method(name).family == "transformer":
        export_onnx = getattr(create_method(name, **settings), "export_onnx", None)
    if export_onnx is None:
        raise InputError(
            f"'{name}' has no network that can be exported; needs simpleclick, icmformer, "
            "icmformer_swin, or the backbone builtin."
        )
    export_onnx(folder)
    return folder


def _in_megabytes(watch: Callable[[int, int], None]) -> Callable[[int, int], None]:
    return lambda done, total: watch(done // 10**6, total // 10**6)


def _still_to_fetch(begun: int) -> str:
    return f"begun, {begun / 1e6:.0f} MB here" if begun else "to be fetched"
