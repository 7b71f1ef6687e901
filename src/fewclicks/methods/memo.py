"""Memo: the newest few answers of a pure function, shared by threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Remembers so many answers, or answers of so much weight; the one unused longest goes first.

    Two threads that ask for the same new answer may both work it out; a memo never changes a
    result, only when it comes.

    Parameters
    ----------
    size
        What all that is remembered may weigh together.
    weigh
        Says what an answer weighs; each weighs 1 if left out.
    """

    def __init__(self, size: int, *, weigh: Callable[[Value], int] = lambda _: 1) -> None:
        self._size = size
        self._weigh = weigh
        self._weight = 0
        self._answers: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, work_out: Callable[[Key], Value]) -> Value:
        """Answer from memory, or work it out and remember it."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = work_out(key)
        with self._lock:
            if key not in self._answers:
                self._answers[key] = answer
                self._weight += self._weigh(answer)
            while self._weight > self._size:
                _, oldest = self._answers.popitem(last=False)
                self._weight -= self._weigh(oldest)
        return answer
