"""Rows: one thing timed, by itself or beside a baseline in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_BASELINE_RUNS = 3  # at most: some take seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Seconds:
    """Of several runs after a warm-up.

    Parameters
    ----------
    median_s, spread_s
        On the clock; the spread is the slowest run's less the fastest's.
    cpu_s
        Median of what the process worked, which other programs disturb less.
    """

    median_s: float
    cpu_s: float
    spread_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of a benchmark.

    Parameters
    ----------
    name
        What was timed.
    median_s, cpu_s, spread_s
        See `Seconds`; none where memory was measured.
    baseline
        What it is compared with, if anything.
    ratio
        How many times as long the baseline works, in processor seconds.
    max_error
        Largest difference from the baseline, as a share of its largest value.
    mean_error
        The same in the mean.
    megabytes
        Largest memory of a process of its own.
    """

    name: str
    median_s: float | None = None
    cpu_s: float | None = None
    spread_s: float | None = None
    baseline: str | None = None
    ratio: float | None = None
    max_error: float | None = None
    mean_error: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Something to be timed.

    Parameters
    ----------
    name, baseline
        As they stand in the row.
    ours, theirs
        Do it once; without ``theirs`` there is no baseline.
    errors
        Of what ours gives from what theirs gives, the largest and the mean; none where the two
        do not do the same.
    """

    name: str
    ours: Callable[[], Any]
    baseline: str | None = None
    theirs: Callable[[], Any] | None = None
    errors: Callable[[Any, Any], tuple[float, float]] | None = None


def time_stage(stage: Stage, repeats: int) -> Row:
    """Run a stage and its baseline, one after the other."""
    ours, given = _timed(stage.ours, repeats)
    if stage.theirs is None:
        return Row(
            name=stage.name, median_s=ours.median_s, cpu_s=ours.cpu_s, spread_s=ours.spread_s
        )
    theirs, expected = _timed(stage.theirs, min(repeats, _BASELINE_RUNS))
    most, mean = stage.errors(given, expected) if stage.errors else (None, None)
    return Row(
        name=stage.name,
        median_s=ours.median_s,
        cpu_s=ours.cpu_s,
        spread_s=ours.spread_s,
        baseline=stage.baseline,
        ratio=round(theirs.cpu_s / max(ours.cpu_s, 1e-6), 2),
        max_error=most,
        mean_error=mean,
    )


def _timed(work: Callable[[], Any], repeats: int) -> tuple[Seconds, Any]:
    """Time some runs, and keep what the warm-up gave."""
    given = work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    seconds = Seconds(
        median_s=round(statistics.median(walls), 6),
        cpu_s=round(statistics.median(cpus), 6),
        spread_s=round(max(walls) - min(walls), 6),
    )
    return seconds, given
