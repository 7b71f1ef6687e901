"""Optimising: what has learnt before moves by its own share of the rate, in every family."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from fewclicks.errors import InputError

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("lightning", reason="training needs lightning")
pytest.importorskip("kornia", reason="training needs kornia")

from safetensors.torch import load_file  # noqa: E402

from fewclicks.methods.transformer.network_files import save_network  # noqa: E402
from fewclicks.training.optimising import create_optimiser, set_rate  # noqa: E402
from fewclicks.training.plan import NetworkChoice  # noqa: E402
from fewclicks.training.plan_file import read_plans  # noqa: E402
from fewclicks.training.run import create_network, launch, train  # noqa: E402

VIT = {"dim": 16, "depth": 2, "heads": 2, "patch": 8, "levels": (8,) * 4, "head": 8, "side": 32}
SHAPES = {
    "simpleclick": {**VIT, "window": 2},
    "refcut": {**VIT, "window": 2},
    "icmformer": {**VIT, "window": 2, "cross": 1},
    "icmformer_pp": {
        **VIT,
        "window": 2,
        "cross": 1,
        "fusion": "self",
        "crop_widths": (4, 4, 4, 8),
        "crop_depths": (1,) * 4,
    },
    "icmformer_swin": {
        "dim": 8,
        "depths": (1, 1, 1, 1),
        "heads": (1, 1, 2, 2),
        "window": 2,
        "side": 64,
        "cross": 1,
        "cross_heads": 2,
        "head": 8,
    },
}


class StoppedError(Exception):
    """As if the process had been killed."""


@pytest.fixture
def begun_file(small_file, tmp_path):
    """The small plan, of a network that has learnt before."""
    shape = dict(read_plans(small_file)[0].plan.network.shape)
    save_network(create_network(NetworkChoice(shape=shape), seed=3), tmp_path / "base.safetensors")
    whole = re.sub(
        r"\[network\].*?\n\n",
        f"[network]\nweights = {json.dumps(str(tmp_path / 'base.safetensors'))}\n\n",
        small_file.read_text(),
        flags=re.DOTALL,
    )
    small_file.write_text(whole)
    return small_file


def run(path, out, data, settings, **options):
    plan = read_plans(path, settings=settings)[0].plan
    train(plan, out, data=str(data), fabric=launch("fp32", "cpu"), **options)
    return load_file(out / "network.safetensors")


def test_a_step_moves_what_has_learnt_before_by_its_share(begun_file, small_data, tmp_path):
    before = load_file(tmp_path / "base.safetensors")
    one, quarter = (
        run(
            begun_file,
            tmp_path / share,
            small_data,
            {"run.steps": "1", "optimiser.start_share": share},
        )
        for share in ("1", "0.25")
    )
    for name, weight in before.items():
        share = 0.25 if name.startswith("backbone.") else 1.0
        expected = share * (one[name] - weight)
        assert torch.allclose(quarter[name] - weight, expected, atol=1e-6), name
    assert max(float((one[n] - before[n]).abs().max()) for n in before) > 9e-4


def test_a_killed_training_with_two_rates_goes_on_as_if_it_had_not_been(
    begun_file, small_data, tmp_path
):
    settings = {
        "optimiser.start_share": "0.1",
        "optimiser.average": "0.5",
        "schedule.kind": "cosine",
    }
    unbroken = run(begun_file, tmp_path / "unbroken", small_data, settings)

    def stop(done, _total, _loss):
        if done == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        run(begun_file, tmp_path / "broken", small_data, settings, watch=stop)
    resumed = run(begun_file, tmp_path / "broken", small_data, settings, resume=True)
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    other = {**settings, "optimiser.start_share": "0.2"}
    with pytest.raises(InputError, match=r"optimiser\.start_share 0\.1, this one 0\.2"):
        run(begun_file, tmp_path / "broken", small_data, other, resume=True)


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize("given", ["start", "crop_start", "weights"])
def test_only_what_was_given_to_a_network_is_slower(begun_file, family, given):
    settings = {"optimiser.start_share": "0.1"}
    choice = NetworkChoice(family=family, **{given: "anything"})
    plan = replace(read_plans(begun_file, settings=settings)[0].plan, network=choice)
    network = create_network(NetworkChoice(family=family, shape=SHAPES[family]), 0)
    optimiser = create_optimiser(plan, network)
    set_rate(optimiser, 2e-3)

    rates = {
        id(weight): group["lr"] for group in optimiser.param_groups for weight in group["params"]
    }
    vit = ("backbone.", "exemplar.", "second.") if given in ("start", "weights") else ()
    crops = ("compare.features.",) if given in ("crop_start", "weights") else ()
    for name, weight in network.named_parameters():
        slow = name.startswith((*vit, *crops))
        assert rates[id(weight)] == pytest.approx(2e-4 if slow else 2e-3), name


def test_frozen_weights_are_left_out(begun_file):
    plan = read_plans(begun_file, settings={"optimiser.start_share": "0.1"})[0].plan
    network = create_network(plan.network, 0)
    network.backbone.requires_grad_(False)
    optimiser = create_optimiser(plan, network)
    count = sum(len(group["params"]) for group in optimiser.param_groups)
    assert count == sum(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("share", ["0", "-0.1", "1.5", "nan"])
def test_a_share_that_is_none_is_refused(begun_file, share):
    with pytest.raises(InputError, match=r"start_share is .*needs a number above 0, at most 1"):
        read_plans(begun_file, settings={"optimiser.start_share": share})


def test_a_share_of_a_network_that_begins_from_nothing_is_refused(small_file):
    with pytest.raises(InputError, match=r"nothing in the network has learnt before; name"):
        read_plans(small_file, settings={"optimiser.start_share": "0.1"})


def test_a_plan_without_a_share_is_described_as_before_there_was_one(begun_file):
    described = read_plans(begun_file)[0].plan.describe()["optimiser"]
    assert set(described) == {"name", "beta1", "beta2", "weight_decay", "clip", "average"}
