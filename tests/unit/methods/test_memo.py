from __future__ import annotations

import threading

import pytest

from fewclicks.methods.memo import Memo


class Asked:
    """Doubles a number and remembers that it was asked."""

    def __init__(self) -> None:
        self.keys: list[int] = []

    def __call__(self, key: int) -> int:
        self.keys.append(key)
        return 2 * key


def test_an_answer_is_worked_out_once():
    memo, double = Memo[int, int](size=3), Asked()
    assert [memo.get(key, double) for key in (4, 4, 5, 4)] == [8, 8, 10, 8]
    assert double.keys == [4, 5]


def test_the_answer_unused_for_longest_is_forgotten_first():
    memo, double = Memo[int, int](size=2), Asked()
    for key in (1, 2, 1, 3):  # 2 was unused for longest when 3 came
        memo.get(key, double)
    memo.get(1, double)
    assert double.keys == [1, 2, 3]
    memo.get(2, double)
    assert double.keys == [1, 2, 3, 2]


def test_a_memo_without_room_still_answers():
    memo, double = Memo[int, int](size=0), Asked()
    assert [memo.get(7, double), memo.get(7, double)] == [14, 14]
    assert double.keys == [7, 7]


def test_an_answer_of_nothing_is_remembered_too():
    asked = []
    memo = Memo[str, None](size=1)
    for _ in range(2):
        assert memo.get("key", asked.append) is None
    assert asked == ["key"]


def test_a_failure_is_not_remembered():
    memo = Memo[int, int](size=2)

    def fail(key: int) -> int:
        raise ZeroDivisionError(key)

    with pytest.raises(ZeroDivisionError):
        memo.get(1, fail)
    assert memo.get(1, Asked()) == 2


def test_working_out_one_answer_does_not_hold_up_another_thread():
    memo = Memo[int, int](size=2)
    has_started, may_end = threading.Event(), threading.Event()

    def slowly(key: int) -> int:
        has_started.set()
        assert may_end.wait(10)
        return -key

    thread = threading.Thread(target=memo.get, args=(1, slowly))
    thread.start()
    assert has_started.wait(10)
    assert memo.get(2, Asked()) == 4
    may_end.set()
    thread.join(10)
    assert memo.get(1, Asked()) == -1


def test_many_threads_get_right_answers_out_of_a_small_memo():
    memo = Memo[int, int](size=3)
    wrong: list[int] = []

    def ask(start: int) -> None:
        keys = [key % 7 for key in range(start, start + 200)]
        wrong.extend(key for key in keys if memo.get(key, lambda known: 2 * known) != 2 * key)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_is_remembered_weighs_no_more_than_asked_and_the_heaviest_is_answered_all_the_same():
    memo, asked = Memo[str, str](6, weigh=len), []

    def work_out(key: str) -> str:
        asked.append(key)
        return key

    for key in ("aaa", "bb", "cccc", "bb", "too heavy", "bb"):
        assert memo.get(key, work_out) == key
    assert asked == ["aaa", "bb", "cccc", "too heavy", "bb"]
