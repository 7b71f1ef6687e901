"""`fewclicks propose`: regions of every size in unlabelled pictures, for training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fewclicks.cli.options import DeviceName, read_pairs

if TYPE_CHECKING:
    from fewclicks.proposals.run import Summary


def propose(
    images: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of pictures, and of folders of them.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the store.")],
    backbone: Annotated[
        str | None,
        typer.Option(
            help="As listed by `fewclicks backbones`, or a vision transformer; else the built-in."
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="tree (MIS), or its rivals tokencut, dsm and freemask.")
    ] = "tree",
    no_connectivity: Annotated[
        bool, typer.Option("--no-connectivity", help="Merge regions that do not touch, too.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the kind, or of the backbone: backbone.KEY. Repeatable.",
        ),
    ] = None,
    longest_side: Annotated[
        int, typer.Option(min=1, metavar="PIXELS", help="Larger pictures are shrunk to it first.")
    ] = 1024,
    device: DeviceName = None,
    engine: Annotated[
        str, typer.Option(help="local, or ray: the cluster of RAY_ADDRESS, else this machine.")
    ] = "local",
    workers: Annotated[
        int, typer.Option(min=1, help="Threads; with ray on this machine, processes.")
    ] = 2,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a store that was begun.")
    ] = False,
    preview: Annotated[
        int, typer.Option(min=0, help="Draw the first so many pictures into STORE/preview.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Find regions of every size in each picture of a folder, and keep them in a store."""
    from fewclicks.backbones.registry import EMBEDDED_BACKBONE
    from fewclicks.cli.progress import rows_progress
    from fewclicks.proposals.plan import ProposalPlan
    from fewclicks.proposals.run import propose as carry_out

    if no_connectivity and kind != "tree":
        raise typer.BadParameter("is of --kind tree alone.", param_hint="--no-connectivity")
    given = read_pairs("--set", settings)
    if no_connectivity:
        if "connectivity" in given:
            raise typer.BadParameter(
                "says it already; leave --set connectivity out.", param_hint="--no-connectivity"
            )
        given["connectivity"] = "no"
    plan = ProposalPlan(
        backbone=backbone or EMBEDDED_BACKBONE,
        kind=kind,
        settings=given,
        device=device,
        longest_side=longest_side,
    )
    try:
        with rows_progress(f"propose {kind}") as (tell, say):
            summary = carry_out(
                plan,
                images,
                out,
                engine=engine,
                workers=workers,
                resume=resume,
                watch=lambda done, total: tell(f"propose {kind}", done, total),
                complain=lambda failure: say(f"{failure.image}: {failure.reason}"),
            )
    except KeyboardInterrupt:
        typer.echo(f"What is done is kept in {out}; --resume goes on.", err=True)
        raise
    previews = _preview(images, out, preview) if preview else []
    _say(summary, out, previews, as_json=as_json)
    if summary.failures:
        total = summary.done + summary.kept + len(summary.failures)
        typer.echo(
            f"Error: {len(summary.failures)} of {total} pictures cannot be read and were left out.",
            err=True,
        )
        raise typer.Exit(1)


def _preview(images: Path, out: Path, count: int) -> list[Path]:
    from fewclicks.proposals.preview import write_previews
    from fewclicks.proposals.store import ProposalStore

    return write_previews(ProposalStore(out), images, out / "preview", count)


def _say(summary: Summary, out: Path, previews: list[Path], *, as_json: bool) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({**asdict(summary), "previews": [str(path) for path in previews]}))
        return
    typer.echo(f"Wrote proposals of {summary.done} pictures to {out} ({summary.kept} were there)")
    if summary.done:
        share = summary.seconds_looking / max(summary.seconds, 1e-9)
        typer.echo(
            f"{summary.seconds / summary.done:.3f} s a picture, {share:.1%} of it in the backbone"
        )
    if previews:
        typer.echo(f"Drew {len(previews)} pictures in {out / 'preview'}")
