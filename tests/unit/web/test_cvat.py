"""The interactor, with a context and an event such as nuclio makes, and requests as CVAT's."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from drawing import BLOB, paint
from fewclicks.errors import UnknownEntryError
from fewclicks.images.masks import iou
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session

FUNCTION = Path(__file__).resolve().parents[3] / "integrations" / "cvat"
PICTURE = paint(BLOB)


@dataclass
class Response:
    """nuclio_sdk.Response, as far as functions use it."""

    body: str
    headers: dict[str, str]
    content_type: str
    status_code: int


class Logger:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str) -> None:
        self.lines.append(message)

    warn = info


@dataclass
class Context:
    logger: Logger = field(default_factory=Logger)
    user_data: SimpleNamespace = field(default_factory=SimpleNamespace)
    Response: type[Response] = Response


def load() -> Any:
    spec = importlib.util.spec_from_file_location("cvat_main", FUNCTION / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def context() -> Context:
    context = Context()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWCLICKS_METHOD", "graphcut")
        load().init_context(context)
    return context


def image() -> str:
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def request(**more: Any) -> dict[str, Any]:
    """A request of CVAT's lambda manager."""
    asked = {"image": image(), "pos_points": [[32.4, 22.9]], "neg_points": [], "obj_bbox": None}
    return asked | more


def call(context: Context, body: Any) -> Response:
    answer: Response = load().handler(context, SimpleNamespace(body=body))
    assert answer.content_type == "application/json"
    return answer


def mask_of(answer: Response) -> np.ndarray:
    assert answer.status_code == 200, answer.body
    rows = json.loads(answer.body)["mask"]
    assert {value for row in rows for value in row} <= {0, 1}
    return np.array(rows, dtype=bool)


def test_the_interactor_gives_the_mask_of_a_session(context: Context):
    mask = mask_of(call(context, request(neg_points=[[70.5, 50.5]])))
    session = Session(create_method("graphcut"), PICTURE)
    session.click(32, 22)
    session.click(70, 50, is_positive=False)
    np.testing.assert_array_equal(mask, session.mask)
    assert iou(mask, BLOB) > 0.9


@pytest.mark.parametrize(
    "box", [[[15.2, 10.1], [44.7, 19.5]], [[44.7, 19.5], [15.2, 10.1]], [15, 10, 45, 20]]
)
def test_a_box_comes_as_corners_in_any_order_or_as_four_numbers(context: Context, box: Any):
    mask = mask_of(call(context, request(pos_points=[], obj_bbox=box)))
    assert mask.any()
    mask[10:20, 15:45] = False
    assert not mask.any()


def test_a_body_that_nuclio_did_not_parse_is_parsed(context: Context):
    wanted = mask_of(call(context, request()))
    got = call(context, json.dumps(request(obj_bbox=[], threshold=0.5)).encode())
    np.testing.assert_array_equal(mask_of(got), wanted)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (request(pos_points=[]), "neither a click nor a box"),
        (request(pos_points=[[900, 3]]), "outside the image"),
        (request(pos_points=[["a", 3]]), "pos_points"),
        (request(obj_bbox=[1, 2, 3]), "obj_bbox"),
        (request(image="?"), "base64"),
        (request(image="AAAA"), "The picture"),
        ({"pos_points": []}, "image"),
        (b"{", "does not fit"),
        (None, "does not fit"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_line(context: Context, body: Any, complaint: str):
    answer = call(context, body)
    assert answer.status_code == 400
    said = json.loads(answer.body)["error"]
    assert complaint in said
    assert "\n" not in said
    assert context.logger.lines[-1] == said


def test_a_method_that_does_not_exist_is_refused_when_the_function_starts(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("FEWCLICKS_METHOD", "grafcut")
    with pytest.raises(UnknownEntryError, match="graphcut"):
        load().init_context(Context())


def test_the_function_is_described_as_an_interactor_that_the_page_supports():
    function = yaml.safe_load((FUNCTION / "function.yaml").read_text())
    notes = function["metadata"]["annotations"]
    assert notes["type"] == "interactor"
    assert int(notes["version"]) >= 2  # older ones are not shown
    assert json.loads(notes.get("spec") or "[]") == []
    module, _, name = function["spec"]["handler"].partition(":")
    assert (FUNCTION / f"{module}.py").is_file()
    assert callable(getattr(load(), name))
    assert callable(load().init_context)
