"""Workers: what a process needs to click pictures of a plan."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final, Self

from fewclicks.datasets.base import Dataset
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.clicking import click_targets
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.protocols.opening import open_targets
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.tasks import PictureTask
from fewclicks.evaluation.threads import limited_threads
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.warm_up import warm_up

_held: Final = ExitStack()
"""Limits of a process that does nothing but click."""


class Clicker:
    """All that one process needs to click pictures of a plan."""

    def __init__(self, plan: Plan, method: AnyMethod, dataset: Dataset) -> None:
        self.plan = plan
        self.method = method
        self.dataset = dataset
        self.targets = open_targets(plan, dataset)
        self.user: SimulatedUser = plan.create_user()
        self.depths = plan.depth_files()

    @classmethod
    def hire(cls, plan: Plan, *, threads: int) -> Self:
        """Get this process ready to click, and hold it to so many threads for good."""
        clicker = cls(plan, plan.create_method(), plan.open_dataset())
        warm_up(clicker.method, guided=clicker.depths is not None)
        _held.enter_context(limited_threads(threads))
        return clicker

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
