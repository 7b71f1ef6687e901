"""Pictures shared out among workers, whoever of them dies."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from fewclicks.errors import FewclicksError
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.tasks import PictureTask

_TRIES: Final = 3  # of a picture, before it is taken to be what kills its workers
_WAY_OUT: Final = "most often for want of memory; --resume with fewer --workers goes on."


class Shares:
    """Pictures that wait for a worker.

    A picture whose worker died waits again, behind all others: what kills workers comes last, when
    everything else is kept.

    Parameters
    ----------
    tasks
        In the order in which they are handed out.
    workers
        So many work at a time.
    """

    def __init__(self, tasks: Sequence[PictureTask], *, workers: int) -> None:
        self._waiting = deque(tasks)
        self._workers = workers
        self._deaths: Counter[PictureTask] = Counter()
        self._deaths_in_a_row = 0

    def hand_out(self) -> PictureTask | None:
        """Give the next picture; None where none waits."""
        return self._waiting.popleft() if self._waiting else None

    def count(self, task: PictureTask, record: ObjectRecord) -> PictureTask:
        """Take note of a finished object, and give what is left of its picture."""
        self._deaths_in_a_row = 0
        return task.without(frozenset({record.id}))

    def take_back(self, task: PictureTask) -> None:
        """Let what is left of a dead worker's picture wait again.

        Raises
        ------
        FewclicksError
            If it killed three workers, without an object done in between; or if workers die
            whatever they are given.
        """
        self._deaths[task] += 1
        self._deaths_in_a_row += 1
        if self._deaths[task] >= _TRIES:
            raise FewclicksError(f"Picture '{task.picture}' killed {_TRIES} workers, {_WAY_OUT}")
        if self._deaths_in_a_row >= _TRIES * self._workers:
            raise FewclicksError(
                f"{self._deaths_in_a_row} workers died and did nothing, the last one on picture "
                f"'{task.picture}', {_WAY_OUT}"
            )
        if task.objects:
            self._waiting.append(task)
