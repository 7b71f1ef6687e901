"""A run: every object of a plan clicked, kept in a journal, and summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.machine import describe_machine
from fewclicks.evaluation.plan import Plan, checksum, depth_checksum, list_tasks
from fewclicks.evaluation.records import Journal, ObjectRecord
from fewclicks.evaluation.result import ObjectResult, Result, Seconds, read_result, write_result
from fewclicks.evaluation.scores import score
from fewclicks.evaluation.workers import Clicker, click_in_one_process, click_in_processes

JOURNAL: Final = "objects.jsonl"
RESULT: Final = "result.json"

Watcher: TypeAlias = Callable[[int, int], None]
"""Told how many objects are done, and of how many."""


def evaluate(
    plan: Plan,
    out: Path,
    *,
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
    workers
        Processes; they change nothing but the time.
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
    if workers < 1 or threads < 1:
        raise InputError(f"workers is {workers} and threads {threads}; both need 1 or more.")
    dataset, method = plan.open_dataset(), plan.create_method()
    tasks = list_tasks(plan, dataset)
    pictures, depths = [task.picture for task in tasks], plan.depth_files()
    run = plan.describe(
        method,
        checksum(dataset, pictures),
        None if depths is None else depth_checksum(depths, pictures),
    )
    ids = [id_ for task in tasks for id_ in task.objects]
    with Journal(out / JOURNAL, run, resume=resume) as journal:
        done = {record.id: record for record in journal.records}
        watch(len(done), len(ids))
        open_tasks = [task.without(frozenset(done)) for task in tasks]
        open_tasks = [task for task in open_tasks if task.objects]
        if workers == 1:
            clicker = Clicker(plan, method, dataset)
            records = click_in_one_process(clicker, open_tasks, threads=threads)
        else:
            del method
            count = min(workers, len(open_tasks))
            records = click_in_processes(plan, open_tasks, workers=count, threads=threads)
        if open_tasks:
            with closing(records):
                for record in records:
                    journal.append(record)
                    done[record.id] = record
                    watch(len(done), len(ids))
        else:
            with suppress(StorageError, InputError):
                return read_result(out / RESULT)  # it names the machine that did the work
    machine = describe_machine(workers=workers, threads=threads)
    result = summarise(run, [done[id_] for id_ in ids], plan.max_clicks, machine)
    write_result(out / RESULT, result)
    return result


def summarise(
    run: dict[str, Any], records: Sequence[ObjectRecord], max_clicks: int, machine: dict[str, Any]
) -> Result:
    """Sum up the records of a run, given in the data set's order."""
    scores = score(
        [record.ious for record in records],
        [record.picture for record in records],
        max_clicks=max_clicks,
    )
    return Result(
        **run,
        objects=len(records),
        **asdict(scores),
        seconds=_seconds(records),
        machine=machine,
        per_object=[
            ObjectResult(id=record.id, ious=list(record.ious), clicks=list(record.clicks))
            for record in records
        ],
    )


def _seconds(records: Sequence[ObjectRecord]) -> Seconds:
    preparations = [r.prepare_seconds for r in records if r.prepare_seconds is not None]
    clicks = max(1, sum(len(record.clicks) for record in records))
    return Seconds(
        prepare=sum(preparations) / max(1, len(preparations)),
        per_click=sum(record.click_seconds for record in records) / clicks,
        spc=sum(record.elapsed_seconds for record in records) / clicks,
    )
