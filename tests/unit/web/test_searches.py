"""The others of a finished object's kind: looked for, accepted, corrected by clicks, refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from annotated_folder import Hand, mask_of
from drawing import enlarge, mask, paint
from fewclicks.images.masks import encode_rle
from fewclicks.images.writing import write_image
from fewclicks.session.session import Session
from fewclicks.web import model
from fewclicks.web.app import create_app
from guided_method import GuidedBlobs

HOST = "http://127.0.0.1"
FOUR = enlarge(
    mask(
        "...............",
        ".##..###.....#.",
        ".##..###.......",
        "...............",
        ".####..........",
        ".####..........",
    ),
    4,
)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    write_image(tmp_path / "four" / "1.png", paint(FOUR))
    monkeypatch.setattr(model, "create_method", lambda *_, **__: GuidedBlobs())
    with TestClient(create_app(tmp_path / "four"), base_url=HOST) as client:
        yield client


@pytest.fixture
def anna(client: TestClient) -> Hand:
    """Has finished the first blob, with a negative click on the second."""
    anna = Hand(client)
    anna.act(1, kind="click", x=8, y=8, is_positive=True)
    anna.act(1, kind="click", x=24, y=8, is_positive=False)
    anna.act(1, kind="finish", label="blob")
    return anna


def areas(answer: Any) -> list[int]:
    return [int(mask_of(one).sum()) // 16 for one in answer["active"]["proposals"]]


def test_what_is_proposed_is_what_a_session_finds(anna: Hand):
    found = anna.act(1, kind="others", object=3)
    session = Session(GuidedBlobs(), paint(FOUR))
    session.click(8, 8)
    session.click(24, 8, is_positive=False)
    session.finish_object("blob")
    session.others.of(0)
    np.testing.assert_array_equal(mask_of(found["active"]["rle"]), session.mask)
    for shown, proposal in zip(found["active"]["proposals"], session.others.proposals, strict=True):
        np.testing.assert_array_equal(mask_of(shown), proposal.mask)
    assert found["active"]["exemplar"] == 3


def test_an_accepted_proposal_is_an_object_called_as_the_exemplar(anna: Hand):
    anna.act(1, kind="others", object=3)
    accepted = anna.act(1, kind="accept", x=5, y=17)
    assert [(one["label"], int(mask_of(one["rle"]).sum())) for one in accepted["objects"]] == [
        ("blob", 64), ("blob", 128),
    ]  # fmt: skip
    assert areas(accepted) == [6, 1]
    reopened = anna.act(1, kind="discard")["objects"][1]["id"]
    again = anna.act(1, kind="reopen", object=reopened)["active"]
    assert again["rle"] == accepted["objects"][1]["rle"]


def test_a_click_corrects_what_is_proposed(anna: Hand):
    anna.act(1, kind="others", object=3)
    corrected = anna.act(1, kind="click", x=5, y=17, is_positive=False, label="blob")
    assert areas(corrected) == [6, 1]
    assert areas(anna.act(1, kind="undo")) == [8, 6, 1]


def test_a_refused_proposal_does_not_come_back(anna: Hand):
    anna.act(1, kind="others", object=3)
    assert areas(anna.act(1, kind="refuse", x=5, y=17)) == [6, 1]
    left = anna.act(1, kind="accept", x=24, y=8)
    assert areas(left) == [1]
    assert len(left["objects"]) == 2


def test_all_of_it_can_be_undone_and_redone(anna: Hand):
    actions = [
        {"kind": "others", "object": 3},
        {"kind": "refuse", "x": 5, "y": 17},
        {"kind": "accept", "x": 24, "y": 8},
        {"kind": "click", "x": 52, "y": 5, "is_positive": False},
    ]
    states = [anna.get("/api/pictures/1"), *(anna.act(1, **action) for action in actions)]
    for before in states[-2::-1]:
        undone = anna.act(1, kind="undo")
        assert (undone["active"], undone["objects"]) == (before["active"], before["objects"])
    for after in states[1:]:
        redone = anna.act(1, kind="redo")
        assert (redone["active"], redone["objects"]) == (after["active"], after["objects"])


def test_a_search_goes_on_after_a_restart(anna: Hand, tmp_path: Path):
    anna.act(1, kind="others", object=3)
    anna.act(1, kind="accept", x=5, y=17)
    before = anna.act(1, kind="refuse", x=52, y=5)
    with TestClient(create_app(tmp_path / "four"), base_url=HOST) as again:
        hand = Hand(again)
        found = hand.get("/api/pictures/1")
        assert (found["active"], found["objects"]) == (before["active"], before["objects"])
        assert areas(hand.act(1, kind="accept", x=24, y=8)) == []


def test_all_that_is_left_can_be_finished_as_one(anna: Hand):
    anna.act(1, kind="others", object=3)
    done = anna.act(1, kind="finish", label="the rest")
    assert int(mask_of(done["objects"][1]["rle"]).sum()) // 16 == 15
    assert (done["active"]["exemplar"], done["active"]["proposals"]) == (None, [])
    again = anna.act(1, kind="reopen", object=done["objects"][1]["id"])["active"]
    assert again["rle"] == done["objects"][1]["rle"]


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        ({"kind": "accept", "x": 59, "y": 23}, "Nothing is proposed at"),
        ({"kind": "delete", "object": 3}, "being looked for"),
        ({"kind": "reopen", "object": 3}, "Another object is open"),
        ({"kind": "others", "object": 9}, "no finished object 9"),
    ],
)
def test_what_does_not_fit_a_search_is_refused(anna: Hand, action: Any, complaint: str):
    before = anna.act(1, kind="others", object=3)
    answer = anna.send(1, action)
    assert answer.status_code == 422
    assert complaint in answer.json()["error"]
    assert anna.get("/api/pictures/1")["active"] == before["active"]


def test_judging_without_a_search_and_searching_beside_an_open_object_are_refused(anna: Hand):
    assert anna.send(1, {"kind": "accept", "x": 5, "y": 17}).status_code == 422
    anna.act(1, kind="click", x=24, y=8, is_positive=True)
    refused = anna.send(1, {"kind": "others", "object": 3})
    assert "An object is open" in refused.json()["error"]


def test_an_exemplar_that_leaves_no_room_is_refused_and_nothing_is_lost(anna: Hand):
    anna.act(1, kind="add", label="all", rle=dict(encode_rle(np.ones_like(FOUR))))
    before = anna.get("/api/pictures/1")
    refused = anna.send(1, {"kind": "others", "object": 4})
    assert refused.status_code == 422
    assert "cover the whole picture" in refused.json()["error"]
    after = anna.get("/api/pictures/1")
    assert (after["objects"], after["active"]) == (before["objects"], before["active"])
    assert after["can_redo"] is False
