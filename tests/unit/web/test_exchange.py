from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from annotated_folder import INSIDE, OUTSIDE, Hand, make_folder, mask_of
from drawing import BLOB
from fewclicks.errors import FewclicksError
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
from fewclicks.images.masks import decode_rle, iou
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session
from fewclicks.web.app import create_app
from fewclicks.web.context import Context
from fewclicks.web.exchange import collect, take, write_record

HOST = "http://127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder, method="graphcut"), base_url=HOST) as client:
        yield client


@pytest.fixture
def context(client: TestClient) -> Context:
    found: Context = client.app.state.context  # type: ignore[attr-defined]
    return found


def _annotate(client: TestClient) -> Hand:
    anna = Hand(client)
    anna.act(1, **INSIDE)
    anna.act(1, **OUTSIDE)
    anna.act(1, kind="finish", label="blob")
    anna.act(1, kind="click", x=5, y=5, is_positive=True)
    anna.act(1, kind="undo")
    return anna


def test_the_download_is_a_zip_whose_masks_are_those_on_the_page(client: TestClient):
    anna = _annotate(client)
    answer = client.get("/api/export?format=coco", headers=anna.headers)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        content = json.loads(archive.read("annotations.json"))
    (one,) = content["annotations"]
    shown = anna.get("/api/pictures/1")["objects"][0]["rle"]
    assert one["segmentation"] == shown
    assert [image["file_name"] for image in content["images"]] == ["a.png"]


def test_every_format_that_is_offered_can_be_downloaded(client: TestClient):
    anna = _annotate(client)
    for offered in anna.get("/api/formats"):
        answer = client.get(f"/api/export?format={offered['name']}", headers=anna.headers)
        assert answer.status_code == 200
        assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert client.get("/api/export?format=psd", headers=anna.headers).status_code == 404


def test_done_pictures_are_exported_even_where_nothing_is_on_them(
    client: TestClient, context: Context
):
    _annotate(client)
    context.store.set_state(2, "done")
    assert [p.name for p in collect(context.store).pictures] == ["a.png", "b.png"]
    assert [p.name for p in collect(context.store, only_done=True).pictures] == ["b.png"]


def test_the_record_can_be_replayed_to_the_same_mask(
    client: TestClient, context: Context, folder: Path, tmp_path: Path
):
    anna = _annotate(client)
    (path,) = write_record(context.store, tmp_path / "out")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["action"]["kind"], line["standing"]) for line in lines] == [
        ("click", "done"), ("click", "done"), ("finish", "done"),
        ("click", "undone"), ("undo", "log"),
    ]  # fmt: skip
    session = Session(create_method(lines[0]["method"]), np.array(Image.open(folder / "a.png")))
    for line in lines[:2]:
        click = line["action"]
        session.click(click["x"], click["y"], is_positive=click["is_positive"])
    shown = mask_of(anna.get("/api/pictures/1")["objects"][0]["rle"])
    np.testing.assert_array_equal(session.mask, shown)


def test_an_import_begins_untouched_pictures_and_leaves_the_others_alone(
    client: TestClient, context: Context
):
    anna = _annotate(client)
    given = tuple(AnnotatedObject.of("given", BLOB) for _ in range(2))
    pictures = [
        AnnotatedPicture(name=name, height=60, width=80, objects=given)
        for name in ("a.png", "b.png", "elsewhere.png")
    ]
    taken = take(context.store, Annotations(pictures=pictures, labels=("given",)), annotator=1)
    assert (taken.objects, taken.unknown, taken.annotated) == (2, ("elsewhere.png",), ("a.png",))
    assert [one["label"] for one in anna.get("/api/pictures/2")["objects"]] == ["given"] * 2
    assert [one["label"] for one in anna.get("/api/pictures/1")["objects"]] == ["blob"]
    assert anna.act(2, kind="undo")["objects"][0]["label"] == "given"


def test_an_import_of_another_size_than_the_picture_is_refused(context: Context):
    one = AnnotatedObject.of("given", BLOB.T.copy())
    picture = AnnotatedPicture(name="b.png", height=80, width=60, objects=(one,))
    with pytest.raises(FewclicksError, match="was annotated as 60 x 80"):
        take(context.store, Annotations(pictures=[picture]), annotator=1)


def _segment(client: TestClient, hand: Hand, content: bytes, clicks: object, **form: str):
    return client.post(
        "/v1/segment",
        files={"image": ("x.png", content)},
        data={"clicks": json.dumps(clicks), **form},
        headers=hand.headers,
    )


def test_a_picture_from_anywhere_is_segmented_and_not_kept(client: TestClient, folder: Path):
    hand = Hand(client)
    content = (folder / "sub" / "c.png").read_bytes()
    clicks = [{"x": 32, "y": 22}, {"x": 70, "y": 50, "is_positive": False}]
    png = _segment(client, hand, content, clicks)
    assert png.headers["content-type"] == "image/png"
    mask = np.array(Image.open(io.BytesIO(png.content))) == 255
    assert iou(mask, BLOB) > 0.9
    rle = _segment(client, hand, content, clicks, answer="rle").json()["rle"]
    np.testing.assert_array_equal(decode_rle(rle), mask)
    assert hand.get("/api/project")["pictures"] == 3


@pytest.mark.parametrize(
    ("content", "clicks", "complaint"),
    [
        (b"no picture", [{"x": 1, "y": 1}], "no picture in a known format"),
        (b"", [{"x": 1, "y": 1}], "empty"),
        (None, [], "clicks"),
        (None, [{"x": 999, "y": 1}], "outside the image"),
        (None, [{"x": 1.5, "y": 1}], "clicks"),
        (None, {"x": 1}, "clicks"),
    ],
)
def test_a_bad_request_to_segment_gets_one_line(
    client: TestClient, folder: Path, content: bytes | None, clicks: object, complaint: str
):
    whole = (folder / "a.png").read_bytes() if content is None else content
    answer = _segment(client, Hand(client), whole, clicks)
    assert answer.status_code == 422
    said = answer.json()["error"]
    assert complaint in said
    assert "\n" not in said
    assert "/tmp" not in said


def test_a_method_without_exemplars_says_so(client: TestClient):
    anna = _annotate(client)
    answer = client.post("/api/pictures/1/proposals", json={"object": 3}, headers=anna.headers)
    assert answer.status_code == 422
    assert "takes no exemplar" in answer.json()["error"]


def test_figures_come_as_prometheus_reads_them(client: TestClient):
    anna = _annotate(client)
    text = client.get("/metrics", headers=anna.headers).text
    assert "fewclicks_pictures 3\n" in text
    assert client.get("/metrics").status_code == 401
