"""Label Studio's requests, as its connector sends them, and what its page draws from the answer."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from drawing import BLOB, paint
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import iou
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session
from fewclicks.web.label_config import read_label_config
from fewclicks.web.region_prompts import RegionPrompts
from fewclicks.web.service import ServiceSettings, create_service

HEIGHT, WIDTH = BLOB.shape
CONFIG = """
<View>
  <!-- as the documentation of interactive segmentation has it -->
  <Image name="image" value="$photo" zoom="true"/>
  <BrushLabels name="brush" toName="image">
    <Label value="Dog" background="#FF0000"/><Label value="Cat" background="#0d14d3"/>
  </BrushLabels>
  <KeyPointLabels name="point" toName="image" smart="true">
    <Label value="Dog" smart="true" background="#e51515"/>
    <Label value="Cat" smart="true" background="#412cdd"/>
  </KeyPointLabels>
  <RectangleLabels name="box" toName="image" smart="true">
    <Label value="Dog"/><Label value="Cat"/>
  </RectangleLabels>
</View>
"""
PICTURE = paint(BLOB)


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG")
    return file.getvalue()


PHOTO = "data:image/png;base64," + base64.b64encode(png()).decode()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_service(ServiceSettings(method="graphcut"))
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5)) as client:
        yield client


def region(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": value,
        "id": "fBWXUz3JVt",
        "from_name": "point",
        "to_name": "image",
        "type": kind,
        "origin": "manual",
        **more,
    }


def point(x: int, y: int, *, is_positive: bool = True, label: str = "Dog") -> dict[str, Any]:
    """Draw with the smart key point tool in the middle of a pixel."""
    value = {
        "x": (x + 0.5) * 100 / WIDTH,
        "y": (y + 0.5) * 100 / HEIGHT,
        "width": 0.3,
        "keypointlabels": [label],
        "labels": [label],
    }
    return region("keypointlabels", value, is_positive=is_positive)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> dict[str, Any]:
    value = {
        "x": x0 * 100 / WIDTH,
        "y": y0 * 100 / HEIGHT,
        "width": (x1 - x0) * 100 / WIDTH,
        "height": (y1 - y0) * 100 / HEIGHT,
        "rotation": 0,
        "rectanglelabels": ["Dog"],
    }
    return region("rectanglelabels", value)


def request(*drawn: dict[str, Any], **more: Any) -> dict[str, Any]:
    context = {"result": list(drawn), "annotation_id": 7} if drawn else None
    return {
        "tasks": [{"id": 3, "data": {"photo": PHOTO}, "annotations": [], "predictions": []}],
        "model_version": "undefined",
        "project": "1.1697041870",
        "label_config": CONFIG,
        "params": {"login": None, "password": None, "context": context},
        **more,
    }


def read_brush(value: dict[str, Any]) -> np.ndarray:
    """Read the published bit format, a run at a time."""
    bits = "".join(f"{byte:08b}" for byte in value["rle"])
    count, sizes = int(bits[:32], 2), [int(bits[at : at + 4], 2) + 1 for at in range(37, 53, 4)]
    values, at = [], 53
    while len(values) < count:
        size = sizes[int(bits[at + 1 : at + 3], 2)]
        assert bits[at] == "1"
        length = int(bits[at + 3 : at + 3 + size], 2) + 1
        values += [int(bits[at + 3 + size : at + 11 + size], 2)] * length
        at += 11 + size
    return np.array(values).reshape(HEIGHT, WIDTH, 4)[..., 3] > 0


def test_health_setup_and_versions_answer_as_the_connector_reads_them(client: TestClient):
    assert client.get("/health").json()["status"] == "UP"
    asked = {
        "project": "1.1697041870",
        "schema": CONFIG,
        "hostname": "http://localhost:8080",
        "access_token": "abc",
        "extra_params": None,
    }
    version = client.post("/setup", json=asked).json()["model_version"]
    assert version.startswith("fewclicks-")
    assert version.endswith("-graphcut")
    assert client.get("/versions").json() == {"versions": [version]}
    assert client.post("/versions", json={"project": "1.2"}).json() == {"versions": [version]}
    hook = {"action": "ANNOTATION_CREATED", "annotation": {}, "project": {"id": 1}}
    assert client.post("/webhook", json=hook).status_code == 200


def test_points_become_a_brush_region_of_the_picture(client: TestClient):
    drawn = [point(32, 22), point(70, 50, is_positive=False)]
    answer = client.post("/predict", json=request(*drawn)).json()
    (prediction,) = answer["results"]
    (found,) = prediction["result"]
    assert prediction["model_version"] == answer["model_version"]
    assert (found["from_name"], found["to_name"]) == ("brush", "image")
    assert found["type"] == "brushlabels"
    assert (found["original_width"], found["original_height"]) == (WIDTH, HEIGHT)
    assert found["image_rotation"] == 0
    assert found["value"]["format"] == "rle"
    assert found["value"]["brushlabels"] == ["Dog"]
    mask = read_brush(found["value"])
    session = Session(create_method("graphcut"), PICTURE)
    session.click(32, 22)
    session.click(70, 50, is_positive=False)
    np.testing.assert_array_equal(mask, session.mask)
    assert iou(mask, BLOB) > 0.9


def test_a_rectangle_keeps_the_region_inside(client: TestClient):
    answer = client.post("/predict", json=request(rectangle(15, 10, 45, 20))).json()
    mask = read_brush(answer["results"][0]["result"][0]["value"])
    assert mask.any()
    mask[10:20, 15:45] = False
    assert not mask.any()


def test_a_task_on_which_nothing_is_drawn_has_no_prediction(client: TestClient):
    for asked in (request(), request(params={}), request(region("brushlabels", {"rle": [0]}))):
        answer = client.post("/predict", json=asked)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"] == []


def test_the_config_of_setup_serves_where_predict_brings_none(client: TestClient):
    asked = request(point(32, 22, label="Cat"), label_config=None, project="9.1")
    assert "send /setup first" in client.post("/predict", json=asked).json()["error"]
    client.post("/setup", json={"project": "9.1", "schema": CONFIG})
    found = client.post("/predict", json=asked).json()["results"][0]["result"][0]
    assert found["value"]["brushlabels"] == ["Cat"]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (request(point(32, 22, label="Cow")), "'Cow', which is no label"),
        (request(point(32, 22), tasks=[]), "no task"),
        (request(point(32, 22), tasks=[{"data": {"image": PHOTO}}]), "'photo'"),
        (request(point(32, 22), label_config="<View/>"), "has no brush"),
        (request(point(32, 22), label_config="<View"), "no XML"),
        (request(point(32, 22) | {"image_rotation": 90}), "turned"),
        (request(point(32, 22) | {"original_width": 81}), "81 x 60"),
        (request(point(32, 22) | {"value": {"x": "left", "y": 3}}), "drawn does not fit"),
        (request(point(32, 22), tasks=[{"data": {"photo": "http://10.0.0.1/"}}]), "not fetched"),
        (request(point(32, 22), tasks=[{"data": {"photo": "/data/upload/1/a"}}]), "LABEL_STUDIO_"),
        (request(point(32, 22), tasks=[{"data": {"photo": "file:///etc/passwd"}}]), "no picture's"),
        (request(point(32, 22), tasks=[{"data": {"photo": "data:,x"}}]), "base64"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_line(
    client: TestClient, asked: dict[str, Any], complaint: str
):
    answer = client.post("/predict", json=asked)
    assert answer.status_code == 422
    assert complaint in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def prompts_of(*drawn: dict[str, Any]) -> Any:
    read = RegionPrompts.of(drawn)
    assert read is not None
    return read.prompts


def test_every_pixel_comes_back_from_percents():
    for x in range(WIDTH):
        for offset in (0.0, 0.5):
            one = region("keypoint", {"x": (x + offset) * 100 / WIDTH + 1e-9, "y": 0})
            assert prompts_of(one).clicks == (Click(x=x, y=0),)
    corner = region("keypoint", {"x": 100, "y": 100})
    assert prompts_of(corner).clicks == (Click(x=WIDTH - 1, y=HEIGHT - 1),)


def test_boxes_come_back_from_percents_and_the_last_one_counts():
    for x0, y0, x1, y1 in [(0, 0, WIDTH, HEIGHT), (1, 2, 3, 4), (33, 7, 71, 59)]:
        assert prompts_of(rectangle(9, 9, 20, 20), rectangle(x0, y0, x1, y1)).box == Box(
            x0, y0, x1, y1
        )
    backwards = region("rectangle", {"x": 50, "y": 50, "width": -25, "height": -50})
    assert prompts_of(backwards).box == Box(WIDTH // 4, 0, WIDTH // 2, HEIGHT // 2)
    flat = region("rectangle", {"x": 100, "y": 100, "width": 0, "height": 0})
    assert prompts_of(flat).box == Box(WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT)


def test_a_point_that_does_not_say_is_positive():
    one = point(3, 4)
    del one["is_positive"]
    assert prompts_of(one).clicks == (Click(x=3, y=4),)


def test_a_config_names_the_brush_its_picture_and_its_labels():
    tag = read_label_config(CONFIG)
    assert (tag.from_name, tag.to_name, tag.key) == ("brush", "image", "photo")
    assert tag.labels == ("Dog", "Cat")
    one = read_label_config(CONFIG.replace('<Label value="Cat" background="#0d14d3"/>', ""))
    assert one.check_label(None) == "Dog"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><View/>', "declarations"),
        ('<View><BrushLabels name="b" toName="i"/></View>', "on no picture"),
        (CONFIG.replace("$photo", "http://a.org/b.png"), "on no picture"),
        ("", "no XML"),
    ],
)
def test_a_config_that_is_of_no_use_is_refused(text: str, complaint: str):
    with pytest.raises(InputError, match=complaint):
        read_label_config(text)
