"""The record alone, with the pictures and the weights, gives every mask again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import fewclicks
from annotated_folder import Hand
from drawing import enlarge, mask, paint
from fewclicks.images.masks import decode_rle
from fewclicks.images.reading import read_image
from fewclicks.images.writing import write_image
from fewclicks.methods.guidance import Reference
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session
from fewclicks.web.answerer import describe_answerer
from fewclicks.web.app import create_app
from fewclicks.web.context import Context
from fewclicks.web.exchange import write_record
from small_vits import save_vit

HOST = "http://127.0.0.1"
PROMPTS = ("click", "box")
SHAPES = enlarge(
    mask(
        "................",
        "..###.....###...",
        "..###.....###...",
        "..###.....###...",
        "................",
        "......####......",
        "......####......",
        "................",
    ),
    8,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(2):
        colours = (200, 60 + 60 * number, 40)
        write_image(tmp_path / "shapes" / f"{number}.png", paint(SHAPES, inside=colours))
    return tmp_path / "shapes"


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder), base_url=HOST) as client:
        yield client


@pytest.fixture
def record(client: TestClient, tmp_path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Of a day's work: undo, redo, a box, another method, a reference from another picture."""
    anna = Hand(client)

    def click(
        picture: int, x: int, y: int, *, is_positive: bool = True, label: str = "left"
    ) -> None:
        anna.act(picture, kind="click", x=x, y=y, is_positive=is_positive, label=label)

    def use(method: str) -> None:
        answer = client.put("/api/project/method", json={"method": method}, headers=anna.headers)
        assert answer.status_code == 200, answer.text

    click(1, 28, 20)
    click(1, 5, 5, is_positive=False)
    anna.act(1, kind="undo")
    anna.act(1, kind="undo")
    anna.act(1, kind="redo")
    anna.act(1, kind="finish", label="left")
    use("graphcut")
    anna.act(1, kind="box", x0=70, y0=2, x1=112, y1=38)
    click(1, 92, 20, label="right")
    anna.act(1, kind="finish", label="right")
    click(2, 28, 20)
    use("default")
    anna.act(2, kind="reference", label="left", picture=1, object=6, negative=9)
    click(2, 3, 60, is_positive=False)
    anna.act(2, kind="finish", label="left")
    anna.act(2, kind="unreference", label="left")
    click(2, 64, 45)
    anna.act(2, kind="finish", label="left")
    context: Context = client.app.state.context  # type: ignore[attr-defined]
    lines, answerers = write_record(context.store, tmp_path / "record")
    read = [json.loads(line) for line in lines.read_text().splitlines()]
    return read, json.loads(answerers.read_text())


class Replay:
    """Follows the lines of a record, with nothing but sessions."""

    def __init__(self, folder: Path, answerers: dict[str, Any]) -> None:
        self.folder = folder
        self.answerers = answerers
        self.standing: dict[str, list[dict[str, Any]]] = {}
        self.undone: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[int, str] = {}
        self.masks: dict[str, np.ndarray | None] = {}

    def take(self, line: dict[str, Any]) -> None:
        name, kind = line["picture"], line["action"]["kind"]
        self.names[line["picture_id"]] = name
        done, undone = self.standing.setdefault(name, []), self.undone.setdefault(name, [])
        if kind == "undo":
            undone.insert(0, done.pop())
        elif kind == "redo":
            done.append(undone.pop(0))
        else:
            undone.clear()
            done.append(line)
        self.masks[name] = self._answer(name, self.answerers[line["answerer"]])

    def _answer(self, name: str, known: dict[str, Any]) -> np.ndarray | None:
        """What is answered now to the prompts since the last object was finished."""
        actions = [line["action"] for line in self.standing[name]]
        session = Session(self._build(known), read_image(self.folder / name))
        for action in actions:
            if action["kind"] == "finish":
                while session.can_undo and session.clicks:
                    session.undo()
                session.correct(decode_rle(action["mask"]))
                session.finish_object(action["label"])
        begin = max((k + 1 for k, one in enumerate(actions) if one["kind"] == "finish"), default=0)
        if known["method"] == "default":
            for label, reference in self._references().items():
                session.attach_reference(label, [reference])
        for action in actions[begin:]:
            if action["kind"] in PROMPTS:
                if session.label != action.get("label"):
                    session.aim_at(action.get("label"))
                self._prompt(session, action)
        return session.mask if session.prediction is not None else None

    def _prompt(self, session: Session, action: dict[str, Any]) -> None:
        if action["kind"] == "box":
            session.box(action["x0"], action["y0"], action["x1"], action["y1"])
        else:
            session.click(action["x"], action["y"], is_positive=action["is_positive"])

    def _references(self) -> dict[str, Reference]:
        lines = sorted(
            (line for lines in self.standing.values() for line in lines),
            key=lambda line: line["sequence"],
        )
        found: dict[str, Reference] = {}
        for action in (line["action"] for line in lines):
            if action["kind"] == "unreference":
                found.pop(action["label"], None)
            if action["kind"] == "reference":
                found[action["label"]] = Reference(
                    image=read_image(self.folder / self.names[action["picture"]]),
                    positive=decode_rle(action["positive_mask"]),
                    negative=decode_rle(action["negative_mask"]),
                )
        return found

    def _build(self, known: dict[str, Any]) -> Any:
        backbone = known.get("backbone")
        settings = {} if backbone is None else {
            f"backbone.{key}": value for key, value in backbone["settings"].items()
        }  # fmt: skip
        name = None if backbone is None else backbone["name"]
        return create_method(known["method"], backbone=name, **known["settings"], **settings)


def test_every_finished_mask_comes_again_from_the_record(
    record: tuple[list[dict[str, Any]], dict[str, Any]], folder: Path
):
    lines, answerers = record
    replay = Replay(folder, answerers)
    compared = 0
    for line in sorted(lines, key=lambda line: line["sequence"]):
        if line["action"]["kind"] == "finish":
            before = replay.masks[line["picture"]]
            np.testing.assert_array_equal(before, decode_rle(line["action"]["mask"]))
            compared += 1
        replay.take(line)
    assert compared == 4


def test_the_record_names_settings_and_the_checksums_of_the_weights(
    record: tuple[list[dict[str, Any]], dict[str, Any]],
):
    lines, answerers = record
    by_method = {known["method"]: known for known in answerers.values()}
    assert sorted(by_method) == ["default", "graphcut"]
    assert {line["answerer"] for line in lines} == set(answerers)
    assert by_method["graphcut"]["weights"] == {}
    files = {
        "builtin.onnx": "fewclicks.backbones",
        "evidence_builtin.safetensors": "fewclicks.methods.markov",
        "shape.onnx": "fewclicks.methods.markov",
    }
    assert by_method["default"]["weights"] == {
        name: hashlib.sha256((resources.files(where) / name).read_bytes()).hexdigest()
        for name, where in files.items()
    }
    assert by_method["default"]["fewclicks"] == fewclicks.__version__


def test_another_setting_is_another_answerer():
    known = describe_answerer("graphcut", create_method("graphcut"))
    other = describe_answerer("graphcut", create_method("graphcut", radius=3))
    again = describe_answerer("graphcut", create_method("graphcut"))
    assert known == again
    assert known.sha256 != other.sha256


def test_a_network_in_a_folder_is_named_by_the_checksums_of_its_files(tmp_path: Path):
    pytest.importorskip("torch")
    place = save_vit("vit", tmp_path / "vit")
    method = create_method("fewclicks", backbone=str(place))
    weights = json.loads(describe_answerer("fewclicks", method).content)["weights"]
    file = place / "model.safetensors"
    assert weights["model.safetensors"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "evidence_vit.safetensors" in weights
