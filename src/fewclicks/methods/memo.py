"""Memo: the newest few answers of a pure function, shared by threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Remembers so many answers; the one unused for longest goes first.

    Two threads that ask for the same new answer may both work it out; a memo never changes a
    result, only when it comes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
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
            self._answers[key] = answer
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return answer
