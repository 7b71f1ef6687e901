"""Workers that are killed: each costs the object it was at, and nothing else."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawing import enlarge, mask, paint
from fewclicks.errors import FewclicksError
from fewclicks.evaluation import processes
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.run import evaluate
from fewclicks.evaluation.tasks import PictureTask

OBJECTS = enlarge(mask("........", ".##..##.", ".##..##.", "..#...#.", "........"), 8)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Six pictures of two objects each."""
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for number in range(6):
        on = np.roll(OBJECTS, number, axis=0)
        labels = on.astype(np.uint8)
        labels[:, labels.shape[1] // 2 :] *= 2
        picture = paint(on, noise=60 + 10 * number)
        Image.fromarray(picture).save(tmp_path / "data" / "images" / f"{number}.png")
        Image.fromarray(labels).save(tmp_path / "data" / "masks" / f"{number}.png")
    return Plan(
        method="graphcut",
        dataset="folder",
        data=str(tmp_path / "data"),
        dataset_settings={"masks": "labels"},
        max_clicks=4,
    )


def ids(out: Path) -> list[str]:
    return [json.loads(line)["id"] for line in (out / "objects.jsonl").read_text().splitlines()[1:]]


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch):
    """Kill each worker that is given a picture of which this is true."""

    def kill(is_deadly: Callable[[PictureTask], bool]) -> None:
        give = processes._Worker.give

        def giving(worker: Any, task: PictureTask) -> None:
            if is_deadly(task):
                worker._process.kill()
                worker._process.join()
            give(worker, task)

        monkeypatch.setattr(processes._Worker, "give", giving)

    return kill


def test_killed_workers_change_nothing(plan: Plan, tmp_path: Path):
    chance, killed = np.random.default_rng(0), []

    def kill(done: int, _total: int) -> None:
        if done in (1, 7):
            workers = multiprocessing.active_children()
            victim = workers[chance.integers(len(workers))]
            victim.kill()
            victim.join()  # or it may still be among the active ones the next time
            killed.append(victim.pid)

    ours = evaluate(plan, tmp_path / "ours", workers=2, watch=kill)
    theirs = evaluate(plan, tmp_path / "theirs")
    assert len(set(killed)) == 2
    assert ours.per_object == theirs.per_object
    assert ours.noc == theirs.noc
    assert sorted(ids(tmp_path / "ours")) == ids(tmp_path / "theirs")
    assert multiprocessing.active_children() == []


def test_a_picture_that_kills_its_workers_is_named_when_all_others_are_kept(
    plan: Plan, tmp_path: Path, killing, monkeypatch: pytest.MonkeyPatch
):
    killing(lambda task: task.picture == "1")
    with pytest.raises(FewclicksError, match=r"Picture '1' killed 3 workers, .* --resume"):
        evaluate(plan, tmp_path / "out", workers=2)
    assert {name[0] for name in ids(tmp_path / "out")} == set("02345")
    monkeypatch.undo()
    resumed = evaluate(plan, tmp_path / "out", resume=True)
    assert resumed.per_object == evaluate(plan, tmp_path / "whole").per_object


def test_workers_that_die_at_once_end_the_run(plan: Plan, tmp_path: Path, killing):
    killing(lambda _task: True)
    with pytest.raises(FewclicksError, match=r"6 workers died and did nothing"):
        evaluate(plan, tmp_path / "out", workers=2)
    assert multiprocessing.active_children() == []
