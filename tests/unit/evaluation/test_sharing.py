"""Pictures shared out among workers that die, without a process."""

from __future__ import annotations

import pytest

from fewclicks.errors import FewclicksError
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.sharing import Shares
from fewclicks.evaluation.tasks import PictureTask

FIRST, SECOND = PictureTask("a", ("a:1", "a:2")), PictureTask("b", ("b:1",))


def record(name: str) -> ObjectRecord:
    return ObjectRecord(
        id=name,
        picture=name[0],
        ious=(1.0,),
        clicks=((0, 0, True),),
        prepare_seconds=None,
        click_seconds=0.0,
        elapsed_seconds=0.0,
    )


def test_pictures_are_handed_out_in_their_order_until_none_waits():
    shares = Shares([FIRST, SECOND], workers=1)
    assert [shares.hand_out() for _ in range(3)] == [FIRST, SECOND, None]


def test_what_is_left_of_a_dead_workers_picture_comes_last():
    shares = Shares([FIRST, SECOND], workers=1)
    left = shares.count(shares.hand_out(), record("a:1"))
    shares.take_back(left)
    assert [shares.hand_out() for _ in range(3)] == [SECOND, PictureTask("a", ("a:2",)), None]


def test_a_worker_that_dies_after_its_last_object_leaves_nothing():
    shares = Shares([SECOND], workers=1)
    shares.take_back(shares.count(shares.hand_out(), record("b:1")))
    assert shares.hand_out() is None


def test_a_picture_that_kills_three_workers_is_left_out_and_named_at_the_end():
    shares = Shares([], workers=4)
    for _ in range(3):
        shares.finish()
        shares.take_back(FIRST)
        shares.count(SECOND, record("b:1"))
    assert [shares.hand_out() for _ in range(3)] == [FIRST, FIRST, None]
    with pytest.raises(FewclicksError, match=r"'a' killed 3 workers, most often .* --resume with"):
        shares.finish()
    for _ in range(3):
        shares.take_back(SECOND)
    with pytest.raises(FewclicksError, match=r"'a' killed 3 workers, and so did 1 more, most"):
        shares.finish()


def test_an_object_done_in_between_is_a_reason_to_try_again():
    shares = Shares([FIRST], workers=4)
    shares.take_back(FIRST)
    shares.take_back(FIRST)
    left = shares.count(FIRST, record("a:1"))
    shares.take_back(left)
    shares.take_back(left)
    shares.finish()


def test_workers_that_die_whatever_they_are_given_end_the_run():
    pictures = [PictureTask(str(number), (f"{number}:1",)) for number in range(9)]
    shares = Shares(pictures, workers=2)
    for picture in pictures[:5]:
        shares.take_back(picture)
    with pytest.raises(FewclicksError, match=r"6 workers died .* the last one on picture '5'"):
        shares.take_back(pictures[5])
