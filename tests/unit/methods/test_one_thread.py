from __future__ import annotations

import threading

import pytest
from threadpoolctl import ThreadpoolController

from fewclicks.methods.one_thread import on_one_thread


def _threads() -> set[int]:
    return {
        library["num_threads"]
        for library in ThreadpoolController().info()
        if library["user_api"] == "blas"
    }


def test_linear_algebra_runs_on_one_thread_and_gets_its_threads_back():
    before = _threads()
    assert on_one_thread(_threads)() == {1}
    assert _threads() == before


def test_a_failure_gives_the_threads_back():
    before = _threads()

    @on_one_thread
    def fail() -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert _threads() == before


def test_the_limit_holds_until_the_last_of_two_threads_ends():
    before = _threads()
    is_inside, may_end = threading.Event(), threading.Event()

    @on_one_thread
    def wait() -> None:
        is_inside.set()
        may_end.wait(10)

    waiting = threading.Thread(target=wait)
    waiting.start()
    is_inside.wait(10)
    on_one_thread(_threads)()
    assert _threads() == {1}
    may_end.set()
    waiting.join()
    assert _threads() == before
