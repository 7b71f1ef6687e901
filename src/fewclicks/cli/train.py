"""`fewclicks train`: train a network of clicks as a TOML file says."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fewclicks.cli.options import DeviceName, Settings, read_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewclicks.training.plan_file import PlannedRow


def train(
    plan: Annotated[
        Path,
        typer.Argument(metavar="CONFIG.toml", help="What is trained; see configs/mis."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for network.safetensors and all else; runs/NAME if left out."),
    ] = None,
    row: Annotated[
        str | None, typer.Option(help="The only row of the file that is trained.")
    ] = None,
    settings: Settings = None,
    data: Annotated[
        str | None, typer.Option(envvar="FEWCLICKS_DATA", help="Folder of data sets.")
    ] = None,
    device: DeviceName = None,
    threads: Annotated[
        int, typer.Option(help="That each process may use; 0 leaves it to torch.")
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Train a network of clicks: from proposals without labels, from masks, or from both.

    Or distil a backbone like the built-in one: see configs/embedded/builtin.toml.

    Several processes share the work under torchrun:
    `torchrun --nproc_per_node=2 -m fewclicks train CONFIG.toml`.
    """
    from fewclicks.backbones.device import check_installed

    check_installed(
        "Training", extra="train", packages=("lightning", "kornia", "tensorboard", "safetensors")
    )
    from fewclicks.training.distillation_file import is_distillation
    from fewclicks.training.plan_file import read_plans

    out = out or Path("runs") / plan.stem
    typed = read_pairs("--set", settings)
    try:
        if is_distillation(plan):
            results = [_distil(plan, out, settings=typed, threads=threads, resume=resume)]
        else:
            rows = read_plans(plan, settings=typed, row=row)
            results = _train_rows(
                rows, out, data=data, device=device or "auto", threads=threads, resume=resume
            )
    except KeyboardInterrupt:
        typer.echo(f"The last checkpoint is kept in {out}; --resume goes on.", err=True)
        raise
    if results and as_json:
        typer.echo(json.dumps({"rows": results}))


def _distil(
    path: Path, out: Path, *, settings: dict[str, str], threads: int, resume: bool
) -> dict[str, Any]:
    """Let a teacher speak of photographs, and a student learn from it."""
    from fewclicks.cli.progress import rows_progress
    from fewclicks.training.distillation import EXPORTED
    from fewclicks.training.distillation_file import read_distillation

    if threads:
        settings = {**settings, "learning.workers": str(threads)}
    plan = read_distillation(path, settings=settings)
    with rows_progress(plan.title) as (show, say):
        last = plan.carry_out(out, resume=resume, watch=show)
        learnt = last.summary if last else "nothing left to learn"
        say(f"{plan.title}: {learnt}  wrote {out / EXPORTED}")
    return {"name": plan.title, **(asdict(last) if last else {})}


def _train_rows(
    rows: list[PlannedRow], out: Path, *, data: str | None, device: str, threads: int, resume: bool
) -> list[dict[str, Any]]:
    """Train one row after another; the first process alone has results to show."""
    from fewclicks.cli.progress import rows_progress
    from fewclicks.training.run import NETWORK, close, launch, set_threads, train

    set_threads(threads)
    results = []
    with rows_progress(rows[0].plan.title) as (show, say):
        for each in rows:
            fabric = launch(each.plan.run.precision, device)
            is_first = fabric.global_rank == 0
            title = each.name or each.plan.title
            folder = out / each.folder
            result = train(
                each.plan,
                folder,
                data=data,
                resume=resume,
                fabric=fabric,
                watch=_watcher(title, show) if is_first else lambda _done, _total, _loss: None,
            )
            if is_first:
                say(_summary(title, result, folder / NETWORK))
                results.append({"name": title, **result})
    close(fabric)
    return results


def _watcher(
    title: str, show: Callable[[str, int, int], None]
) -> Callable[[int, int, float], None]:
    return lambda done, total, loss: show(f"{title}: loss {loss:.3f}", done, total)


def _summary(title: str, result: dict[str, Any], network: Path) -> str:
    measured = result["measured"]
    noc = "  ".join(
        f"NoC@{target} {measured[f'noc{target}']:.2f}"
        for target in (85, 90)
        if f"noc{target}" in measured
    )
    return f"{title}: {result['steps']} steps  {noc}  wrote {network}"
