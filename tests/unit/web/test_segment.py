from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from annotated_folder import Hand, make_folder
from drawing import BLOB
from fewclicks.images.masks import decode_rle, encode_rle, iou
from fewclicks.web.app import create_app

CLICKS = [{"x": 32, "y": 22}, {"x": 70, "y": 50, "is_positive": False}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("segment") / "pictures")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    app = create_app(folder, method="graphcut")
    with TestClient(app, base_url="http://127.0.0.1") as client:
        client.headers.update(Hand(client).headers)
        yield client


@pytest.fixture(scope="module")
def content(folder: Path) -> bytes:
    return (folder / "sub" / "c.png").read_bytes()


def send_form(client: TestClient, content: bytes, clicks: object = CLICKS, **form: Any) -> Any:
    files = {"image": ("x.png", content)}
    if "previous" in form:
        files["previous"] = ("p.png", form.pop("previous"))
    data = {"clicks": json.dumps(clicks), **form}
    return client.post("/v1/segment", files=files, data=data)


def send_json(client: TestClient, content: bytes, **body: Any) -> Any:
    image = base64.b64encode(content).decode()
    return client.post("/v1/segment", json={"image": image, "clicks": CLICKS, **body})


def shown(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.array(Image.open(io.BytesIO(answer.content))) == 255


def test_a_form_and_json_give_the_same_mask_and_nothing_is_kept(client: TestClient, content: bytes):
    mask = shown(send_form(client, content))
    assert iou(mask, BLOB) > 0.9
    np.testing.assert_array_equal(shown(send_json(client, content)), mask)
    assert client.get("/api/project").json()["pictures"] == 3


def test_run_lengths_come_where_the_form_or_the_accept_header_asks_for_them(
    client: TestClient, content: bytes
):
    mask = shown(send_form(client, content))
    asked = send_form(client, content, format="rle").json()["rle"]
    np.testing.assert_array_equal(decode_rle(asked), mask)
    client.headers["accept"] = "application/json"
    assert send_json(client, content).json()["rle"] == asked
    shown(send_json(client, content, format="png"))
    client.headers["accept"] = "*/*"


def test_a_box_keeps_the_mask_inside_and_may_come_alone(client: TestClient, content: bytes):
    box = [15, 10, 45, 20]
    mask = shown(send_form(client, content, clicks=[], box=json.dumps(box)))
    assert mask.any()
    mask[10:20, 15:45] = False
    assert not mask.any()
    by_json = send_json(client, content, clicks=[], box=box, format="rle").json()["rle"]
    by_form = send_form(client, content, clicks=[], box=json.dumps(box), format="rle")
    assert by_json == by_form.json()["rle"]


def test_a_previous_mask_comes_as_a_picture_or_as_run_lengths(client: TestClient, content: bytes):
    drawn = io.BytesIO()
    Image.fromarray(BLOB.astype(np.uint8) * 255).save(drawn, "PNG")
    by_form = shown(send_form(client, content, previous=drawn.getvalue()))
    by_json = shown(send_json(client, content, previous=encode_rle(BLOB)))
    np.testing.assert_array_equal(by_form, by_json)


def refused(answer: Any, status: int = 422) -> str:
    assert answer.status_code == status, answer.text
    said: str = answer.json()["error"]
    assert "\n" not in said
    assert "/tmp" not in said
    return said


@pytest.mark.parametrize(
    ("content", "clicks", "complaint"),
    [
        (b"no picture", CLICKS, "no picture in a known format"),
        (b"", CLICKS, "empty"),
        (None, [], "neither a click nor a box"),
        (None, [{"x": 999, "y": 1}], "outside the image"),
        (None, [{"x": 1.5, "y": 1}], "clicks"),
        (None, {"x": 1}, "clicks"),
        (None, CLICKS * 101, "clicks"),
    ],
)
def test_a_bad_form_gets_one_line(
    client: TestClient, folder: Path, content: bytes | None, clicks: object, complaint: str
):
    whole = (folder / "a.png").read_bytes() if content is None else content
    assert complaint in refused(send_form(client, whole, clicks))


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"box": "[1, 2"}, "no JSON"),
        ({"box": "[1, 2, 3]"}, "box"),
        ({"box": "[9, 9, 3, 3]"}, "empty"),
        ({"format": "gif"}, "format"),
        ({"colour": "red"}, "'colour'"),
        ({"previous": b"x"}, "The previous mask"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(
    client: TestClient, content: bytes, form: dict[str, Any], complaint: str
):
    assert complaint in refused(send_form(client, content, **form))


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"image": "äöü"}, "base64"),
        ({"clicks": "many"}, "clicks"),
        ({"previous": encode_rle(BLOB.T.copy())}, "needs the size of its picture"),
        ({"previous": {"size": [60, 80], "counts": "1"}}, "fill"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_json_gets_one_line(
    client: TestClient, content: bytes, body: dict[str, Any], complaint: str
):
    assert complaint in refused(send_json(client, content, **body))


def test_what_is_neither_form_nor_json_nor_has_a_picture_is_refused(client: TestClient):
    sent = client.post("/v1/segment", content=b"x", headers={"content-type": "text/plain"})
    assert "multipart/form-data" in refused(sent, 415)
    assert "image" in refused(client.post("/v1/segment", files={"previous": b"x"}))
    assert "image" in refused(client.post("/v1/segment", json={"clicks": CLICKS}))


def test_nobody_segments_without_a_log_in(client: TestClient, content: bytes):
    answer = client.post("/v1/segment", files={"image": content}, headers={"authorization": ""})
    assert "Log in" in refused(answer, 401)


def test_both_kinds_of_request_are_documented(client: TestClient):
    route = client.get("/openapi.json").json()["paths"]["/v1/segment"]["post"]
    form, body = (kind["schema"] for kind in route["requestBody"]["content"].values())
    assert form["properties"].keys() == body["properties"].keys()
    assert body["properties"]["clicks"]["items"]["required"] == ["x", "y"]
    assert set(route["responses"]["200"]["content"]) == {"image/png", "application/json"}
    assert {"413", "415", "422"} < route["responses"].keys()
