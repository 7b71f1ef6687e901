"""The loop: what is learnt does not depend on stops, portions or processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fewclicks.errors import InputError

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("lightning", reason="training needs lightning")
pytest.importorskip("kornia", reason="training needs kornia")

from safetensors.torch import load_file  # noqa: E402

from fewclicks.training.loop import DivergedError, learn  # noqa: E402
from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.run import create_network, launch, train  # noqa: E402
from fewclicks.training.samples import Samples  # noqa: E402

ALL_KINDS_OF_STATE = {
    "optimiser.name": "adamw",
    "optimiser.weight_decay": "0.01",
    "optimiser.average": "0.5",
    "schedule.warm_up": "3",
    "network.dropout": "0.4",
}


class StoppedError(Exception):
    """As if the process had been killed."""


def stop_after(steps):
    def watch(done, _total, _loss):
        if done == steps:
            raise StoppedError

    return watch


def plan_of(path: Path, **settings: str):
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return read_plans(path, settings=dotted)[0].plan


def run(plan, out, data, **options):
    train(plan, out, data=str(data), fabric=launch(plan.run.precision, "cpu"), **options)
    return load_file(out / "network.safetensors")


def furthest(ours, theirs):
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_killed_training_taken_up_again_gives_the_very_weights_of_an_unbroken_one(
    small_file, small_data, tmp_path, precision
):
    plan = plan_of(small_file, run__precision=precision, **ALL_KINDS_OF_STATE)
    unbroken = run(plan, tmp_path / "unbroken", small_data)
    broken = tmp_path / "broken"
    for kill in (1, 3, 5):  # before the first checkpoint, and one step after two of them
        with pytest.raises(StoppedError):
            run(plan, broken, small_data, resume=True, watch=stop_after(kill))
        torch.rand(kill)  # what else draws numbers does not matter
    resumed = run(plan, broken, small_data, resume=True)
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    untrained = create_network(plan.network, plan.run.seed).state_dict()
    assert furthest(untrained, resumed) > 1e-3, "the weights must have moved"


def test_portions_change_nothing_but_the_memory(small_file, small_data, tmp_path):
    settings = {"network.dropout": "0.4", "run.steps": "3"}
    whole = run(plan_of(small_file, **settings), tmp_path / "whole", small_data)
    parts = plan_of(small_file, **settings, run__portion="1")
    # Adam's first steps turn the sign of a tiny gradient into a whole step: SGD would be equal.
    ours = run(parts, tmp_path / "parts", small_data)
    alike = [torch.allclose(whole[n], ours[n], atol=2e-4) for n in whole]
    assert sum(alike) >= 0.9 * len(alike)
    assert furthest(whole, ours) < 4e-3


def test_another_seed_gives_other_weights(small_file, small_data, tmp_path):
    one, two = (
        run(plan_of(small_file, run__steps="1", run__seed=seed), tmp_path / seed, small_data)
        for seed in "01"
    )
    assert furthest(one, two) > 1e-2


@pytest.mark.long
def test_two_processes_learn_what_one_does(small_file, small_data, tmp_path):
    def train_in(processes):
        out = tmp_path / str(processes)
        command = [
            *(sys.executable, "-m", "torch.distributed.run"),
            *(f"--nproc_per_node={processes}", "--standalone", "-m", "fewclicks"),
            *("train", str(small_file), "--data", str(small_data), "--out", str(out)),
            *("--device", "cpu", "--threads", "1", "--set", "network.dropout=0.4"),
        ]
        done = subprocess.run(
            command,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return load_file(out / "network.safetensors")

    one, two = train_in(1), train_in(2)
    before = create_network(plan_of(small_file).network, 0).state_dict()
    moved = torch.cat([(one[n] - before[n]).flatten() for n in one])
    apart = torch.cat([(one[n] - two[n]).flatten() for n in one])
    assert apart.norm() < 0.02 * moved.norm()


def test_a_gradient_that_is_no_number_stops_the_training_and_leaves_its_checkpoint(
    small_file, small_data, tmp_path
):
    plan = plan_of(small_file)
    fabric = launch("fp32", "cpu")
    samples = Samples(
        plan, {name: each.open(str(small_data)) for name, each in plan.targets.items()}
    )
    network = create_network(plan.network, 0)

    def poison(done, _total, _loss):
        if done == 3:
            with torch.no_grad():
                next(network.parameters()).fill_(float("nan"))

    with pytest.raises(DivergedError, match=r"Step 4: the gradient is nan .*schedule\.rate"):
        learn(plan, network, samples, tmp_path / "out", fabric=fabric, watch=poison)
    kept = load_file(tmp_path / "out" / "checkpoint.safetensors")
    assert all(torch.isfinite(each.float()).all() for each in kept.values())


def test_a_folder_that_holds_a_training_is_not_written_over(small_file, small_data, tmp_path):
    plan = plan_of(small_file, run__steps="1")
    run(plan, tmp_path / "out", small_data)
    with pytest.raises(InputError, match="--resume"):
        run(plan, tmp_path / "out", small_data)
    other = replace(plan, schedule=replace(plan.schedule, rate=0.5))
    with pytest.raises(InputError, match=r"schedule\.rate 0\.001, this one 0\.5"):
        run(other, tmp_path / "out", small_data, resume=True)


def test_a_batch_that_cannot_be_shared_out_is_refused_at_once(small_file, small_data, tmp_path):
    with pytest.raises(InputError, match="evenly"):
        run(plan_of(small_file, run__portion="3"), tmp_path / "out", small_data)


@pytest.mark.long
def test_a_network_learns(small_file, small_data, tmp_path):
    losses = []
    plan = plan_of(
        small_file,
        run__steps="60",
        run__batch="8",
        schedule__rate="3e-3",
        next_clicks__max_rounds="0",
    )
    run(plan, tmp_path / "out", small_data, watch=lambda _d, _t, loss: losses.append(loss))
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
