from __future__ import annotations

import io
import json
import socket
import threading
import time
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import StaticPool, create_engine
from starlette.testclient import TestClient

from annotated_folder import INSIDE, OUTSIDE, Hand, make_folder, mask_of
from drawing import BLOB
from fewclicks.errors import WeightsError
from fewclicks.images.masks import encode_rle, iou
from fewclicks.images.reading import read_image
from fewclicks.methods.registry import create_method
from fewclicks.session.session import Session
from fewclicks.web import database, model
from fewclicks.web.app import create_app
from fewclicks.web.server import serve

HOST = "http://127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def client(folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(folder, database=f"sqlite:///{tmp_path / 'a.sqlite'}", method="graphcut")
    with TestClient(app, base_url=HOST) as client:
        yield client


@pytest.fixture
def anna(client: TestClient) -> Hand:
    return Hand(client)


@pytest.fixture
def picture(anna: Hand) -> int:
    return int(anna.get("/api/pictures")["pictures"][0][0])


def test_the_mask_is_the_very_one_that_a_session_gives(anna: Hand, picture: int, folder: Path):
    anna.act(picture, **INSIDE)
    answer = anna.act(picture, **OUTSIDE)
    session = Session(create_method("graphcut"), read_image(folder / "a.png"))
    session.click(32, 22)
    session.click(70, 50, is_positive=False)
    np.testing.assert_array_equal(mask_of(answer["active"]["rle"]), session.mask)
    assert iou(session.mask, BLOB) > 0.9
    assert [click["is_positive"] for click in answer["active"]["clicks"]] == [True, False]


def test_undo_and_redo_give_the_masks_that_were_there(anna: Hand, picture: int):
    masks = [anna.act(picture, **action)["active"]["rle"] for action in (INSIDE, OUTSIDE)]
    assert anna.act(picture, kind="undo")["active"]["rle"] == masks[0]
    assert anna.act(picture, kind="undo")["active"]["rle"] is None
    assert anna.act(picture, kind="redo")["active"]["rle"] == masks[0]
    assert anna.act(picture, kind="redo")["active"]["rle"] == masks[1]


def test_brush_and_eraser_change_the_mask_where_they_pass(anna: Hand, picture: int):
    before = mask_of(anna.act(picture, **INSIDE)["active"]["rle"])
    stroke = {"kind": "brush", "points": [[65, 5], [75, 5]], "radius": 3, "is_positive": True}
    painted = mask_of(anna.act(picture, **stroke)["active"]["rle"])
    assert painted[5, 65:75].all()
    assert not (before & ~painted).any()
    erased = mask_of(anna.act(picture, **{**stroke, "is_positive": False})["active"]["rle"])
    np.testing.assert_array_equal(erased, before & ~painted | before)


def test_a_finished_object_keeps_its_pixels_and_the_next_one_keeps_off(anna: Hand, picture: int):
    first = mask_of(anna.act(picture, **INSIDE)["active"]["rle"])
    done = anna.act(picture, kind="finish", label="blob")
    np.testing.assert_array_equal(mask_of(done["objects"][0]["rle"]), first)
    assert done["active"]["rle"] is None
    other = anna.act(picture, kind="click", x=5, y=5, is_positive=True)
    assert not (mask_of(other["active"]["rle"]) & first).any()
    refused = anna.send(picture, INSIDE)
    assert refused.status_code == 422
    assert "click elsewhere" in refused.json()["error"]
    assert anna.get(f"/api/pictures/{picture}")["active"]["rle"] == other["active"]["rle"]


def test_a_reopened_object_shows_its_mask_and_goes_on_from_its_clicks(anna: Hand, picture: int):
    anna.act(picture, **INSIDE)
    done = anna.act(picture, kind="finish", label="blob")
    number = done["objects"][0]["id"]
    again = anna.act(picture, kind="reopen", object=number)
    assert again["objects"] == []
    assert again["active"]["rle"] == done["objects"][0]["rle"]
    assert again["active"]["reopened"] == number
    anna.act(picture, **OUTSIDE)
    finished = anna.act(picture, kind="finish", label="round blob")
    assert [(one["id"], one["label"]) for one in finished["objects"]] == [(number, "round blob")]


def test_a_mask_from_elsewhere_becomes_an_object_that_can_be_corrected(anna: Hand, picture: int):
    added = anna.act(picture, kind="add", label="given", rle=dict(encode_rle(BLOB)))
    number = added["objects"][0]["id"]
    anna.act(picture, kind="reopen", object=number)
    stroke = {"kind": "brush", "points": [[70, 50]], "radius": 2, "is_positive": True}
    corrected = mask_of(anna.act(picture, **stroke)["active"]["rle"])
    assert corrected[50, 70]
    np.testing.assert_array_equal(corrected & BLOB, BLOB)


def test_a_restarted_server_shows_what_was_there(folder: Path, tmp_path: Path):
    database = f"sqlite:///{tmp_path / 'a.sqlite'}"
    with TestClient(create_app(folder, database=database, method="graphcut"), base_url=HOST) as one:
        hand = Hand(one)
        hand.act(1, **INSIDE)
        hand.act(1, kind="finish", label="blob")
        before = hand.act(1, kind="click", x=5, y=5, is_positive=True)
    with TestClient(create_app(folder, database=database), base_url=HOST) as two:
        after = two.get("/api/pictures/1", headers=hand.headers).json()
        assert two.get("/api/project", headers=hand.headers).json()["method"] == "graphcut"
    assert {**after, "ready": True} == {**before, "ready": True}


def test_nobody_comes_in_without_logging_in(client: TestClient):
    for path in ("/api/project", "/api/pictures", "/api/pictures/1", "/api/pictures/1/image"):
        assert client.get(path).status_code == 401
        wrong = client.get(path, headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401


def test_a_wrong_token_is_refused_and_the_right_one_lets_in(folder: Path, tmp_path: Path):
    app = create_app(folder, database=f"sqlite:///{tmp_path / 'a.sqlite'}", method="graphcut",
                     token="sesame", only_loopback=False)  # fmt: skip
    with TestClient(app) as client:
        refused = client.post("/api/login", json={"token": "open", "name": "Anna"})
        assert refused.status_code == 401
        assert Hand(client, token="sesame").get("/api/project")["pictures"] == 3


def test_another_annotator_is_told_who_works_on_the_picture(
    client: TestClient, anna: Hand, picture: int
):
    anna.act(picture, **INSIDE)
    ben = Hand(client, "Ben")
    refused = ben.send(picture, OUTSIDE)
    assert refused.status_code == 409
    assert "Anna is working on a.png" in refused.json()["error"]
    lease = client.post(f"/api/pictures/{picture}/lease", headers=ben.headers).json()
    assert (lease["holder"], lease["mine"]) == ("Anna", False)
    client.delete(f"/api/pictures/{picture}/lease", headers=anna.headers)
    assert len(ben.act(picture, **OUTSIDE)["active"]["clicks"]) == 2


def test_pictures_come_as_jpeg_and_never_larger_than_asked(
    client: TestClient, anna: Hand, picture: int
):
    for path, size in (
        ("image?longest=40", (40, 30)),
        ("image", (80, 60)),
        ("thumbnail", (80, 60)),
    ):
        answer = client.get(f"/api/pictures/{picture}/{path}", headers=anna.headers)
        assert answer.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == size


def test_hover_shows_what_a_click_would_give_and_keeps_nothing(
    client: TestClient, anna: Hand, picture: int
):
    anna.get(f"/api/pictures/{picture}")
    for _ in range(500):
        answer = client.post(
            f"/api/pictures/{picture}/hover", json={"x": 32, "y": 22}, headers=anna.headers
        )
        if answer.status_code == 200:
            break
        time.sleep(0.01)
    shown = mask_of(answer.json()["rle"])
    assert not anna.get(f"/api/pictures/{picture}")["can_undo"]
    np.testing.assert_array_equal(shown, mask_of(anna.act(picture, **INSIDE)["active"]["rle"]))


def test_another_method_answers_from_the_next_click_on(
    client: TestClient, anna: Hand, picture: int, folder: Path
):
    anna.act(picture, **INSIDE)
    path = "/api/project/method"
    changed = client.put(path, json={"method": "geodesic"}, headers=anna.headers)
    assert changed.json()["method"] == "geodesic"
    answer = anna.act(picture, **OUTSIDE)
    session = Session(create_method("geodesic"), read_image(folder / "a.png"))
    session.click(32, 22)
    session.click(70, 50, is_positive=False)
    np.testing.assert_array_equal(mask_of(answer["active"]["rle"]), session.mask)
    refused = client.put(path, json={"method": "geodesy"}, headers=anna.headers)
    assert refused.status_code == 404
    assert "Did you mean 'geodesic'" in refused.json()["error"]
    assert anna.get("/api/project")["method"] == "geodesic"


def test_levels_of_a_method_that_has_none_are_refused_in_one_line(anna: Hand, picture: int):
    anna.act(picture, **INSIDE)
    answer = anna.client.get(f"/api/pictures/{picture}/levels", headers=anna.headers)
    assert answer.status_code == 422
    assert "no levels" in answer.json()["error"]


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        ({"kind": "click", "x": 80, "y": 0, "is_positive": True}, "outside the picture"),
        ({"kind": "finish", "label": "cat"}, "still empty"),
        ({"kind": "finish", "label": "cat", "mask": {"size": [60, 80], "counts": "0"}}, "mask"),
        ({"kind": "click", "x": "a", "y": 0, "is_positive": True}, "does not fit"),
        ({"kind": "undo"}, "nothing to undo"),
        ({"kind": "level", "index": 0}, "level"),
        ({"kind": "nothing"}, "does not fit"),
    ],
)
def test_a_bad_action_gets_one_line_and_changes_nothing(
    anna: Hand, picture: int, action: dict[str, object], complaint: str
):
    before = anna.get(f"/api/pictures/{picture}")
    refused = anna.send(picture, action)
    assert refused.status_code == 422
    assert complaint in refused.json()["error"]
    assert "\n" not in refused.json()["error"]
    after = anna.get(f"/api/pictures/{picture}")
    assert (after["active"], after["can_undo"]) == (before["active"], before["can_undo"])


def test_a_picture_that_is_not_there_is_told_in_one_line(anna: Hand):
    for answer in (
        anna.client.get("/api/pictures/999", headers=anna.headers),
        anna.client.get("/api/pictures/999/image", headers=anna.headers),
        anna.send(999, INSIDE),
    ):
        assert answer.status_code == 422
        assert "no picture 999" in answer.json()["error"]


def test_a_damaged_picture_costs_nobody_the_others(tmp_path: Path):
    pictures = make_folder(tmp_path / "pictures")
    (pictures / "a.png").write_bytes((pictures / "a.png").read_bytes()[:300])
    promise = bytearray((pictures / "sub" / "c.png").read_bytes())
    promise[16:24] = (50_000).to_bytes(4, "big") * 2
    promise[29:33] = zlib.crc32(promise[12:29]).to_bytes(4, "big")
    (pictures / "sub" / "c.png").write_bytes(promise)
    app = create_app(pictures, method="graphcut")
    with TestClient(app, base_url=HOST) as client:
        anna = Hand(client)
        for picture, said in ((1, "damaged"), (3, "2500 megapixels; the limit is")):
            refused = anna.send(picture, INSIDE)
            assert refused.status_code == 422
            assert said in refused.json()["error"]
        shown = anna.client.get("/api/pictures/3/thumbnail", headers=anna.headers)
        assert shown.status_code == 422
        assert anna.act(2, **INSIDE)["active"]["rle"] is not None


def test_the_page_and_its_files_are_served(client: TestClient):
    assert "<title>" in client.get("/").text
    assert client.get("/static/rle.js").status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert client.get(path).status_code == 404


def _fill_disk(client: TestClient, *, is_full: bool) -> None:
    """Let SQLite believe that the disk holds not one page more, or that it holds plenty."""
    engine = client.app.state.context.engine  # type: ignore[attr-defined]
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages if is_full else 10**6}")


def test_on_a_full_disk_an_action_is_refused_for_now_and_nothing_is_lost(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # One connection, as the limit is the connection's own.
    monkeypatch.setattr(database, "create_engine", partial(create_engine, poolclass=StaticPool))
    url = f"sqlite:///{tmp_path / 'a.sqlite'}?check_same_thread=false"
    app = create_app(folder, database=url, method="graphcut")
    with TestClient(app, base_url=HOST) as client:
        anna = Hand(client)
        before = anna.act(1, **INSIDE)
        _fill_disk(client, is_full=True)
        long = {"kind": "scribble", "points": [[30.5, 20.5]] * 5000, "is_positive": True}
        name = str(uuid.uuid4())
        refused = anna.send(1, long, name=name)
        assert refused.status_code == 507
        assert "disk is full" in refused.json()["error"]
        assert "\n" not in refused.json()["error"]
        _fill_disk(client, is_full=False)
        assert anna.get("/api/pictures/1")["active"] == before["active"]
        assert anna.send(1, long, name=name).status_code == 200


def test_a_picture_that_vanishes_takes_no_annotation_with_it(tmp_path: Path):
    pictures = make_folder(tmp_path / "pictures")
    with TestClient(create_app(pictures, method="graphcut"), base_url=HOST) as client:
        anna = Hand(client)
        anna.act(1, **INSIDE)
        shown = anna.act(1, kind="finish", label="blob")["objects"][0]["rle"]
        (pictures / "a.png").unlink()
        (pictures / "b.png").unlink()
        refused = anna.send(2, INSIDE)
        assert refused.status_code == 404
        assert "There is no file" in refused.json()["error"]
        answer = client.get("/api/export?format=coco", headers=anna.headers)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            content = json.loads(archive.read("annotations.json"))
    assert [one["segmentation"] for one in content["annotations"]] == [shown]


def test_folders_of_one_name_are_different_projects(tmp_path: Path):
    ids = []
    for place in ("one", "two"):
        app = create_app(make_folder(tmp_path / place / "pictures"), method="graphcut")
        with TestClient(app, base_url=HOST) as client:
            project = Hand(client).get("/api/project")
            assert project["name"] == "pictures"
            ids.append(project["id"])
    assert ids[0] != ids[1]


def test_the_list_is_there_before_the_method_is_loaded_and_a_click_waits_for_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    may_load = threading.Event()

    def slowly(*_: Any, **__: Any) -> Any:
        assert may_load.wait(30)
        return create_method("graphcut")

    monkeypatch.setattr(model, "create_method", slowly)
    app = create_app(folder, database=f"sqlite:///{tmp_path / 'a.sqlite'}")
    with TestClient(app, base_url=HOST) as client, ThreadPoolExecutor() as threads:
        anna = Hand(client)
        assert len(anna.get("/api/pictures")["pictures"]) == 3
        assert anna.get("/api/project")["has_levels"]
        assert anna.get("/api/pictures/1")["ready"] is False
        click = threads.submit(lambda: anna.act(1, **INSIDE))
        time.sleep(0.2)
        assert not click.done()
        may_load.set()
        assert iou(mask_of(click.result()["active"]["rle"]), BLOB) > 0.9


def _gone(name: str, **_: Any) -> Any:
    raise WeightsError(f"The weights of '{name}' are gone.")


def test_a_server_whose_method_cannot_be_built_ends_and_says_why(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(model, "create_method", _gone)
    app = create_app(folder, database=f"sqlite:///{tmp_path / 'a.sqlite'}")
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(WeightsError, match="'default' are gone"),
    ):
        serve(app, listener)


def test_a_folder_keeps_no_method_that_cannot_be_built(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(model, "create_method", _gone)
    app = create_app(folder, database=f"sqlite:///{tmp_path / 'a.sqlite'}", method="graphcut")
    store = app.state.context.store
    with TestClient(app, base_url=HOST) as client:
        anna = Hand(client)
        assert anna.get("/api/project")["method"] == "graphcut"
        assert len(anna.get("/api/pictures")["pictures"]) == 3  # and begins to load
        with pytest.raises(WeightsError):
            app.state.answering.model.result()
        assert store.chosen == ("default", None)


def test_a_folder_keeps_a_method_once_it_is_loaded(client: TestClient, anna: Hand, picture: int):
    anna.act(picture, **INSIDE)
    chosen = client.app.state.context.store.chosen  # type: ignore[attr-defined]
    assert chosen == ("graphcut", None)


def test_a_folder_goes_on_with_the_backbone_it_had(folder: Path, tmp_path: Path):
    def open_with(**choice: str) -> tuple[str, str | None]:
        app = create_app(folder, database=f"sqlite:///{tmp_path / 'a.sqlite'}", **choice)
        with TestClient(app, base_url=HOST) as client:
            anna = Hand(client)
            anna.act(anna.get("/api/pictures")["pictures"][0][0], **INSIDE)
        return app.state.answering.name, app.state.answering.backbone

    assert open_with(method="fewclicks", backbone="colour") == ("fewclicks", "colour")
    assert open_with() == ("fewclicks", "colour")
    assert open_with(method="graphcut") == ("graphcut", None)
    assert open_with() == ("graphcut", None)
