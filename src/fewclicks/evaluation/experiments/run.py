"""An experiment carried out: each row an ordinary run, the table written after each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from fewclicks.evaluation.experiments.experiment import Experiment, Row, check_rows
from fewclicks.evaluation.experiments.measured import MeasuredRow
from fewclicks.evaluation.experiments.plots import write_plots
from fewclicks.evaluation.experiments.table import write_tables
from fewclicks.evaluation.run import evaluate

RowsWatcher: TypeAlias = Callable[[str, int, int], None]
"""Told what is measured, how many objects are done over all rows, and of how many."""


def run_experiment(
    experiment: Experiment,
    out: Path,
    *,
    engine: str = "local",
    workers: int = 1,
    threads: int = 1,
    resume: bool = False,
    watch: RowsWatcher = lambda _what, _done, _total: None,
    finished: Callable[[MeasuredRow], None] = lambda _row: None,
) -> list[MeasuredRow]:
    """Measure the rows one after another, and write table and plots.

    Parameters
    ----------
    out
        Folder for the table, the plots and one folder for each row, which holds what
        `fewclicks.evaluation.run.evaluate` writes; with several runs, one folder for each seed
        below it.
    engine, workers, threads, resume
        As there; a row that is done is not measured again.
    watch
        Called after each object.
    finished
        Called after each row.

    Raises
    ------
    FewclicksError
        For a row that cannot be carried out; all are checked before the first is begun.
    """
    check_rows(experiment)
    counter = _Counter(experiment, watch)
    measured: list[MeasuredRow] = []
    for row in experiment.rows:
        results = []
        for plan in row.plans:
            folder = out / row.folder
            if len(row.plans) > 1:
                folder /= f"seed-{plan.seed}"
            counter.begin(row, plan.seed)
            results.append(
                evaluate(
                    plan,
                    folder,
                    engine=engine,
                    workers=workers,
                    threads=threads,
                    resume=resume,
                    watch=counter.count,
                )
            )
        measured.append(MeasuredRow(row=row, results=tuple(results)))
        write_tables(experiment, measured, out)
        finished(measured[-1])
    write_plots(experiment, measured, out)
    return measured


class _Counter:
    """Adds up the objects of all runs; those to come are taken to be as many as in this one."""

    def __init__(self, experiment: Experiment, watch: RowsWatcher) -> None:
        self._rows = [row.name for row in experiment.rows]
        self._runs = {row.name: len(row.plans) for row in experiment.rows}
        self._left = sum(self._runs.values())
        self._before = 0
        self._latest = 0
        self._what = ""
        self._watch = watch

    def begin(self, row: Row, seed: int) -> None:
        self._before += self._latest
        self._latest = 0
        self._left -= 1
        self._what = f"row {self._rows.index(row.name) + 1} of {len(self._rows)}: {row.name}"
        if len(row.plans) > 1:
            self._what += f", seed {seed}"

    def count(self, done: int, total: int) -> None:
        self._latest = total
        self._watch(self._what, self._before + done, self._before + total * (1 + self._left))
