from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from annotated_folder import INSIDE, OUTSIDE, Hand, make_folder, mask_of
from annotation_server import AnnotationServer
from drawing import BLOB
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
from fewclicks.formats.registry import export
from fewclicks.images.masks import decode_rle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture
def server(folder: Path) -> Iterator[AnnotationServer]:
    server = AnnotationServer(folder, "--method", "graphcut")
    yield server
    server.kill()


def fewclicks(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fewclicks", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_what_was_acknowledged_is_there_after_a_kill_and_is_exported(
    server: AnnotationServer, folder: Path, tmp_path: Path
):
    with httpx.Client(base_url=server.start(), timeout=120) as client:
        anna = Hand(client)
        anna.act(1, **INSIDE)
        anna.act(1, **OUTSIDE)
        anna.act(1, kind="finish", label="blob")
        open_mask = anna.act(1, kind="click", x=5, y=5, is_positive=True)["active"]["rle"]
    server.kill()
    with httpx.Client(base_url=server.start(), timeout=120) as client:
        found = client.get("/api/pictures/1", headers=anna.headers).json()
        assert [one["label"] for one in found["objects"]] == ["blob"]
        assert found["active"]["rle"] == open_mask
        shown = mask_of(found["objects"][0]["rle"])
    server.stop()
    run = fewclicks("export", folder, "--format", "coco", "--out", tmp_path / "out", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["objects"] == 1
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    (one,) = content["annotations"]
    np.testing.assert_array_equal(decode_rle(one["segmentation"]), shown)


def test_masks_from_elsewhere_are_a_start(folder: Path, tmp_path: Path):
    given = AnnotatedObject.of("given", BLOB)
    picture = AnnotatedPicture(name="b.png", height=60, width=80, objects=(given,))
    (path,) = export(Annotations(pictures=[picture]), "coco", tmp_path)
    server = AnnotationServer(folder, "--method", "graphcut", "--start", f"coco={path}")
    try:
        with httpx.Client(base_url=server.start(), timeout=120) as client:
            (one,) = Hand(client).get("/api/pictures/2")["objects"]
    finally:
        server.kill()
    assert one["label"] == "given"
    np.testing.assert_array_equal(mask_of(one["rle"]), BLOB)


def test_another_host_is_given_a_token_without_which_nobody_comes_in(folder: Path):
    server = AnnotationServer(folder, "--method", "graphcut", "--host", "0.0.0.0")
    try:
        address, _, token = server.start().partition("#token=")
        with httpx.Client(base_url=address, timeout=120) as client:
            refused = client.post("/api/login", json={"token": "", "name": "Anna"})
            assert refused.status_code == 401
            assert len(token) > 15
            assert Hand(client, token=token).get("/api/project")["pictures"] == 3
    finally:
        server.kill()


def test_a_port_that_is_taken_a_folder_without_pictures_and_a_bad_start_get_one_line(
    folder: Path, tmp_path: Path
):
    (tmp_path / "empty").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cases = {
            "choose another with --port": (folder, "--port", port),
            "has no picture": (tmp_path / "empty", "--port", 0),
            "There is no folder": (tmp_path / "none", "--port", 0),
            "needs FORMAT=PATH": (folder, "--port", 0, "--start", "coco"),
            "no database URL": (folder, "--port", 0, "--db", "nonsense"),
            "Did you mean 'graphcut'": (folder, "--port", 0, "--method", "graphcat"),
            "No backbone is called": (folder, "--port", 0, "--backbone", "nonsense"),
        }
        for said, arguments in cases.items():
            run = fewclicks("annotate", *arguments, "--no-browser")
            assert run.returncode != 0
            assert said in run.stderr
            assert len(run.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "none").exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_must_not_be_written_gets_one_line_and_is_annotated_with_db_elsewhere(
    folder: Path, tmp_path: Path, without_rights: tuple[str, ...]
):
    for place in (folder, folder / "sub"):
        place.chmod(0o555)
    before = sorted(folder.rglob("*"))
    command = [*without_rights, sys.executable, "-m", "fewclicks", "annotate", str(folder)]
    run = subprocess.run(
        [*command, "--no-browser"], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 1
    assert len(run.stderr.strip().splitlines()) == 1
    assert "permission denied; name another place with --db sqlite:///FILE" in run.stderr
    database = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    options = ("--method", "graphcut", "--db", database)
    server = AnnotationServer(folder, *options, within=without_rights)
    try:
        with httpx.Client(base_url=server.start(), timeout=120) as client:
            anna = Hand(client)
            shown = anna.act(1, **INSIDE)["active"]["rle"]
            thumbnail = client.get("/api/pictures/1/thumbnail", headers=anna.headers)
            assert thumbnail.headers["content-type"] == "image/jpeg"
        server.kill()
        with httpx.Client(base_url=server.start(), timeout=120) as client:
            assert Hand(client).get("/api/pictures/1")["active"]["rle"] == shown
    finally:
        server.kill()
        for place in (folder, folder / "sub"):
            place.chmod(0o755)
    assert sorted(folder.rglob("*")) == before


def test_a_folder_that_was_never_annotated_has_nothing_to_export(folder: Path, tmp_path: Path):
    run = fewclicks("export", folder, "--format", "coco", "--out", tmp_path / "out")
    assert run.returncode == 1
    assert "was never annotated" in run.stderr
    database = tmp_path / "none.sqlite"
    run = fewclicks(
        "export", folder, "--format", "coco", "--out", tmp_path, "--db", f"sqlite:///{database}"
    )
    assert (run.returncode, "There is no database" in run.stderr) == (1, True)
    assert not database.exists()
    run = fewclicks(
        "export", folder, "--format", "record", "--out", tmp_path / "out", "--only-done"
    )
    assert (run.returncode, "--only-done" in run.stderr) == (2, True)
    assert not (folder / ".fewclicks").exists()
