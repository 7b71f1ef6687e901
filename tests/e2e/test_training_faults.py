"""A training on a full, a locked and a slow disk: one line, and what was kept is kept."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults import complaint, contents, room_for, run
from small_training import PLAN, draw

torch = pytest.importorskip("torch", reason="training needs torch")
for needed in ("lightning", "kornia", "tensorboard", "resource"):
    pytest.importorskip(needed)

from safetensors.torch import load_file  # noqa: E402

TRAIN = ("train", "small.toml", "--data", "data", "--device", "cpu", "--threads", "1",
         "--set", "optimiser.average=0.5", "--out")  # fmt: skip
CHECKPOINT, NETWORK = "checkpoint.safetensors", "network.safetensors"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw(tmp_path / "data" / "pictures", 5)
    (tmp_path / "small.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    return tmp_path


def same(one: Path, other: Path) -> bool:
    ours, theirs = load_file(one), load_file(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_a_full_disk_costs_the_steps_since_the_last_checkpoint_and_no_more(
    place: Path, capsys: pytest.CaptureFixture[str]
):
    assert run((*TRAIN, "whole"), capsys)[0] == 0
    size = (place / "whole" / CHECKPOINT).stat().st_size
    (place / "broken").mkdir()
    (place / "broken" / ".checkpoint.0123456789ab.safetensors").touch()  # as a kill leaves it
    for room in (0, 40, size // 2):
        with room_for(room):
            code, err = run((*TRAIN, "broken", "--resume"), capsys)
        assert code == 1
        assert "broken" in complaint(err)
        assert "file too large" in complaint(err)
        assert not any(name.startswith(".") for name in contents(place / "broken"))
    assert run((*TRAIN, "broken", "--resume"), capsys)[0] == 0
    assert same(place / "broken" / NETWORK, place / "whole" / NETWORK)
    before = {name: content for name, content in contents(place / "broken").items()
              if name.endswith(".safetensors")}  # fmt: skip
    with room_for(40):
        code, err = run((*TRAIN, "broken", "--resume"), capsys)
    assert code == 1
    assert "file too large" in complaint(err)
    after = contents(place / "broken")
    assert {name: after.get(name) for name in before} == before


@pytest.mark.long
def test_a_folder_that_must_not_be_written_is_said_in_one_line(
    place: Path, without_rights: tuple[str, ...]
):
    (place / "locked").mkdir(mode=0o555)
    command = [*without_rights, sys.executable, "-m", "fewclicks", *TRAIN, "locked/run"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ermission denied" in complaint(done.stderr)
    assert contents(place / "locked") == {}


def test_a_slow_disk_changes_the_time_and_nothing_else(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert run((*TRAIN, "whole"), capsys)[0] == 0
    replace, waits = Path.replace, []

    def slowly(beside: Path, path: Path) -> Path:
        waits.append(path.name)
        time.sleep(0.05)
        return replace(beside, path)

    monkeypatch.setattr(Path, "replace", slowly)
    assert run((*TRAIN, "slow"), capsys)[0] == 0
    assert waits.count(CHECKPOINT) == 3
    assert same(place / "slow" / NETWORK, place / "whole" / NETWORK)
