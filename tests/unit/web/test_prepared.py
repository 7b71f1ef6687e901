from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from fewclicks.methods.base import Prepared
from fewclicks.web.prepared import PreparedPictures, weigh


def prepare(id_: int) -> Prepared:
    return Prepared(image=np.full((10, 10, 3), id_, np.uint8))


def wait_for(what: object, condition: object) -> None:
    for _ in range(600):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.01)
    pytest.fail(f"never: {what}")


def test_a_picture_is_prepared_once_however_many_ask_at_once():
    begun, times = threading.Barrier(4), []

    def slow(id_: int) -> Prepared:
        times.append(id_)
        time.sleep(0.1)
        return prepare(id_)

    pictures = PreparedPictures(slow)
    found = []

    def ask() -> None:
        begun.wait(30)
        found.append(pictures.get(3))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pictures.close()
    assert times == [3]
    assert all(one is found[0] for one in found)


def test_the_picture_used_longest_ago_goes_when_memory_is_short_but_one_always_stays():
    pictures = PreparedPictures(prepare, kept_bytes=650)
    for id_ in (1, 2, 1, 3):
        pictures.get(id_)
    assert pictures.ids == [1, 3]
    assert pictures.weight == 600
    pictures.close()
    small = PreparedPictures(prepare, kept_bytes=1)
    small.get(1)
    small.get(2)
    assert small.ids == [2]
    small.close()


def test_expected_pictures_are_made_while_nobody_asks():
    pictures = PreparedPictures(prepare)
    pictures.expect([5, 6])
    wait_for("5 and 6 are there", lambda: pictures.has(5) and pictures.has(6))
    pictures.close()


def test_a_picture_that_fails_is_told_to_whoever_asks_and_tried_again():
    tries = []

    def fail_once(id_: int) -> Prepared:
        tries.append(id_)
        if len(tries) == 1:
            raise OSError("the disk is away")
        return prepare(id_)

    pictures = PreparedPictures(fail_once)
    with pytest.raises(OSError, match="away"):
        pictures.get(1)
    assert pictures.get(1).image[0, 0, 0] == 1
    pictures.close()


def test_a_failure_ahead_of_time_does_not_stop_the_work():
    def fail_on_one(id_: int) -> Prepared:
        if id_ == 1:
            raise OSError("damaged")
        return prepare(id_)

    pictures = PreparedPictures(fail_on_one)
    pictures.expect([1, 2])
    wait_for("2 is there", lambda: pictures.has(2))
    pictures.close()


def test_weight_counts_arrays_wherever_they_hide():
    one = np.zeros(10, np.float64)
    assert weigh(one) == 80
    assert weigh({"a": [one, (one, 3)], "b": "text"}) == 160
    assert weigh(prepare(1)) == 300
