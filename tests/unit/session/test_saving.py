from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drawing import mask, paint
from fake_method import BlobConfig, BlobMethod
from fewclicks.errors import InputError, StorageError
from fewclicks.session.session import Session

TWO_BLOBS = mask(
    "............",
    ".###....###.",
    ".###....###.",
    ".###....###.",
    "............",
    "............",
)
IMAGE = paint(TWO_BLOBS)


def _rich_session(method: BlobMethod) -> Session:
    """A sitting with every kind of step, the last two undone."""
    session = Session(method, IMAGE, initial_mask=TWO_BLOBS)
    session.box(0, 0, 6, 6)
    session.click(x=2, y=2)
    session.finish_object("dög \N{DOG FACE}")
    session.scribble([(9, 1), (9, 3)])
    session.correct(TWO_BLOBS)
    session.click(x=0, y=0, is_positive=False)
    session.undo()
    session.undo()
    return session


def test_a_saved_session_goes_on_where_it_stopped(tmp_path: Path):
    method = BlobMethod(BlobConfig(memory=0.8))
    session = _rich_session(method)
    session.save(tmp_path / "sitting.json")
    restored = Session.load(tmp_path / "sitting.json", method, IMAGE)

    assert restored.steps == session.steps
    assert restored.objects == session.objects
    assert (restored.probability == session.probability).all()
    restored.redo()
    session.redo()
    assert (restored.mask == session.mask).all()
    while session.can_undo:
        session.undo()
        restored.undo()
        assert (restored.mask == session.mask).all()
    assert not restored.can_undo
    assert (restored.mask == TWO_BLOBS).all()


def test_loading_asks_the_method_about_the_present_object_only():
    session = Session(BlobMethod(), IMAGE)
    for x in (2, 9):
        session.click(x=x, y=2)
        session.finish_object("blob")
    session.click(x=0, y=0)
    method = BlobMethod()
    Session.from_json(session.to_json(), method, IMAGE)

    assert len(method.asked) == 1


def test_finished_objects_come_back_as_they_were_under_another_method():
    session = Session(BlobMethod(), IMAGE)
    session.click(x=2, y=2)
    session.finish_object("dog")
    greedy = BlobMethod(BlobConfig(tolerance=255))
    restored = Session.from_json(session.to_json(), greedy, IMAGE)

    assert (restored.objects[0].mask == session.objects[0].mask).all()


def test_a_prepared_picture_can_be_loaded_onto():
    session = _rich_session(BlobMethod())
    method = BlobMethod()
    prepared = method.prepare(IMAGE)
    Session.from_json(session.to_json(), method, prepared)

    assert method.prepared == 1


def test_the_file_is_json_that_a_person_can_read():
    data = json.loads(_rich_session(BlobMethod()).to_json())

    assert data["version"] == 1
    assert data["method"] == {"name": None, "settings": {"tolerance": 60, "memory": 0.0}}
    assert data["image"]["width"] == 12
    assert len(data["image"]["sha256"]) == 64
    assert data["done"] == 4
    assert [step["kind"] for step in data["steps"]] == [
        "box", "click", "finish", "scribble", "correction", "click",
    ]  # fmt: skip
    assert data["steps"][1] == {"kind": "click", "x": 2, "y": 2, "is_positive": True}


def test_an_untouched_session_can_be_saved():
    text = Session(BlobMethod(), IMAGE).to_json()

    assert json.loads(text)["steps"] == []
    assert not Session.from_json(text, BlobMethod(), IMAGE).can_undo


def test_a_session_of_another_picture_is_refused():
    text = _rich_session(BlobMethod()).to_json()
    other = IMAGE.copy()
    other[0, 0, 0] ^= 1

    with pytest.raises(InputError, match="belongs to another picture"):
        Session.from_json(text, BlobMethod(), other)
    with pytest.raises(InputError, match=r"12 x 6.*this one is 6 x 12"):
        Session.from_json(text, BlobMethod(), np.ascontiguousarray(IMAGE.transpose(1, 0, 2)))


def _edited(**changes: object) -> str:
    return json.dumps({**json.loads(_rich_session(BlobMethod()).to_json()), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no saved session"),
        ("{}", "method: field required"),
        ("null", "no saved session"),
        (_edited(version=2), "version 2; this fewclicks reads version 1"),
        (_edited(done=7), "7 steps are done, but it has 6"),
        (_edited(done=-1), "done"),
        (_edited(extra=1), "extra"),
        (_edited(steps=[{"kind": "jump"}]), "steps, number 1"),
        (_edited(steps=[{"kind": "click", "x": 1.5, "y": 0, "is_positive": True}]), "x"),
        (_edited(steps=[{"kind": "click", "x": 1, "y": 0, "is_positive": "yes"}]), "is_positive"),
        (
            _edited(steps=[{"kind": "click", "x": 12, "y": 0, "is_positive": True}], done=1),
            "outside",
        ),
        (_edited(steps=[{"kind": "box", "x0": 3, "y0": 0, "x1": 1, "y1": 1}], done=1), "is empty"),
        (_edited(steps=[{"kind": "scribble", "clicks": []}]), "clicks"),
        (
            _edited(
                steps=[
                    {"kind": "finish", "label": "x", "mask": {"size": [2, 2], "counts": "4"}},
                    {"kind": "click", "x": 1, "y": 1, "is_positive": True},
                ],
                done=2,
            ),
            r"mask has shape \(2, 2\)",
        ),
        (
            _edited(
                steps=[{"kind": "correction", "mask": {"size": [6, 12], "counts": "~~~"}}], done=1
            ),
            "damaged",
        ),
        (_edited(initial_mask={"size": [10**9, 10**9], "counts": "1"}), "shape"),
    ],
)
def test_what_is_no_saved_session_is_answered_in_one_line(text: str, message: str):
    with pytest.raises(InputError, match=message) as caught:
        Session.from_json(text, BlobMethod(), IMAGE, source="sitting.json")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("sitting.json")


def test_a_missing_file_is_a_storage_error(tmp_path: Path):
    with pytest.raises(StorageError, match="no such file"):
        Session.load(tmp_path / "none.json", BlobMethod(), IMAGE)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError, match="no text in UTF-8"):
        Session.load(tmp_path / "bytes.json", BlobMethod(), IMAGE)


def test_a_failed_save_keeps_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "sitting.json"
    path.write_text("the last good one")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="no space left"):
        _rich_session(BlobMethod()).save(path)
    assert path.read_text() == "the last good one"
    assert list(tmp_path.iterdir()) == [path]
