"""A finished object shows what a label means; clicks of that label are guided in every picture."""

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
from fewclicks.web import model
from fewclicks.web.app import create_app
from guided_method import GuidedBlobs

HOST = "http://127.0.0.1"
DOOR = enlarge(mask("........", ".##.....", ".##.....", "........"), 8)
HOUSE = enlarge(mask("........", ".######.", ".######.", "........"), 8)
WALL = HOUSE & ~DOOR
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Houses whose door has nearly the colour of the wall: a plain click takes both."""
    houses = paint(HOUSE, inside=(200, 110, 40), noise=0)
    houses[DOOR] = (200, 60, 40)
    for name in ("1.png", "2.png", "3.png"):
        write_image(tmp_path / "houses" / name, houses)
    return tmp_path / "houses"


@pytest.fixture
def method() -> GuidedBlobs:
    return GuidedBlobs()


@pytest.fixture
def client(
    folder: Path, method: GuidedBlobs, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """With that method as the default; the others are built as ever."""
    real = model.create_method

    def build(name: str, **known: Any) -> Any:
        return method if name == "default" else real(name, **known)

    monkeypatch.setattr(model, "create_method", build)
    with TestClient(create_app(folder), base_url=HOST) as client:
        yield client


@pytest.fixture
def anna(client: TestClient) -> Hand:
    """Has the door and the wall of the first house."""
    anna = Hand(client)
    anna.act(1, kind="add", label="door", rle=dict(encode_rle(DOOR)))
    anna.act(1, kind="add", label="wall", rle=dict(encode_rle(WALL)))
    return anna


def refer(hand: Hand, picture: int, **more: Any) -> Any:
    return hand.act(picture, kind="reference", label="door", **{"picture": 1, "object": 1, **more})


def click(hand: Hand, picture: int, label: str | None = "door") -> Any:
    return hand.act(picture, kind="click", x=12, y=12, is_positive=True, label=label)["active"]


def assert_shows(active: Any, wanted: np.ndarray) -> None:
    np.testing.assert_array_equal(mask_of(active["rle"]), wanted)


def test_clicks_of_the_label_are_guided_in_every_picture_and_no_others_are(anna: Hand):
    assert_shows(click(anna, 2), HOUSE)
    anna.act(2, kind="discard")
    answer = refer(anna, 1)
    assert answer["references"] == [{"label": "door", "picture": 1, "object": 1, "negative": None}]
    assert_shows(click(anna, 2), DOOR)
    assert_shows(click(anna, 3), DOOR)
    anna.act(3, kind="discard")
    assert_shows(click(anna, 3, "house"), HOUSE)
    anna.act(3, kind="discard")
    assert_shows(click(anna, 3, None), HOUSE)


def test_the_negative_is_another_object_of_the_same_picture(anna: Hand, method: GuidedBlobs):
    refer(anna, 1, negative=2)
    click(anna, 2)
    (shown,) = method.guided[-1].references
    np.testing.assert_array_equal(shown.positive, DOOR)
    np.testing.assert_array_equal(shown.negative, WALL)


def test_choosing_a_reference_answers_the_present_clicks_anew_and_undo_takes_it_back(anna: Hand):
    assert_shows(click(anna, 2), HOUSE)
    assert_shows(refer(anna, 2)["active"], DOOR)
    undone = anna.act(2, kind="undo")
    assert undone["references"] == []
    assert_shows(undone["active"], HOUSE)
    assert_shows(anna.act(2, kind="redo")["active"], DOOR)
    dropped = anna.act(2, kind="unreference", label="door")
    assert dropped["references"] == []
    assert_shows(dropped["active"], HOUSE)
    assert_shows(anna.act(2, kind="undo")["active"], DOOR)


def test_undo_of_a_guided_click_leaves_the_clicks_before_it_as_they_were(anna: Hand):
    refer(anna, 1)
    plain = click(anna, 2, None)
    guided = anna.act(2, kind="click", x=13, y=13, is_positive=True, label="door")["active"]
    assert_shows(guided, DOOR)
    assert anna.act(2, kind="undo")["active"]["rle"] == plain["rle"]
    assert anna.act(2, kind="redo")["active"]["rle"] == guided["rle"]


def test_a_reference_is_the_object_as_it_was_when_it_was_chosen(anna: Hand):
    refer(anna, 2)
    anna.act(1, kind="delete", object=1)
    assert_shows(click(anna, 3), DOOR)
    anna.act(3, kind="discard")
    anna.act(1, kind="reference", label="door", picture=1, object=2)
    assert not (mask_of(click(anna, 3)["rle"]) & DOOR).any()


def test_a_reference_outlives_the_server_and_the_preview_is_guided_too(folder: Path, anna: Hand):
    refer(anna, 1)
    before = click(anna, 2)
    with TestClient(create_app(folder), base_url=HOST) as again:
        hand = Hand(again)
        found = hand.get("/api/pictures/3")
        assert [one["label"] for one in found["references"]] == ["door"]
        click(hand, 3)
        hand.act(3, kind="discard")
        shown = again.post(
            "/api/pictures/3/hover", json={"x": 12, "y": 12, "label": "door"}, headers=hand.headers
        ).json()
        assert shown["rle"] == before["rle"]


def test_what_a_reference_costs_is_paid_once(anna: Hand, method: GuidedBlobs):
    refer(anna, 1)
    click(anna, 2)
    click(anna, 3)
    shown = {id(one) for guidance in method.guided for one in guidance.references}
    assert len(shown) == 1


def test_a_method_that_takes_none_goes_on_plainly_and_says_so(client: TestClient, anna: Hand):
    refer(anna, 1)
    changed = client.put("/api/project/method", json={"method": "graphcut"}, headers=anna.headers)
    assert changed.json()["takes_references"] is False
    answered = click(anna, 2)
    assert mask_of(answered["rle"])[12, 12]
    assert answered["notice"].startswith(
        "The reference of 'door' does not guide: 'graphcut' takes no references; choose default"
    )
    client.put("/api/project/method", json={"method": "default"}, headers=anna.headers)
    guided = anna.act(2, kind="click", x=13, y=13, is_positive=True, label="door")["active"]
    assert guided["notice"] is None
    assert_shows(guided, DOOR)


def test_a_reference_whose_picture_is_gone_is_left_out_and_says_so(folder: Path, anna: Hand):
    (folder / "1.png").rename(folder / "away")
    refer(anna, 2)
    answered = click(anna, 3)
    assert_shows(answered, HOUSE)
    assert "The reference of 'door' does not guide" in answered["notice"]
    (folder / "away").rename(folder / "1.png")
    anna.act(3, kind="discard")
    again = click(anna, 3)
    assert_shows(again, DOOR)
    assert again["notice"] is None


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"object": 9}, "1.png has no finished object 9"),
        ({"negative": 9}, "1.png has no finished object 9"),
        ({"negative": 1}, "both what is meant and what is not"),
        ({"picture": 9}, "no picture 9"),
        ({"positive_mask": dict(encode_rle(DOOR))}, "Leave the masks out"),
    ],
)
def test_a_reference_that_is_not_there_is_refused(anna: Hand, more: Any, complaint: str):
    action = {"kind": "reference", "label": "door", "picture": 1, "object": 1, **more}
    answer = anna.send(2, action)
    assert answer.status_code == 422
    assert complaint in answer.json()["error"]
    assert anna.get("/api/pictures/2")["references"] == []


def test_an_action_that_is_sent_again_is_taken_once(anna: Hand):
    name = "0" * 8 + "-0000-4000-8000-" + "0" * 12
    action = {"kind": "reference", "label": MARKUP, "picture": 1, "object": 1}
    first = anna.send(2, action, name=name).json()
    anna.act(1, kind="delete", object=1)
    again = anna.send(2, action, name=name)
    assert again.status_code == 200
    assert [one["label"] for one in again.json()["references"]] == [MARKUP]
    assert again.json()["version"] == first["version"]
