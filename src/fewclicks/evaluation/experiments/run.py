"""An experiment carried out: each row an ordinary run, the table written after each."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fewclicks.evaluation.experiments.experiment import Experiment, Row, check_rows
from fewclicks.evaluation.result import Result
from fewclicks.evaluation.run import evaluate

RowsWatcher: TypeAlias = Callable[[str, int, int], None]
"""Told what is measured, how many objects are done over all rows, and of how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRow:
    """A row and what its runs found.

    Parameters
    ----------
    row
        As planned.
    results
        One for each run; at least one.
    """

    row: Row
    results: tuple[Result, ...]

    @property
    def noc(self) -> dict[str, float]:
        """Mean over the runs, by target in per cent."""
        return {key: statistics.fmean(r.noc[key] for r in self.results) for key in self.any.noc}

    @property
    def miou(self) -> dict[str, float]:
        """Mean over the runs, by number of clicks."""
        return {key: statistics.fmean(r.miou[key] for r in self.results) for key in self.any.miou}

    @property
    def any(self) -> Result:
        """The first run, for what all of them share."""
        return self.results[0]

    def figure(self, name: str) -> float | None:
        """Mean over the runs of ``noc85``, ``miou5`` and the like; None if it was not measured."""
        found = [each for result in self.results if (each := _figure(result, name)) is not None]
        return statistics.fmean(found) if found else None

    def spread(self, name: str) -> float | None:
        """Sample standard deviation of a figure over the runs; None for a single run."""
        found = [each for result in self.results if (each := _figure(result, name)) is not None]
        return statistics.stdev(found) if len(found) > 1 else None


def run_experiment(
    experiment: Experiment,
    out: Path,
    *,
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
    workers, threads, resume
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
    from fewclicks.evaluation.experiments.plots import write_plots
    from fewclicks.evaluation.experiments.table import write_tables

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


def _figure(result: Result, name: str) -> float | None:
    kind, number = name[:-2], name[-2:]
    if name.startswith("miou"):
        kind, number = "miou", name.removeprefix("miou")
    values = result.noc if kind == "noc" else result.miou
    return values.get(number)
