"""`fewclicks evaluate EXPERIMENT.toml`: the rows of a table, one after another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from fewclicks.cli.options import read_pairs

if TYPE_CHECKING:
    from fewclicks.evaluation.experiments.measured import MeasuredRow

_CHOICES: Final = (
    "method",
    "backbone",
    "depth",
    "dataset",
    "rule",
    "jitter",
    "seed",
    "max_clicks",
    "curve",
    "protocol",
    "reference",
    "exemplar",
    "initial_masks",
    "subset",
    "limit",
)
_PAIRS: Final = {
    "settings": "--set",
    "dataset_settings": "--dataset-set",
    "guidance": "--guidance-set",
}
_EVERYWHERE: Final = ("data", "depth_kind", "device")


def evaluate_experiment(path: Path, out: Path, context: typer.Context) -> None:
    """Measure the rows that a file names, with what was typed over what it says."""
    from fewclicks.cli.progress import rows_progress
    from fewclicks.evaluation.experiments.experiment import read_experiment
    from fewclicks.evaluation.experiments.run import run_experiment
    from fewclicks.evaluation.experiments.table import TABLES

    typed = context.params
    everywhere = {key: typed[key] for key in _EVERYWHERE if typed.get(key) is not None}
    experiment = read_experiment(path, overrides=_overrides(context), **everywhere)
    try:
        with rows_progress(experiment.title) as (watch, say):
            measured = run_experiment(
                experiment,
                out,
                engine=typed["engine"],
                workers=typed["workers"],
                threads=typed["threads"],
                resume=typed["resume"],
                watch=watch,
                finished=lambda row: say(_summary(row)),
            )
    except KeyboardInterrupt:
        typer.echo(f"What is done is kept in {out}; --resume goes on.", err=True)
        raise
    if typed["as_json"]:
        rows = [_content(row) for row in measured]
        typer.echo(json.dumps({"experiment": experiment.title, "rows": rows}))
    else:
        typer.echo(f"Wrote {out / TABLES[0]}, {out / TABLES[1]} and the plots.")


def _overrides(context: typer.Context) -> dict[str, Any]:
    """Give what was typed, and not what the options are when nothing is."""
    typed = {
        key: each
        for key, each in context.params.items()
        if (source := context.get_parameter_source(key)) is not None and source.name != "DEFAULT"
    }
    overrides: dict[str, Any] = {key: typed[key] for key in _CHOICES if key in typed}
    for key, option in _PAIRS.items():
        if key in typed:
            overrides[key] = read_pairs(option, typed[key])
    return overrides


def _summary(row: MeasuredRow) -> str:
    noc = "  ".join(f"NoC@{target} {value:.2f}" for target, value in row.noc.items())
    return f"{row.row.name}: {noc}  mIoU@1 {row.miou['1']:.3f}"


def _content(row: MeasuredRow) -> dict[str, Any]:
    plan = row.row.plans[0]
    return {
        "name": row.row.name,
        "method": plan.method,
        "dataset": plan.dataset,
        "rule": plan.rule,
        "protocol": plan.protocol,
        "runs": len(row.results),
        "objects": row.any.objects,
        "noc": row.noc,
        "miou": row.miou,
        "published": dict(row.row.published),
    }
