"""Measuring from the command line, stopped and resumed, shared out, and misused."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawing import enlarge, mask, paint

COMMAND = [sys.executable, "-m", "fewclicks"]
LABELLED = ("--dataset-set", "masks=labels", "--max-clicks", "8")
SHAPES = (
    mask("........", ".##.....", ".##..##.", "..#####.", "........", "........"),
    mask("...##...", "..####..", ".##..##.", ".##..##.", "..####..", "...##..."),
    mask("#.......", "##......", "###.....", "####....", "#####...", "######.."),
)


def draw(folder: Path, pictures: int) -> Path:
    """Pictures of two objects in two colours, each noisier than the one before."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(pictures):
        on = enlarge(SHAPES[number % len(SHAPES)], 8)
        labels = on.astype(np.uint8)
        labels[:, labels.shape[1] // 2 :] *= 2
        picture = paint(on, noise=40 + 10 * number)
        picture[labels == 2] = picture[labels == 2][:, ::-1]
        Image.fromarray(picture).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures; as `LABELLED`, two objects each."""
    return draw(tmp_path_factory.mktemp("data") / "folder", 8)


def arguments(data: Path, out: Path, *more: str) -> list[str]:
    verb = ["evaluate", "--method", "graphcut", "--dataset", "folder"]
    return [*verb, "--data", str(data), "--out", str(out), *more]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def evaluate(data: Path, out: Path, *more: str) -> dict[str, Any]:
    done = run(*arguments(data, out, *more))
    assert done.returncode == 0, done.stderr
    return json.loads((out / "result.json").read_text())


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key not in ("seconds", "machine")}


def objects_as_written(out: Path) -> str:
    return (out / "result.json").read_text().partition('"per_object": ')[2]


@pytest.fixture(scope="module")
def unbroken(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all 16 labelled objects that nothing disturbed."""
    out = tmp_path_factory.mktemp("unbroken")
    evaluate(data, out, *LABELLED)
    return out


def test_a_result_is_written_and_summed_up(unbroken: Path):
    result = json.loads((unbroken / "result.json").read_text())
    assert result["objects"] == 16
    assert [one["id"] for one in result["per_object"][:3]] == ["00:1", "00:2", "01:1"]
    assert result["config"]["dataset_settings"] == {"masks": "labels"}
    assert result["machine"]["workers"] == 1
    assert result["seconds"]["prepare"] > 0
    assert 1 <= result["noc"]["80"] <= result["noc"]["95"] <= 8


def test_json_is_alone_on_stdout(data: Path, tmp_path: Path):
    done = run(*arguments(data, tmp_path, "--limit", "1", "--max-clicks", "2", "--json"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "result.json").read_text())
    assert done.stderr == ""


def test_the_folder_of_data_sets_may_come_from_the_environment(data: Path, tmp_path: Path):
    words = ["evaluate", "--method", "graphcut", "--dataset", "folder", "--out", str(tmp_path)]
    done = run(*words, "--limit", "1", "--max-clicks", "1", FEWCLICKS_DATA=str(data.parent))
    assert done.returncode == 0, done.stderr
    assert "1 objects, rule ritm" in done.stdout


def test_workers_change_nothing_but_the_time(data: Path, unbroken: Path, tmp_path: Path):
    shared = evaluate(data, tmp_path, *LABELLED, "--workers", "2")
    alone = json.loads((unbroken / "result.json").read_text())
    assert timeless(shared) == timeless(alone)
    assert objects_as_written(tmp_path) == objects_as_written(unbroken)


def wait_for_lines(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < limit
        time.sleep(0.002)


def start(data: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    words = [*COMMAND, *arguments(data, out, *LABELLED, *more)]
    return subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_mind_interrupts if sys.platform != "win32" else None,
    )


def _mind_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def resumed(data: Path, out: Path) -> dict[str, Any]:
    return timeless(evaluate(data, out, *LABELLED, "--resume"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_resumes_to_the_result_of_an_unbroken_one(
    data: Path, unbroken: Path, tmp_path: Path
):
    journal = tmp_path / "objects.jsonl"
    with start(data, tmp_path) as process:
        wait_for_lines(journal, 4, process)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "result.json").exists()
    with journal.open("r+b") as file:  # as if the kill had come within a line
        file.truncate(journal.stat().st_size - 20)
    before = journal.read_bytes()
    whole = before[: before.rindex(b"\n") + 1]
    assert resumed(data, tmp_path) == timeless(json.loads((unbroken / "result.json").read_text()))
    assert journal.read_bytes().startswith(whole)
    assert len(journal.read_bytes().splitlines()) == 1 + 16


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_a_run_stopped_by_hand_says_how_to_go_on(tmp_path: Path):
    many = draw(tmp_path / "many", 60)  # so many that the signal comes before the end
    out = tmp_path / "out"
    with start(many, out, "--workers", "2") as process:
        wait_for_lines(out / "objects.jsonl", 2, process)
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers as well
        said = process.stderr.read().decode()
    assert process.returncode in (1, 130)
    assert "--resume goes on" in said
    assert "Traceback" not in said
    assert resumed(many, out) == timeless(evaluate(many, tmp_path / "unbroken", *LABELLED))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
def test_workers_end_when_their_parent_is_killed(data: Path, tmp_path: Path):
    with start(data, tmp_path, "--workers", "2") as process:
        wait_for_lines(tmp_path / "objects.jsonl", 2, process)
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        process.send_signal(signal.SIGKILL)
    children = [Path(f"/proc/{child}") for child in listed.split()]
    assert len(children) >= 2
    limit = time.monotonic() + 20
    while any(is_alive(child) for child in children):
        assert time.monotonic() < limit, "a worker outlives its parent"
        time.sleep(0.05)


def is_alive(process: Path) -> bool:
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False


def test_a_finished_run_resumes_at_once(data: Path, tmp_path: Path):
    once = evaluate(data, tmp_path, "--limit", "1", "--max-clicks", "2")
    again = evaluate(data, tmp_path, "--limit", "1", "--max-clicks", "2", "--resume")
    assert timeless(again) == timeless(once)
    assert again["seconds"] == once["seconds"]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line in this process; give its exit code and what it wrote to stderr."""
    from fewclicks.cli.app import main

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capsys.readouterr().err

    return call


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--dataset", "grab"], 2, "No data set is called 'grab'. Did you mean 'grabcut'?"),
        (["--method", "graph_cut"], 2, "Did you mean 'graphcut'?"),
        (["--rule", "rtim"], 2, "No click rule is called 'rtim'. Did you mean 'ritm'?"),
        (["--set", "radius"], 2, "needs KEY=VALUE"),
        (["--set", "radios=3"], 2, "Did you mean 'radius'?"),
        (["--set", "radius=wide"], 1, "needs a whole number"),
        (["--dataset-set", "void=black"], 1, "needs a whole number"),
        (["--data", "nowhere"], 1, "There is no folder nowhere"),
        (["--subset", "uneven"], 1, "needs 'even', 'odd', single, pair or whole"),
        (["--limit", "0"], 1, "limit is 0"),
        (["--limit", "many"], 2, "'--limit'"),
        (["--max-clicks", "0"], 1, "max_clicks is 0"),
        (["--jitter", "-1"], 1, "jitter is -1.0"),
        (["--seed", "-1"], 1, "seed is -1"),
        (["--workers", "0"], 1, "workers is 0"),
        (["--backbone", "colour"], 1, "takes no backbone"),
    ],
)
def test_wrong_use_is_answered_in_one_line(
    said, data: Path, tmp_path: Path, more: list[str], code: int, words: str
):
    out = tmp_path / "out"
    ended, line = said(*arguments(data, out, *more))
    assert ended == code
    assert words in line
    assert line.count("\n") == 1
    assert not (out / "result.json").exists()


def test_an_out_that_is_taken_is_left_alone(said, data: Path, tmp_path: Path):
    short = ["--limit", "1", "--max-clicks", "1"]
    assert said(*arguments(data, tmp_path, *short))[0] == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ended, line = said(*arguments(data, tmp_path, *short))
    assert (ended, "--resume goes on with it" in line) == (1, True)
    ended, line = said(*arguments(data, tmp_path, "--limit", "2", "--resume"))
    assert (ended, "is of another run: it differs in config.limit" in line) == (1, True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_out_that_is_a_file_is_an_error(said, data: Path, tmp_path: Path):
    (tmp_path / "out").write_text("mine")
    ended, line = said(*arguments(data, tmp_path / "out"))
    assert (ended, "Cannot write" in line) == (1, True)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_broken_picture_stops_a_run_in_one_line_and_loses_nothing(said, tmp_path: Path):
    data = draw(tmp_path / "folder", 3)
    whole = (data / "images" / "01.png").read_bytes()
    (data / "images" / "01.png").write_bytes(whole[: len(whole) // 2])
    ended, line = said(*arguments(data, tmp_path / "out", "--max-clicks", "1"))
    assert (ended, "01.png is damaged or cut short" in line) == (1, True)
    assert len((tmp_path / "out" / "objects.jsonl").read_text().splitlines()) == 2


def test_an_error_in_a_worker_is_one_line_too(tmp_path: Path):
    data = draw(tmp_path / "folder", 2)
    (data / "images" / "01.png").write_bytes(b"no picture")
    words = arguments(data, tmp_path / "out", "--max-clicks", "1", "--workers", "2")
    done = run(*words)
    assert done.returncode == 1
    assert "01.png is no picture" in done.stderr
    assert done.stderr.count("\n") == 1


def test_data_sets_are_listed_and_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    from fewclicks.cli.app import main

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", "datasets", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    code, listed, _ = call("list")
    assert code == 0
    assert "grabcut" in listed
    names = [entry["name"] for entry in json.loads(call("list", "--json")[1])]
    assert {"folder", "grabcut", "berkeley", "davis"} <= set(names)
    data = draw(tmp_path / "folder", 2)
    code, found, problems = call("check", str(data), "--dataset-set", "masks=labels")
    assert (code, problems) == (0, "")
    counted, named = found.splitlines()
    assert counted == "folder: 2 pictures, 4 objects, 0 problems"
    assert re.fullmatch(r"data_sha256 [0-9a-f]{64}", named)
    (data / "images" / "01.png").write_bytes(b"no picture")
    code, found, problems = call("check", str(data))
    assert code == 1
    assert "01.png" in problems
    assert "1 problems" in found


def test_results_are_reported(said, unbroken: Path, tmp_path: Path):
    result = unbroken / "result.json"
    assert said("report", str(result), "--out", str(tmp_path / "report"))[0] == 0
    assert "graphcut" in (tmp_path / "report" / "report.md").read_text()
    (tmp_path / "garbage.json").write_text("{")
    ended, line = said("report", str(tmp_path / "garbage.json"), "--out", str(tmp_path / "other"))
    assert (ended, "is no result of 'fewclicks evaluate'" in line) == (1, True)
    assert line.count("\n") == 1
    assert not (tmp_path / "other").exists()


def test_real_pictures_are_measured(real_data: Path, tmp_path: Path):
    words = ["evaluate", "--method", "graphcut", "--dataset", "grabcut", "--data", str(real_data)]
    done = run(*words, "--limit", "2", "--max-clicks", "6", "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["objects"] == 2
    assert result["miou"]["6"] > 0.8
    assert (
        result["data_sha256"] == json.loads((tmp_path / "result.json").read_text())["data_sha256"]
    )
