"""Ray engine: two workers, one of which dies in the middle; nothing is lost, nothing stands twice.

The cluster runs in a Python of its own: Ray keeps threads and files open that this one must not
have.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from drawing import BLOB, paint
from fewclicks.images.writing import write_image
from fewclicks.proposals.plan import ProposalPlan
from fewclicks.proposals.ray_engine import propose_chunk
from fewclicks.proposals.run import propose
from fewclicks.proposals.shards import list_shards
from fewclicks.proposals.store import ProposalStore
from ray_workers import ray_workers

PLAN = ProposalPlan(backbone="colour", settings={"backbone.longest_side": "12"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", 12, times=1)


def fill(folder: Path, count: int, *, times: int) -> Path:
    """Pictures of three kinds, so many times as large as the blob, and a broken one."""
    for kind in range(3):
        picture = np.roll(paint(BLOB), 9 * kind, axis=1)
        write_image(folder / f"{kind:02d}.png", picture.repeat(times, axis=0).repeat(times, axis=1))
    for number in range(3, count):
        shutil.copyfile(folder / f"{number % 3:02d}.png", folder / f"{number:02d}.png")
    (folder / "broken.jpg").write_bytes(b"broken")
    return folder


def assert_same(one: Path, other: Path) -> None:
    one_store, other_store = ProposalStore(one), ProposalStore(other)
    assert one_store.images == other_store.images
    assert list(one_store.verify()) == list(other_store.verify()) == []
    for image in one_store.images:
        assert one_store.label(image) == other_store.label(image)
        children = other_store.tree(image).children
        np.testing.assert_array_equal(one_store.tree(image).children, children)


def test_a_chunk_that_is_done_twice_stands_once(folder, tmp_path):
    propose(PLAN, folder, tmp_path / "whole")
    pictures = sorted(path.name for path in folder.iterdir())
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "store.json").write_bytes((tmp_path / "whole" / "store.json").read_bytes())
    for start in (0, 6, 0, 12, 6):
        chunk = propose_chunk(PLAN, folder, tmp_path / "s", pictures[start : start + 6])
    assert chunk.done == 6
    assert_same(tmp_path / "s", tmp_path / "whole")


def test_a_chunk_tells_what_could_not_be_read(folder, tmp_path):
    chunk = propose_chunk(PLAN, folder, tmp_path, ["broken.jpg"])
    assert chunk.done == 0
    assert [failure.image for failure in chunk.failures] == ["broken.jpg"]
    assert list_shards(tmp_path) == []


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Looks for workers in /proc.")
def test_with_a_worker_killed_in_the_middle_nothing_is_lost_and_nothing_stands_twice(
    tmp_path,
):
    pytest.importorskip("ray")
    folder = fill(tmp_path / "pictures", 48, times=24)  # large, so that a chunk takes a while
    out = tmp_path / "s"
    command = [
        sys.executable, "-m", "fewclicks", "propose", str(folder), "--out", str(out),
        "--backbone", "colour", "--set", "backbone.longest_side=12",
        "--engine", "ray", "--workers", "2", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "RAY_ADDRESS": ""}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        killed = None
        while killed is None and run.poll() is None:
            if out.is_dir() and list_shards(out):  # the run has begun, and is not at its end
                workers = ray_workers(run.pid, "propose_chunk")
                if workers:
                    killed = workers[0]
                    os.kill(killed, signal.SIGKILL)
            time.sleep(0.005)
        said, complaints = run.communicate(timeout=300)
    assert killed is not None, complaints
    summary = json.loads(said)
    assert run.returncode == 1  # for the broken picture
    assert "broken.jpg: " in complaints
    assert summary["done"] == 48
    propose(PLAN, folder, tmp_path / "whole")
    assert_same(out, tmp_path / "whole")
