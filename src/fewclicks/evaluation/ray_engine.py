"""Pictures shared out over a Ray cluster, each of whose processes keeps its own method."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import FewclicksError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.sharing import Shares
from fewclicks.evaluation.tasks import PictureTask
from fewclicks.evaluation.workers import Clicker
from fewclicks.ray_cluster import WorkerDied, fetch, ray_cluster

_WAITING: Final = 2  # pictures for each core, so that none is idle and a cluster sees it may grow


def click_on_ray(
    plan: Plan, tasks: Sequence[PictureTask], *, workers: int, threads: int
) -> Generator[ObjectRecord, None, None]:
    """Click pictures in any order, and give each object's record when it is done.

    Parameters
    ----------
    workers
        Processes, where the cluster is started here; one that RAY_ADDRESS names has its own.
    threads
        That each may use; it claims as many cores.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    FewclicksError
        What a worker ran into, or that a picture killed its workers again and again.
    """
    with ray_cluster(workers * threads) as ray:
        yield from _share_out(ray, plan, tasks, threads)


def _share_out(
    ray: Any, plan: Plan, tasks: Sequence[PictureTask], threads: int
) -> Generator[ObjectRecord, None, None]:
    gpus = 1 if plan.device == "cuda" else 0
    # Ray would repeat what a dead worker had done of a picture; we ask for the rest of it alone.
    click = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=0, num_returns="streaming")(
        click_task
    )
    shares = Shares(tasks, workers=_cores(ray))
    running: dict[Any, PictureTask] = {}
    while True:
        while len(running) < _WAITING * _cores(ray) and (task := shares.hand_out()) is not None:
            running[click.remote(plan, task, threads=threads, home=Path.cwd())] = task
        if not running:
            break
        (answering,), _ = ray.wait(list(running), num_returns=1)
        try:
            record = fetch(ray, next(answering))
        except StopIteration:
            del running[answering]
        except WorkerDied:
            shares.take_back(running.pop(answering))
        else:
            running[answering] = shares.count(running[answering], record)
            yield record
    shares.finish()


def _cores(ray: Any) -> int:
    """Of the whole cluster, as it is now."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def click_task(
    plan: Plan, task: PictureTask, *, threads: int, home: Path
) -> Generator[ObjectRecord, None, None]:
    """Click one picture; what a worker runs.

    Parameters
    ----------
    home
        What the plan's paths are relative to.
    """
    with suppress(OSError):  # a plan of absolute paths alone needs no such folder there
        os.chdir(home)
    try:
        yield from _clicker(plan, threads).click(task)
    except FewclicksError as error:
        # Some errors cannot be rebuilt at home from their message alone.
        raise FewclicksError(str(error)) from None


_ready: tuple[tuple[Plan, int], Clicker] | None = None


def _clicker(plan: Plan, threads: int) -> Clicker:
    """Keep the last one: a worker clicks many pictures, and loads its network once."""
    global _ready  # a worker has no other place that outlives a picture
    if _ready is None or _ready[0] != (plan, threads):
        _ready = (plan, threads), Clicker.hire(plan, threads=threads)
    return _ready[1]
