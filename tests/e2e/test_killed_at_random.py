"""Killed at random moments, again and again: nothing is lost, and nothing is repeated."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fewclicks.evaluation.plan import Plan
from fewclicks.proposals.plan import ProposalPlan
from fewclicks.proposals.store import ProposalStore
from killed_runs import evaluate_logged, logged, propose_logged, run_killed, train_logged
from small_training import PLAN, draw

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
few_or_many = pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])


def leave_half_a_file(folder: Path) -> None:
    """As a kill in the midst of writing does, which is too short to be met by chance."""
    folder.mkdir()
    (folder / ".checkpoint.0123456789ab.safetensors").write_bytes(b"half")


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


def timeless(result: Path) -> dict[str, object]:
    found = json.loads(result.read_text())
    return {key: each for key, each in found.items() if key not in ("seconds", "machine")}


@few_or_many
def test_an_evaluation_comes_to_its_very_result_and_prepares_no_finished_picture_again(
    tmp_path: Path, kills: int
):
    pictures = 3 * kills + 3
    plan = Plan(
        method="graphcut",
        dataset="folder",
        data=str(draw(tmp_path / "data", pictures)),
        dataset_settings={"masks": "labels"},
        max_clicks=4,
    )
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_killed(evaluate_logged, plan, whole, tmp_path / "once", log=tmp_path / "once", kills=0)
    log = tmp_path / "log"
    leave_half_a_file(broken)
    run_killed(evaluate_logged, plan, broken, log, log=log, kills=kills)
    assert timeless(broken / "result.json") == timeless(whole / "result.json")
    records = [json.loads(line) for line in (broken / "objects.jsonl").read_text().splitlines()[1:]]
    assert len({record["id"] for record in records}) == len(records) == 2 * pictures
    once = logged(tmp_path / "once")
    assert set(once.values()) == {1}, "objects of a picture share its preparation"
    assert len(once) == pictures + 1, "with the one of warming up"
    again = logged(log)
    begun = sum(again[picture] for picture in list(once)[1:])
    assert pictures <= begun <= pictures + kills
    assert hidden(broken) == []


@few_or_many
def test_proposals_are_those_of_an_unbroken_run_and_no_kept_picture_is_looked_at_again(
    tmp_path: Path, kills: int
):
    pytest.importorskip("pyarrow")
    rows, ahead, pictures = 3, 4, 7 * kills + 14
    folder = draw(tmp_path / "data", pictures) / "images"
    plan = ProposalPlan(backbone="colour", settings={"backbone.longest_side": "12"})
    whole, broken, log = tmp_path / "whole", tmp_path / "broken", tmp_path / "log"
    once = tmp_path / "once"
    run_killed(propose_logged, plan, folder, whole, once, rows, log=once, kills=0)
    leave_half_a_file(broken)
    run_killed(propose_logged, plan, folder, broken, log, rows, log=log, kills=kills, units=6)
    ours, theirs = ProposalStore(broken), ProposalStore(whole)
    assert len(ours.images) == pictures
    assert ours.images == theirs.images
    assert list(ours.verify()) == []
    for image in ours.images:
        np.testing.assert_array_equal(ours.tree(image).children, theirs.tree(image).children)
    assert set(logged(once).values()) == {1}
    assert logged(log).keys() == logged(once).keys()
    assert logged(log).total() <= pictures + kills * (rows + ahead)
    assert hidden(broken) == []


@pytest.mark.long
@pytest.mark.parametrize("kills", [20])
def test_a_training_comes_to_the_very_weights_and_repeats_no_kept_step(tmp_path: Path, kills: int):
    torch = pytest.importorskip("torch")
    pytest.importorskip("lightning")
    pytest.importorskip("kornia")
    from safetensors.torch import load_file

    from fewclicks.training.plan_file import read_plans

    draw(tmp_path / "data" / "pictures", 5)
    (tmp_path / "small.toml").write_text(PLAN)
    steps = 5 * kills + 5
    settings = {"run.steps": str(steps), "run.batch": "2", "optimiser.average": "0.5"}
    plan = read_plans(tmp_path / "small.toml", settings=settings)[0].plan
    whole, broken, log = tmp_path / "whole", tmp_path / "broken", tmp_path / "log"
    data, modules = tmp_path / "data", ("fewclicks.training.run", "lightning.fabric", "kornia")
    once = tmp_path / "once"
    run_killed(train_logged, plan, data, whole, once, log=once, kills=0, also_load=modules)
    leave_half_a_file(broken)
    run_killed(train_logged, plan, data, broken, log, log=log, kills=kills, units=4)
    ours, theirs = (load_file(out / "network.safetensors") for out in (broken, whole))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert [int(step) for step in logged(once)] == list(range(steps))
    assert logged(log).keys() == logged(once).keys()
    assert logged(log).total() <= steps + 2 * kills, "a checkpoint is kept at every other step"
    assert hidden(broken) == []
