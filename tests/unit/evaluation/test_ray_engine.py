"""Ray engine: the figures of one process, with workers that die too.

The cluster runs in a Python of its own: Ray keeps threads and files open that this one must not
have.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, enlarge, paint
from fewclicks.errors import FewclicksError, InputError, MissingExtraError
from fewclicks.evaluation import ray_engine, workers
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.ray_engine import click_task
from fewclicks.evaluation.run import evaluate
from fewclicks.evaluation.tasks import PictureTask
from ray_workers import ray_workers


def draw(folder: Path, count: int, *, times: int = 1) -> Plan:
    """Pictures of two objects each, so many times as large as the blob."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        labels = np.roll(BLOB, 2 * number, axis=1).astype(np.uint8)
        labels[50:58, 2:14] = 2
        picture = paint(enlarge(labels > 0, times), noise=60)
        Image.fromarray(picture).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(enlarge(labels, times)).save(folder / "masks" / f"{number:02}.png")
    return Plan(
        method="graphcut",
        dataset="folder",
        data=str(folder),
        dataset_settings={"masks": "labels"},
        max_clicks=5,
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return draw(tmp_path / "data", 2)


@pytest.fixture(autouse=True)
def a_worker_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What a worker does to its process for good is undone after a test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray_engine, "_ready", None)
    yield
    workers._held.close()


def test_a_worker_clicks_what_is_left_of_a_picture(plan: Plan, tmp_path: Path):
    task = PictureTask("01", ("01:2",))
    (record,) = click_task(plan, task, threads=1, home=tmp_path)
    (whole,) = [one for one in evaluate(plan, tmp_path / "o").per_object if one.id == "01:2"]
    assert list(record.ious) == whole.ious
    assert list(record.clicks) == whole.clicks


def test_a_plans_paths_are_those_of_whoever_asked(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir("/")
    here = Plan(method=plan.method, dataset=plan.dataset, data="data", max_clicks=1)
    (record,) = click_task(here, PictureTask("00", ("00",)), threads=1, home=tmp_path)
    assert record.id == "00"


def test_what_a_worker_runs_into_can_be_told_elsewhere(plan: Plan, tmp_path: Path):
    broken = tmp_path / "data" / "images" / "01.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(FewclicksError, match=r"01\.png is no picture") as caught:
        list(click_task(plan, PictureTask("01", ("01:1",)), threads=1, home=tmp_path))
    assert type(caught.value) is FewclicksError


def test_an_engine_that_does_not_exist_is_refused(plan: Plan, tmp_path: Path):
    with pytest.raises(InputError, match="engine is 'spark'; needs one of local, ray"):
        evaluate(plan, tmp_path / "out", engine="spark")
    assert not (tmp_path / "out").exists()


def test_without_ray_the_answer_is_the_command_to_type(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[ray\]'"):
        evaluate(plan, tmp_path / "out", engine="ray")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Looks for workers in /proc.")
def test_ray_gives_what_one_process_does_though_a_worker_and_then_the_run_are_killed(
    tmp_path: Path,
):
    pytest.importorskip("ray")
    plan, out = draw(tmp_path / "data", 30, times=4), tmp_path / "out"
    journal = out / "objects.jsonl"

    def start() -> subprocess.Popen[bytes]:
        words = [
            sys.executable, "-m", "fewclicks", "evaluate", "--method", "graphcut",
            "--dataset", "folder", "--data", "data", "--dataset-set", "masks=labels",
            "--max-clicks", "5", "--out", str(out), "--engine", "ray", "--workers", "2",
            "--resume",
        ]  # fmt: skip
        return subprocess.Popen(
            words,
            cwd=tmp_path,
            env={**os.environ, "RAY_ADDRESS": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def wait_for_lines(count: int, run: subprocess.Popen[bytes]) -> None:
        while not journal.exists() or journal.read_bytes().count(b"\n") < count:
            assert run.poll() is None, run.stderr.read().decode()
            time.sleep(0.005)

    with start() as run:
        wait_for_lines(5, run)
        while not (victims := ray_workers(run.pid, "click_task")):
            assert run.poll() is None
        os.kill(victims[0], signal.SIGKILL)
        wait_for_lines(journal.read_bytes().count(b"\n") + 5, run)
        run.kill()
    before = journal.read_bytes()
    with start() as run:
        _, complaints = run.communicate(timeout=300)
    assert run.returncode == 0, complaints.decode()
    assert journal.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    ids = [json.loads(line)["id"] for line in journal.read_bytes().splitlines()[1:]]
    assert len(set(ids)) == len(ids) == 60
    evaluate(plan, tmp_path / "alone")
    evaluate(plan, tmp_path / "shared", workers=2)
    written = [
        (folder / "result.json").read_text().partition('"per_object": ')[2]
        for folder in (out, tmp_path / "alone", tmp_path / "shared")
    ]
    assert written[0] == written[1] == written[2]
