"""How many threads a library may use, so that speeds compare and workers do not crowd."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import cv2
from threadpoolctl import threadpool_limits


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Hold BLAS, OpenMP, OpenCV and numba to so many threads.

    Libraries that are not loaded yet are not held: enter after the method has answered once.
    """
    with ExitStack() as undo:
        numba = sys.modules.get("numba")
        if numba is not None:  # first, for it may load OpenMP when it is asked
            undo.callback(numba.set_num_threads, numba.get_num_threads())
            numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
        undo.enter_context(threadpool_limits(limits=count))
        undo.callback(cv2.setNumThreads, cv2.getNumThreads())
        cv2.setNumThreads(count)
        yield
