"""A run: the proposals of a folder of pictures, kept shard by shard, taken up where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from fewclicks.errors import InputError, StorageError
from fewclicks.files import check_writable, remove_leftovers
from fewclicks.images.folders import list_pictures
from fewclicks.proposals.plan import Failure, ProposalPlan, Proposer
from fewclicks.proposals.recipe import RECIPE_FILE, Recipe, write_recipe
from fewclicks.proposals.shards import Row, check_pyarrow, list_shards, write_shard
from fewclicks.proposals.store import ProposalStore
from fewclicks.ray_cluster import check_engine

_MOST_ROWS: Final = 256  # of a shard
_LONGEST_UNKEPT: Final = 60.0  # seconds of work that a power cut may cost

Watcher: TypeAlias = Callable[[int, int], None]
"""Told how many pictures are seen to, and of how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What a run did.

    Parameters
    ----------
    done, kept
        Pictures of this run, and those that the store had before.
    failures
        Pictures that could not be read; the next run tries them again.
    seconds, seconds_looking
        Of all, and of the backbone; on a cluster, summed over its workers.
    """

    done: int
    kept: int
    failures: tuple[Failure, ...]
    seconds: float
    seconds_looking: float


def propose(
    plan: ProposalPlan,
    folder: Path,
    out: Path,
    *,
    engine: str = "local",
    workers: int = 2,
    resume: bool = False,
    watch: Watcher = lambda _done, _total: None,
    complain: Callable[[Failure], None] = lambda _failure: None,
) -> Summary:
    """Carry out a plan on every picture of a folder that the store does not have.

    Parameters
    ----------
    folder
        Of pictures, and of folders of them.
    out
        Of the store.
    engine
        ``"local"``: threads of this process. ``"ray"``: processes of a Ray cluster, the one that
        RAY_ADDRESS names, else one that is started for it on this machine.
    workers
        Threads, or processes on this machine.
    resume
        Go on with the store that `out` holds, if there is one.
    watch
        Called once at the start and then as pictures are done.
    complain
        Called with each picture that cannot be read; the others go on.

    Raises
    ------
    FewclicksError
        For a plan that cannot be carried out, or an `out` that holds another store.
    """
    check_pyarrow()
    check_engine(engine)
    if workers < 1:
        raise InputError(f"workers is {workers}; needs 1 or more.")
    pictures = list_pictures(folder)
    proposer = Proposer(plan)
    kept = _open(out, proposer.recipe, resume=resume)
    left = [picture for picture in pictures if picture not in kept]
    already = len(pictures) - len(left)
    watch(already, len(pictures))
    report = _Report(already, len(pictures), watch, complain)
    start = time.perf_counter()
    if engine == "ray":
        from fewclicks.proposals.ray_engine import propose_on_ray

        seconds = looking = 0.0
        for chunk in propose_on_ray(plan, folder, out, left, workers=workers):
            report.add(chunk.done, chunk.failures)
            seconds, looking = seconds + chunk.seconds, looking + chunk.seconds_looking
    else:
        _work_here(proposer, folder, out, left, workers, report.add)
        seconds, looking = time.perf_counter() - start, proposer.seconds_looking
    return Summary(
        done=report.done,
        kept=already,
        failures=tuple(report.failures),
        seconds=seconds,
        seconds_looking=looking,
    )


def _work_here(
    proposer: Proposer,
    folder: Path,
    out: Path,
    pictures: Sequence[str],
    workers: int,
    report: Callable[[int, Sequence[Failure]], None],
) -> None:
    """Keep what is done shard by shard, and also if it is stopped."""
    rows: list[Row] = []
    since = time.monotonic()
    try:
        for result in proposer.attempts(folder, pictures, workers=workers):
            if isinstance(result, Failure):
                report(0, [result])
                continue
            rows.append(result)
            report(1, [])
            if len(rows) >= _MOST_ROWS or time.monotonic() - since >= _LONGEST_UNKEPT:
                full, rows = rows, []
                write_shard(out, proposer.recipe, full)
                since = time.monotonic()
    finally:
        if rows:
            write_shard(out, proposer.recipe, rows)


class _Report:
    """Counts, and passes on."""

    def __init__(
        self, already: int, total: int, watch: Watcher, complain: Callable[[Failure], None]
    ) -> None:
        self.done = 0
        self.failures: list[Failure] = []
        self._already, self._total = already, total
        self._watch, self._complain = watch, complain

    def add(self, done: int, failures: Sequence[Failure]) -> None:
        self.done += done
        for failure in failures:
            self.failures.append(failure)
            self._complain(failure)
        self._watch(self._already + self.done + len(self.failures), self._total)


def _open(out: Path, recipe: Recipe, *, resume: bool) -> frozenset[str]:
    """Make the store, or find what it has."""
    if (out / RECIPE_FILE).is_file():
        if not resume:
            raise StorageError(
                f"{out} holds proposals already; --resume goes on with them, or choose another "
                "folder."
            )
        store = ProposalStore(out)
        recipe.check_same(store.recipe, out)
        remove_leftovers(out)
        return frozenset(store.images)
    if out.is_dir() and list_shards(out):
        raise StorageError(
            f"{out} has shards but no {RECIPE_FILE}, so nobody knows how they were made; choose "
            "another folder."
        )
    check_writable(out / RECIPE_FILE)
    write_recipe(out, recipe)
    return frozenset()
