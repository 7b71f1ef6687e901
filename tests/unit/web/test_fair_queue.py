from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from fewclicks.web.fair_queue import FairQueue, StaleError


@pytest.fixture
def queue() -> Iterator[FairQueue]:
    queue = FairQueue()
    yield queue
    queue.close()


def hold(queue: FairQueue) -> threading.Event:
    """Keep the one thread busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)

    queue.submit("holder", "hold", work)
    assert begun.wait(30)
    return go_on


def test_results_and_errors_come_back(queue: FairQueue):
    assert queue.submit("Anna", 1, lambda: 2 + 2).result(30) == 4
    with pytest.raises(ZeroDivisionError):
        queue.submit("Anna", 1, lambda: 1 / 0).result(30)
    assert queue.submit("Anna", 1, lambda: "still at work").result(30) == "still at work"


def test_annotators_are_served_in_turn_however_many_requests_one_has(queue: FairQueue):
    go_on, order = hold(queue), []
    futures = [
        queue.submit(who, number, lambda who=who, number=number: order.append(f"{who}{number}"))
        for who, numbers in (("A", range(4)), ("B", range(2)), ("C", range(1)))
        for number in numbers
    ]
    go_on.set()
    for future in futures:
        future.result(30)
    assert order == ["A0", "B0", "C0", "A1", "B1", "A2", "A3"]


def test_a_newer_request_about_the_same_thing_makes_the_waiting_one_stale(queue: FairQueue):
    go_on, asked = hold(queue), []
    old = queue.submit("Anna", "picture 1", lambda: asked.append("old"))
    other = queue.submit("Anna", "picture 2", lambda: asked.append("other"))
    new = queue.submit("Anna", "picture 1", lambda: asked.append("new"))
    go_on.set()
    with pytest.raises(StaleError):
        old.result(30)
    other.result(30)
    new.result(30)
    assert asked == ["other", "new"]


def test_the_same_thing_of_another_annotator_is_not_stale(queue: FairQueue):
    go_on = hold(queue)
    futures = [queue.submit(who, "picture 1", lambda who=who: who) for who in ("Anna", "Ben")]
    go_on.set()
    assert [future.result(30) for future in futures] == ["Anna", "Ben"]


def test_closing_tells_those_who_wait():
    queue = FairQueue()
    go_on = hold(queue)
    waiting = queue.submit("Anna", 1, lambda: 1)
    assert queue.waiting == 1
    threading.Timer(0.05, go_on.set).start()
    queue.close()
    with pytest.raises(StaleError):
        waiting.result(30)
    with pytest.raises(RuntimeError):
        queue.submit("Anna", 1, lambda: 1)
