"""Queue: one model, many annotators; each in turn, and nothing computed that nobody awaits."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class StaleError(Exception):
    """A newer request about the same thing came before this one was begun."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    future: Future[Any]


class FairQueue:
    """Work for one thread, taken from each annotator in turn.

    Notes
    -----
    A request replaces the one about the same thing (a picture's mask, a hover) that the same
    annotator still waits for: that one is stale.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: OrderedDict[Hashable, OrderedDict[Hashable, _Job]] = OrderedDict()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="answering", daemon=True)
        self._thread.start()

    def submit(
        self, annotator: Hashable, about: Hashable, work: Callable[[], ResultT]
    ) -> Future[ResultT]:
        """Ask for work; the future gives its result, or a `StaleError`."""
        future: Future[ResultT] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the queue is closed")
            mine = self._waiting.setdefault(annotator, OrderedDict())
            stale = mine.pop(about, None)
            mine[about] = _Job(work, future)
            self._lock.notify()
        if stale is not None:
            stale.future.set_exception(StaleError())
        return future

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        with self._lock:
            return sum(len(jobs) for jobs in self._waiting.values())

    def close(self) -> None:
        """Finish what is under way, and refuse the rest."""
        with self._lock:
            self._closed = True
            left = [job for jobs in self._waiting.values() for job in jobs.values()]
            self._waiting.clear()
            self._lock.notify()
        for job in left:
            job.future.set_exception(StaleError())
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                job = self._take()
            try:
                result = job.work()
            except BaseException as error:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

    def _take(self) -> _Job:
        """Take the oldest request of the annotator whose turn it is, who then goes last."""
        annotator, jobs = next(iter(self._waiting.items()))
        _, job = jobs.popitem(last=False)
        if jobs:
            self._waiting.move_to_end(annotator)
        else:
            del self._waiting[annotator]
        return job
