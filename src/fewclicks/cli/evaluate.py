"""`fewclicks evaluate`: measure a method by simulated clicks on a data set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fewclicks.cli.options import (
    BackboneName,
    DepthChoice,
    DepthKindChoice,
    DeviceName,
    MethodName,
    Settings,
    read_pairs,
)

if TYPE_CHECKING:
    from fewclicks.evaluation.clicker import Rule
    from fewclicks.evaluation.result import KindsResult, Result


def evaluate(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="Folder for result.json, and objects.jsonl while it runs.")
    ],
    experiment: Annotated[
        Path | None,
        typer.Argument(
            metavar="[EXPERIMENT.toml]",
            help="Rows of a table, measured one after another; options go over what it says.",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="As listed by `fewclicks datasets list`.")
    ] = None,
    method: MethodName = "default",
    backbone: BackboneName = None,
    depth: DepthChoice = None,
    depth_kind: DepthKindChoice = "inverse",
    device: DeviceName = None,
    settings: Settings = None,
    data: Annotated[
        str | None,
        typer.Option(
            envvar="FEWCLICKS_DATA", help="Folder of data sets, or the data set's own folder."
        ),
    ] = None,
    dataset_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset-set",
            metavar="KEY=VALUE",
            help="How masks are read: masks=labels, threshold, void, min_area; or which pictures "
            "are: split, stems=train_*. Repeatable.",
        ),
    ] = None,
    rule: Annotated[
        str, typer.Option(help="Where the user clicks: ritm, m2n2 or random.")
    ] = "ritm",
    jitter: Annotated[
        float, typer.Option(help="Spread in pixels by which each click misses its aim.")
    ] = 0.0,
    max_clicks: Annotated[int, typer.Option(help="At most, for each object.")] = 20,
    curve: Annotated[
        bool, typer.Option("--curve", help="Click on when the highest target is reached.")
    ] = False,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="noc|combination|collective|additional",
            help="What is asked for: each object; parts and what they make together; all objects "
            "of a category, an exemplar's clicks counted or not.",
        ),
    ] = "noc",
    reference: Annotated[
        str,
        typer.Option(
            metavar="none|positive|negative|both",
            help="Masks of another picture that are given; of protocol combination.",
        ),
    ] = "none",
    exemplar: Annotated[
        str,
        typer.Option(
            metavar="none|golden|automatic",
            help="One object of a category, given or clicked first; of the last two protocols.",
        ),
    ] = "none",
    guidance: Annotated[
        list[str] | None,
        typer.Option(
            "--guidance-set",
            metavar="KEY=VALUE",
            help="How references and exemplars are made: polygon_interval, reference_scale, "
            "satisfied, …; repeatable.",
        ),
    ] = None,
    initial_masks: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A mask for each target, which clicks correct."),
    ] = None,
    subset: Annotated[
        str | None,
        typer.Option(
            metavar="even|odd|PATTERN|FILE",
            help="Every other picture, those whose stems fit 'train_*', or those a file names, one "
            "a line. Of protocol combination also single, pair, whole. With commas between.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="The first targets only.")] = None,
    seed: Annotated[int, typer.Option(help="Of random clicks and of jitter.")] = 0,
    engine: Annotated[
        str, typer.Option(help="local, or ray: the cluster of RAY_ADDRESS, else this machine.")
    ] = "local",
    workers: Annotated[
        int, typer.Option(help="Processes of this machine to share the pictures.")
    ] = 1,
    threads: Annotated[int, typer.Option(help="That each process may use.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a method: simulated clicks on a data set, NoC, NoF, mIoU and seconds."""
    if experiment is not None:
        from fewclicks.cli.experiment import evaluate_experiment

        evaluate_experiment(experiment, out, context)
        return
    if dataset is None:
        raise typer.TyperException("Give --dataset NAME, or the file of an experiment.")
    from fewclicks.cli.progress import progress
    from fewclicks.evaluation.plan import Plan
    from fewclicks.evaluation.result import as_written
    from fewclicks.evaluation.run import RESULT
    from fewclicks.evaluation.run import evaluate as carry_out

    chosen_rule: Rule = rule  # type: ignore[assignment]  # the simulated user checks it
    plan = Plan(
        method=method,
        backbone=backbone,
        depth=depth,
        depth_kind=depth_kind,
        device=device,
        settings=read_pairs("--set", settings),
        dataset=dataset,
        data=data,
        dataset_settings=read_pairs("--dataset-set", dataset_settings),
        rule=chosen_rule,
        jitter=jitter,
        seed=seed,
        max_clicks=max_clicks,
        curve=curve,
        protocol=protocol,  # type: ignore[arg-type]  # the plan checks all three
        reference=reference,  # type: ignore[arg-type]
        exemplar=exemplar,  # type: ignore[arg-type]
        guidance=read_pairs("--guidance-set", guidance),
        initial_masks=initial_masks,
        subset=subset,
        limit=limit,
    )
    try:
        with progress(f"{method} on {dataset}") as watch:
            result = carry_out(
                plan,
                out,
                engine=engine,
                workers=workers,
                threads=threads,
                resume=resume,
                watch=watch,
            )
    except KeyboardInterrupt:
        typer.echo(f"What is done is kept in {out}; --resume goes on.", err=True)
        raise
    if as_json:
        typer.echo(json.dumps(as_written(result)))
    else:
        _print_summary(result)
        typer.echo(f"Wrote {out / RESULT}")


def _print_summary(result: Result) -> None:
    seconds = result.seconds
    asked = "objects" if result.protocol == "noc" else f"targets of protocol {result.protocol}"
    typer.echo(f"{result.objects} {asked}, rule {result.rule}")
    if result.skipped:
        typer.echo(f"{result.skipped} more have no reference and were skipped")
    typer.echo(_figures("NoC", result.noc))
    typer.echo("  ".join(f"NoF@{target} {value}" for target, value in result.nof.items()))
    if result.kinds is not None:
        _print_kinds(result.kinds)
    typer.echo(
        f"mIoU@1 {result.miou['1']:.3f}  seconds: prepare {seconds.prepare:.3f}, "
        f"click {seconds.per_click:.3f}, SPC {seconds.spc:.3f}"
    )


def _print_kinds(kinds: KindsResult) -> None:
    typer.echo(f"{_figures('sum over objects', kinds.noc_sum)}")
    typer.echo(f"{_figures('mean per object', kinds.noc_mean)}")
    typer.echo("  ".join(f"mIoU{k}+ {value:.3f}" for k, value in kinds.miou_plus.items()))


def _figures(name: str, values: Mapping[str, float]) -> str:
    return "  ".join(f"{name}@{target} {value:.2f}" for target, value in values.items())
