"""A run: every object of a plan clicked, kept in a journal, and summed up."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.kinds import object_result, sum_up_kinds
from fewclicks.evaluation.machine import describe_machine
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.processes import click_in_processes
from fewclicks.evaluation.protocols.opening import open_targets
from fewclicks.evaluation.records import Journal, ObjectRecord
from fewclicks.evaluation.result import Result, Seconds, read_result, write_result
from fewclicks.evaluation.scores import score
from fewclicks.evaluation.tasks import PictureTask, checksum, choose_tasks, depth_checksum
from fewclicks.evaluation.workers import Clicker, click_in_one_process
from fewclicks.files import remove_leftovers
from fewclicks.ray_cluster import check_engine

JOURNAL: Final = "objects.jsonl"
RESULT: Final = "result.json"

Watcher: TypeAlias = Callable[[int, int], None]
"""Told how many objects are done, and of how many."""


def evaluate(
    plan: Plan,
    out: Path,
    *,
    engine: str = "local",
    workers: int = 1,
    threads: int = 1,
    resume: bool = False,
    watch: Watcher = lambda _done, _total: None,
) -> Result:
    """Carry out a plan and write ``result.json``.

    Each object is kept as soon as it is done, so that a run that was stopped goes on where it was.

    Parameters
    ----------
    out
        Folder for ``objects.jsonl`` and ``result.json``.
    engine
        ``"local"``: processes of this machine. ``"ray"``: those of a Ray cluster, the one that
        RAY_ADDRESS names, else one that is started for it here.
    workers
        Processes on this machine; they change nothing but the time.
    threads
        That each process may use.
    resume
        Go on with the run that `out` holds, if there is one.
    watch
        Called once at the start and after each object.

    Raises
    ------
    FewclicksError
        For a plan that cannot be carried out, or an `out` that holds another run.
    """
    check_engine(engine)
    if workers < 1 or threads < 1:
        raise InputError(f"workers is {workers} and threads {threads}; both need 1 or more.")
    dataset, method = plan.open_dataset(), plan.create_method()
    chosen = choose_tasks(plan, open_targets(plan, dataset))
    tasks = chosen.pictures
    pictures, depths = [task.picture for task in tasks], plan.depth_files()
    run = plan.describe(
        method,
        checksum(chosen.files),
        None if depths is None else depth_checksum(depths, pictures),
    )
    ids = [id_ for task in tasks for id_ in task.objects]
    with Journal(out / JOURNAL, run, resume=resume) as journal:
        remove_leftovers(out)
        done = {record.id: record for record in journal.records}
        watch(len(done), len(ids))
        open_tasks = [task.without(frozenset(done)) for task in tasks]
        open_tasks = [task for task in open_tasks if task.objects]
        if open_tasks:
            if engine == "local" and workers == 1:
                clicker = Clicker(plan, method, dataset)
                records = click_in_one_process(clicker, open_tasks, threads=threads)
            else:
                del method  # each worker has its own
                count = min(workers, len(open_tasks))
                records = _share_out(engine, plan, open_tasks, workers=count, threads=threads)
            with closing(records):
                for record in records:
                    journal.append(record)
                    done[record.id] = record
                    watch(len(done), len(ids))
        else:
            with suppress(StorageError, InputError):
                return read_result(out / RESULT)  # it names the machine that did the work
    machine = describe_machine(engine=engine, workers=workers, threads=threads)
    skipped = chosen.skipped if plan.protocol == "combination" else None
    in_order = [done[id_] for id_ in ids]
    result = summarise(run, in_order, plan.max_clicks, machine, skipped=skipped)
    write_result(out / RESULT, result)
    return result


def _share_out(
    engine: str, plan: Plan, tasks: Sequence[PictureTask], *, workers: int, threads: int
) -> Generator[ObjectRecord, None, None]:
    if engine == "ray":
        from fewclicks.evaluation.ray_engine import click_on_ray

        return click_on_ray(plan, tasks, workers=workers, threads=threads)
    return click_in_processes(plan, tasks, workers=workers, threads=threads)


def summarise(
    run: dict[str, Any],
    records: Sequence[ObjectRecord],
    max_clicks: int,
    machine: dict[str, Any],
    *,
    skipped: int | None = None,
) -> Result:
    """Sum up the records of a run, given in the data set's order."""
    own = [record for record in records if record.part_of is None]
    scores = score(
        [record.ious for record in own],
        [record.picture for record in own],
        max_clicks=max_clicks,
        starts=[record.start_iou for record in own],
    )
    of_kinds = run["protocol"] in ("collective", "additional")
    return Result(
        **run,
        objects=len(own),
        skipped=skipped,
        kinds=sum_up_kinds(records, max_clicks) if of_kinds else None,
        **asdict(scores),
        seconds=_seconds(records),
        machine=machine,
        per_object=[object_result(record, of_kinds=of_kinds) for record in own],
    )


def _seconds(records: Sequence[ObjectRecord]) -> Seconds:
    preparations = [r.prepare_seconds for r in records if r.prepare_seconds is not None]
    clicks = max(1, sum(len(record.clicks) for record in records))
    return Seconds(
        prepare=sum(preparations) / max(1, len(preparations)),
        per_click=sum(record.click_seconds for record in records) / clicks,
        spc=sum(record.elapsed_seconds for record in records) / clicks,
    )
