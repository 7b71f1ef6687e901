"""One thread for linear algebra, as long as a method works.

A second thread gains little on matrices of a thousand rows, two that wait for each other on a busy
machine cost twenty times as much, and sums come out in another order than they did alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_lock = threading.Lock()
_working = 0
_usual: list[int] = []


@cache
def _libraries() -> list[Any]:
    """Find the process's libraries once; looking for them takes longer than a click."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def on_one_thread(work: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function's linear algebra run on one thread.

    The number of threads is the whole process's: everyone who begins lowers it, and the last to
    end sets it back to what it was before the first.
    """

    @wraps(work)
    def limited(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        _begin()
        try:
            return work(*args, **kwargs)
        finally:
            _end()

    return limited


def _begin() -> None:
    global _working
    with _lock:
        if _working == 0:
            _usual[:] = [library.num_threads for library in _libraries()]
        _working += 1
        _set([1] * len(_usual))


def _end() -> None:
    global _working
    with _lock:
        _working -= 1
        if _working == 0:
            _set(_usual)


def _set(counts: list[int]) -> None:
    for library, count in zip(_libraries(), counts, strict=True):
        # threadpoolctl lets one thread steer OpenBLAS, but who ends last need not be who began.
        release = getattr(library, "clear_controlling_thread", lambda force: force)
        release(force=True)
        library.set_num_threads(count)
        release(force=True)
