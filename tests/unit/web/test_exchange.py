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
from fewclicks.errors import FewclicksError, InputError
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
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
    context.store.set_state(2, "done", annotator=1)
    assert [p.name for p in collect(context.store).pictures] == ["a.png", "b.png"]
    assert [p.name for p in collect(context.store, only_done=True).pictures] == ["b.png"]


def test_a_done_picture_that_is_gone_does_not_stop_the_others(
    client: TestClient, context: Context, folder: Path
):
    _annotate(client)
    context.store.set_state(2, "done", annotator=1)
    (folder / "b.png").unlink()
    assert [p.name for p in collect(context.store).pictures] == ["a.png"]
    (folder / "a.png").unlink()
    assert [p.name for p in collect(context.store).pictures] == ["a.png"]


def test_the_record_can_be_replayed_to_the_same_mask(
    client: TestClient, context: Context, folder: Path, tmp_path: Path
):
    anna = _annotate(client)
    path, _ = write_record(context.store, tmp_path / "out")
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


@pytest.mark.parametrize("label", ["", "a\tb", "a" * 201])
def test_an_import_with_a_label_that_cannot_be_one_takes_nothing(label: str, context: Context):
    pictures = [
        AnnotatedPicture(
            name=name, height=60, width=80, objects=(AnnotatedObject.of(called, BLOB),)
        )
        for name, called in (("a.png", "blob"), ("b.png", label))
    ]
    with pytest.raises(InputError, match="is no label; needs 1 to 200 signs in one line"):
        take(context.store, Annotations(pictures=pictures), annotator=1)
    assert {row.state for row in context.store.pictures()} == {"new"}
    assert not context.store.labels()


def test_an_import_with_one_picture_of_another_size_takes_nothing(context: Context):
    pictures = [
        AnnotatedPicture(
            name=name,
            height=drawn.shape[0],
            width=drawn.shape[1],
            objects=(AnnotatedObject.of("given", drawn),),
        )
        for name, drawn in (("a.png", BLOB), ("b.png", BLOB.T.copy()))
    ]
    with pytest.raises(FewclicksError, match="was annotated as 60 x 80"):
        take(context.store, Annotations(pictures=pictures), annotator=1)
    assert {row.state for row in context.store.pictures()} == {"new"}


def test_a_picture_that_is_listed_twice_gets_the_objects_of_both(
    client: TestClient, context: Context
):
    Hand(client)
    one, other = (
        AnnotatedPicture(
            name="a.png", height=60, width=80, objects=(AnnotatedObject.of(called, BLOB),)
        )
        for called in ("one", "other")
    )
    taken = take(context.store, Annotations(pictures=[one, other]), annotator=1)
    assert (taken.objects, taken.annotated) == (2, ())


def test_a_method_without_exemplars_says_so(client: TestClient):
    anna = _annotate(client)
    answer = anna.send(1, {"kind": "others", "object": 3})
    assert answer.status_code == 422
    assert "takes no exemplar" in answer.json()["error"]


def test_figures_come_as_prometheus_reads_them(client: TestClient):
    anna = _annotate(client)
    text = client.get("/metrics", headers=anna.headers).text
    assert "fewclicks_pictures 3\n" in text
    assert client.get("/metrics").status_code == 401
