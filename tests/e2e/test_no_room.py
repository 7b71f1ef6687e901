"""No room on the disk, no right to write, a slow disk: one line, and what stood there stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from annotated_pictures import make
from drawing import BLOB, paint
from faults import complaint, contents, room_for, run
from fewclicks.errors import StorageError
from fewclicks.formats.registry import FORMATS, export
from fewclicks.images.writing import write_image, write_mask

pytest.importorskip("resource", reason="this system sets no limit to a file's size")

EVALUATE = ("evaluate", "--dataset", "folder", "--data", "data", "--method", "graphcut",
            "--max-clicks", "3", "--out", "new/run")  # fmt: skip
PROPOSE = ("propose", "data/images", "--backbone", "colour", "--set", "backbone.longest_side=12",
           "--out", "new/store")  # fmt: skip
SEGMENT = ("segment", "data/images/0.png", "--click=30,24", "--method", "graphcut",
           "--out", "new/mask.png")  # fmt: skip
OVERLAY = (*SEGMENT, "--overlay", "new/overlay.png", "--cutout", "new/cutout.png")
RUNS = {
    "evaluate": EVALUATE,
    "propose": PROPOSE,
    "segment": SEGMENT,
    "segment, with pictures": OVERLAY,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures with their masks."""
    for number in range(3):
        blob = np.roll(BLOB, 4 * number, axis=1)
        write_image(tmp_path / "data" / "images" / f"{number}.png", paint(blob))
        write_mask(tmp_path / "data" / "masks" / f"{number}.png", blob)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FEWCLICKS_DATA", raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def arguments_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


@pytest.mark.parametrize("name", RUNS)
def test_a_full_disk_is_said_in_one_line_and_costs_nothing_that_was_there(
    place: Path, name: str, capsys: pytest.CaptureFixture[str]
):
    again = ("--resume",) if name in ("evaluate", "propose") else ()
    _check_full_disk(place, RUNS[name], capsys, again)


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS if entry.writer])
def test_an_export_to_a_full_disk_is_said_in_one_line_and_costs_nothing_that_was_there(
    tmp_path: Path, name: str
):
    annotations = make(tmp_path / "images")
    export(annotations, name, tmp_path / "out")
    before = contents(tmp_path / "out")
    for out in (tmp_path / "out", tmp_path / "full"):
        for size in (0, 40):
            with room_for(size), pytest.raises(StorageError, match="file too large"):
                export(annotations, name, out)
    assert contents(tmp_path / "out") == before
    assert [path for path in contents(tmp_path) if "/." in path] == []


def _check_full_disk(
    place: Path,
    arguments: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    again: tuple[str, ...] = (),
) -> None:
    """Run with room, then without: over what was written, and in a new place."""
    assert run(arguments, capsys)[0] == 0
    before = contents(place)
    fresh = tuple(part.replace("new/", "full/") for part in arguments)
    for attempt in ((*arguments, *again), fresh):
        for size in (0, 40):
            with room_for(size):
                code, err = run(attempt, capsys)
            if code == 0:
                assert again  # all was done; nothing had to be written
                continue
            assert "file too large" in complaint(err)
    after = contents(place)
    assert {path: after.get(path) for path in before} == before
    assert [path for path in after if "/." in path] == []


def test_an_evaluation_on_a_full_disk_goes_on_once_there_is_room(
    place: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(EVALUATE, capsys)[0] == 0
    whole = json.loads((place / "new/run/result.json").read_text())
    elsewhere = tuple(part.replace("new/", "full/") for part in EVALUATE)
    codes = []
    for size in (300, 1200, 1500, 1800, 1 << 20):
        with room_for(size):
            resumes = (*elsewhere, "--resume") if (place / "full/run").exists() else elsewhere
            code, err = run(resumes, capsys)
        codes.append(code)
        if code:
            assert "file too large" in complaint(err)
    found = json.loads((place / "full/run/result.json").read_text())
    assert codes[0] == 1
    assert codes[-1] == 0
    assert found["per_object"] == whole["per_object"]
    assert found["noc"] == whole["noc"]


def test_proposals_on_a_full_disk_go_on_once_there_is_room(
    place: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(PROPOSE, capsys)[0] == 0
    with room_for(400):
        code, err = run(tuple(part.replace("new/", "full/") for part in PROPOSE), capsys)
    assert code == 1
    assert "file too large" in complaint(err)
    resumed = (*(part.replace("new/", "full/") for part in PROPOSE), "--resume")
    assert run(resumed, capsys)[0] == 0
    one, other = (
        {name.rpartition("/")[2]: content for name, content in contents(place / part).items()}
        for part in ("new/store", "full/store")
    )
    assert one == other


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
@pytest.mark.parametrize("name", ["evaluate", "propose", "segment, with pictures"])
def test_a_folder_that_must_not_be_written_is_said_in_one_line(
    place: Path, name: str, without_rights: tuple[str, ...]
):
    (place / "new").mkdir(mode=0o555)
    command = [*without_rights, sys.executable, "-m", "fewclicks", *RUNS[name]]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ermission denied" in complaint(done.stderr)
    assert contents(place / "new") == {}


def test_a_slow_disk_changes_the_time_and_nothing_else(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert run(EVALUATE, capsys)[0] == 0
    assert run(PROPOSE, capsys)[0] == 0
    fsync, replace, waits = os.fsync, Path.replace, []

    def slowly(*arguments: object) -> object:
        waits.append(arguments)
        time.sleep(0.05)
        return (replace if len(arguments) == 2 else fsync)(*arguments)  # type: ignore[operator]

    monkeypatch.setattr(os, "fsync", slowly)
    monkeypatch.setattr(Path, "replace", slowly)
    for arguments in (EVALUATE, PROPOSE):
        slow = tuple(part.replace("new/", "slow/") for part in arguments)
        assert run(slow, capsys)[0] == 0
    assert len(waits) > 5
    one, other = (
        json.loads((place / part / "run/result.json").read_text())["per_object"]
        for part in ("new", "slow")
    )
    assert one == other
    new, slow_ones = contents(place / "new/store"), contents(place / "slow/store")
    assert new == slow_ones
