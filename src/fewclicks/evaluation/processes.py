"""Pictures shared out over processes of this machine, each with its own method.

A worker that is killed costs the object that it was at: what it had done is kept, and another one
goes on. Workers end when their parent does, however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Generator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

from fewclicks.errors import FewclicksError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.sharing import Shares
from fewclicks.evaluation.tasks import PictureTask
from fewclicks.evaluation.workers import Clicker

Answer: TypeAlias = ObjectRecord | Exception | None
"""What a worker says: an object is done, or cannot be; None when its picture is."""


def click_in_processes(
    plan: Plan, tasks: Sequence[PictureTask], *, workers: int, threads: int
) -> Generator[ObjectRecord, None, None]:
    """Click pictures in any order, and give each object's record when it is done.

    Raises
    ------
    FewclicksError
        What a worker ran into, or that a picture killed its workers again and again.
    """
    shares = Shares(tasks, workers=workers)
    busy: dict[Any, _Worker] = {}
    try:
        while True:
            while len(busy) < workers and (task := shares.hand_out()) is not None:
                worker = _Worker(plan, threads)
                busy[worker.pipe] = worker
                worker.give(task)
            if not busy:
                break
            for pipe in wait(list(busy)):
                yield from _listen(busy, busy[pipe], shares)
        shares.finish()
    finally:
        for worker in busy.values():
            worker.dismiss()


def _listen(
    busy: dict[Any, _Worker], worker: _Worker, shares: Shares
) -> Generator[ObjectRecord, None, None]:
    """Take one answer, and see to it that the worker has something to do."""
    try:
        answer = worker.hear()
    except (EOFError, OSError):  # it is dead, perhaps in the middle of a word
        del busy[worker.pipe]
        worker.dismiss()
        shares.take_back(worker.task)
        return
    if isinstance(answer, Exception):
        raise answer
    if answer is not None:
        worker.task = shares.count(worker.task, answer)
        yield answer
    elif (task := shares.hand_out()) is not None:
        worker.give(task)
    else:
        del busy[worker.pipe]
        worker.dismiss()


class _Worker:
    """A process that clicks one picture at a time."""

    def __init__(self, plan: Plan, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task = PictureTask("", ())
        self._process: BaseProcess = context.Process(
            target=_serve, args=(theirs, plan, threads), daemon=True
        )
        self._process.start()
        theirs.close()  # so that the pipe ends when the worker does

    def give(self, task: PictureTask) -> None:
        """Let it click a picture."""
        self.task = task
        with suppress(OSError):  # it is dead, which we hear when we listen
            self.pipe.send(task)

    def hear(self) -> Answer:
        """Wait for what it says; EOFError or OSError if it can say nothing any more."""
        answer: Answer = self.pipe.recv()
        return answer

    def dismiss(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _serve(pipe: Connection, plan: Plan, threads: int) -> None:
    """Click one picture after another; what a worker runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        clicker = Clicker.hire(plan, threads=threads)
        while True:
            for record in clicker.click(pipe.recv()):
                pipe.send(record)
            pipe.send(None)
    except FewclicksError as error:
        # Some errors cannot be rebuilt in the parent from their message alone.
        pipe.send(FewclicksError(str(error)))
    except Exception as error:
        said = RuntimeError(f"{type(error).__name__}: {error}")
        said.add_note(traceback.format_exc())
        with suppress(OSError):  # the parent has gone
            pipe.send(said)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
