"""Threads are held while a run lasts, and given back."""

from __future__ import annotations

import cv2
import numpy as np
from threadpoolctl import threadpool_info

from fewclicks.evaluation.threads import limited_threads


def threads_of_libraries() -> dict[str, int]:
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}


def test_libraries_are_held_to_one_thread_and_let_go_again():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = cv2.getNumThreads(), threads_of_libraries()
    with limited_threads(1):
        assert cv2.getNumThreads() == 1
        assert set(threads_of_libraries().values()) == {1}
    after = {name: count for name, count in threads_of_libraries().items() if name in before[1]}
    assert (cv2.getNumThreads(), after) == before


def test_numba_is_held_where_it_is_loaded():
    import numba

    before = numba.get_num_threads()
    with limited_threads(1):
        assert numba.get_num_threads() == 1
    with limited_threads(10_000):
        assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
    assert numba.get_num_threads() == before
