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

    A picture whose worker died waits again, behind all others, and is given up when it killed
    three without an object done in between: so what kills workers costs nothing but itself.

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
        self._given_up: list[str] = []

    def hand_out(self) -> PictureTask | None:
        """Give the next picture; None where none waits."""
        return self._waiting.popleft() if self._waiting else None

    def count(self, task: PictureTask, record: ObjectRecord) -> PictureTask:
        """Take note of a finished object, and give what is left of its picture."""
        self._deaths_in_a_row = 0
        return task.without(frozenset({record.id}))

    def take_back(self, task: PictureTask) -> None:
        """Let what is left of a dead worker's picture wait again, or give it up.

        Raises
        ------
        FewclicksError
            If workers die whatever they are given.
        """
        self._deaths[task] += 1
        self._deaths_in_a_row += 1
        if self._deaths[task] >= _TRIES:
            self._given_up.append(task.picture)
        elif self._deaths_in_a_row >= _TRIES * self._workers:
            raise FewclicksError(
                f"{self._deaths_in_a_row} workers died and did nothing, the last one on picture "
                f"'{task.picture}', {_WAY_OUT}"
            )
        elif task.objects:
            self._waiting.append(task)

    def finish(self) -> None:
        """Say what was given up.

        Raises
        ------
        FewclicksError
            If a picture was.
        """
        if self._given_up:
            first, more = self._given_up[0], len(self._given_up) - 1
            others = f", and so did {more} more" if more else ""
            raise FewclicksError(f"Picture '{first}' killed {_TRIES} workers{others}, {_WAY_OUT}")
