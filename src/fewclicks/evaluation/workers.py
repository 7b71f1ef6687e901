"""Pictures shared out over processes, each with its own method.

Workers end when their parent does, however it ends: they hold one end of a pipe whose other end
only the parent has.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from fewclicks.datasets.base import Dataset
from fewclicks.errors import FewclicksError
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.clicking import click_targets
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.protocols.opening import open_targets
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.tasks import PictureTask
from fewclicks.evaluation.threads import limited_threads
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.warm_up import warm_up


class Clicker:
    """All that one process needs to click pictures of a plan."""

    def __init__(self, plan: Plan, method: AnyMethod, dataset: Dataset) -> None:
        self.plan = plan
        self.method = method
        self.dataset = dataset
        self.targets = open_targets(plan, dataset)
        self.user: SimulatedUser = plan.create_user()
        self.depths = plan.depth_files()

    def click(self, task: PictureTask) -> Generator[ObjectRecord, None, None]:
        """Click the task's targets."""
        wanted = set(task.objects)
        targets = [t for t in self.targets.targets(task.picture) if t.sample.id in wanted]
        read_depth = None if self.depths is None else partial(self.depths.read, task.picture)
        return click_targets(
            self.method,
            targets,
            self.user,
            read_depth=read_depth,
            max_clicks=self.plan.max_clicks,
            curve=self.plan.curve,
        )


def click_in_one_process(
    clicker: Clicker, tasks: Sequence[PictureTask], *, threads: int
) -> Generator[ObjectRecord, None, None]:
    """Click one picture after another, and give each object's record when it is done."""
    warm_up(clicker.method, guided=clicker.depths is not None)
    with limited_threads(threads):
        for task in tasks:
            yield from clicker.click(task)


def click_in_processes(
    plan: Plan, tasks: Sequence[PictureTask], *, workers: int, threads: int
) -> Generator[ObjectRecord, None, None]:
    """Click pictures in any order, and give their objects' records when a picture is done.

    Raises
    ------
    FewclicksError
        What a worker ran into, or that one died.
    """
    context = multiprocessing.get_context("spawn")
    lifeline, ours = context.Pipe(duplex=False)
    with ProcessPoolExecutor(
        workers, context, initializer=_start, initargs=(plan, threads, lifeline)
    ) as pool:
        try:
            for done in as_completed([pool.submit(_click, task) for task in tasks]):
                yield from done.result()
        except BrokenProcessPool as error:
            raise FewclicksError(
                "A worker process died, most often for want of memory; --resume with fewer "
                "--workers goes on."
            ) from error
        except BaseException:
            ours.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ours.close()


_clicker: Clicker | None = None
_held = ExitStack()


def _start(plan: Plan, threads: int, lifeline: Connection) -> None:
    global _clicker  # a pool's initialiser has no other way to reach the calls that follow
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    _clicker = Clicker(plan, plan.create_method(), plan.open_dataset())
    warm_up(_clicker.method, guided=_clicker.depths is not None)
    _held.enter_context(limited_threads(threads))


def _click(task: PictureTask) -> list[ObjectRecord]:
    if _clicker is None:
        raise FewclicksError("A worker was asked before it was ready.")
    try:
        return list(_clicker.click(task))
    except FewclicksError as error:
        # Some errors cannot be rebuilt in the parent from their message alone.
        raise FewclicksError(str(error)) from None


def _end_with_parent(lifeline: Any) -> None:
    try:
        lifeline.recv()
    except EOFError:
        os._exit(1)
