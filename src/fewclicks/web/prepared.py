"""Prepared pictures: kept while memory lasts, and the next ones made while nobody waits."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Final

import numpy as np

from fewclicks.methods.base import Prepared

KEPT_BYTES: Final = 2 * 2**30
_DEEPEST: Final = 6


class PreparedPictures:
    """Pictures as the method wants them, by id; threads may share it.

    Parameters
    ----------
    prepare
        Reads and prepares a picture; slow.
    kept_bytes
        What those that are kept may weigh together; the one used longest ago goes first. One is
        always kept.
    """

    def __init__(self, prepare: Callable[[int], Prepared], *, kept_bytes: int = KEPT_BYTES) -> None:
        self._prepare = prepare
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[Prepared, int]] = OrderedDict()
        self._under_way: dict[int, Future[Prepared]] = {}
        self._wanted: deque[int] = deque()
        self._call = threading.Event()
        self._closed = False
        self.preparing: int | None = None
        self._thread = threading.Thread(target=self._work_ahead, name="preparing", daemon=True)
        self._thread.start()

    def get(self, id_: int) -> Prepared:
        """Give a picture, and wait for it if need be; one that is under way is not begun twice."""
        with self._lock:
            if id_ in self._kept:
                self._kept.move_to_end(id_)
                return self._kept[id_][0]
            future = self._under_way.get(id_)
            is_mine = future is None
            if future is None:
                future = self._under_way[id_] = Future()
        if is_mine:
            self._make(id_, future)
        return future.result()

    def has(self, id_: int) -> bool:
        """Whether a picture is there without waiting."""
        with self._lock:
            return id_ in self._kept

    @property
    def ids(self) -> list[int]:
        """Of pictures that are there."""
        with self._lock:
            return list(self._kept)

    @property
    def weight(self) -> int:
        """In bytes, of all that are kept."""
        with self._lock:
            return sum(weight for _, weight in self._kept.values())

    def expect(self, ids: Iterable[int]) -> None:
        """Say which pictures will be wanted, the next one first; what was said before is void."""
        with self._lock:
            self._wanted = deque(ids)
        self._call.set()

    def close(self) -> None:
        """Stop working ahead."""
        self._closed = True
        self._call.set()
        self._thread.join()

    def _make(self, id_: int, future: Future[Prepared]) -> None:
        try:
            prepared = self._prepare(id_)
        except BaseException as error:
            with self._lock:
                self._under_way.pop(id_, None)
            future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        with self._lock:
            self._under_way.pop(id_, None)
            self._kept[id_] = (prepared, weigh(prepared))
            while len(self._kept) > 1 and self._total() > self._kept_bytes:
                self._kept.popitem(last=False)
        future.set_result(prepared)

    def _total(self) -> int:
        return sum(weight for _, weight in self._kept.values())

    def _work_ahead(self) -> None:
        while not self._closed:
            with self._lock:
                id_ = self._wanted.popleft() if self._wanted else None
                is_known = id_ in self._kept or id_ in self._under_way
            if id_ is None:
                self._call.wait()
                self._call.clear()
            elif not is_known:
                self.preparing = id_
                try:
                    self.get(id_)
                except Exception:
                    pass
                finally:
                    self.preparing = None


def weigh(value: Any, _depth: int = 0) -> int:
    """Sum the bytes of all arrays in a value, as far as dataclasses, tuples and objects go."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if _depth > _DEEPEST:
        return 0
    parts: Iterable[Any]
    if isinstance(value, (tuple, list)):
        parts = value
    elif isinstance(value, dict):
        parts = value.values()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif hasattr(value, "__dict__") and type(value).__module__.startswith("fewclicks"):
        parts = list(vars(value).values())
    else:
        return 0
    return sum(weigh(part, _depth + 1) for part in parts)
