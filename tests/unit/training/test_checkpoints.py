"""Checkpoints: whole, without pickles, and of the very optimiser they came from."""

from __future__ import annotations

import pytest

from fewclicks.errors import InputError, StorageError

torch = pytest.importorskip("torch", reason="training needs torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from fewclicks.training.checkpoints import (  # noqa: E402
    read_checkpoint,
    restore,
    update_average,
    write_checkpoint,
)


def trained(steps, network=None, optimiser=None):
    torch.manual_seed(0)
    network = network or torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    network[0].bias.requires_grad_(False)
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = optimiser or torch.optim.AdamW(weights, lr=0.1)
    for step in range(steps):
        optimiser.zero_grad()
        network(torch.full((2, 3), float(step))).sum().backward()
        optimiser.step()
    return network, optimiser


def test_an_optimiser_goes_on_as_if_it_had_never_stopped(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    network, optimiser = trained(3)
    average = {name: value + 1 for name, value in network.state_dict().items()}
    write_checkpoint(
        path,
        step=3,
        described={"a": (1, 2)},
        network=network,
        optimiser=optimiser,
        average=average,
    )
    fresh, its_optimiser = trained(0)
    its_average = {name: value.clone() for name, value in fresh.state_dict().items()}
    checkpoint = read_checkpoint(path)
    restore(
        checkpoint,
        described={"a": (1, 2)},
        network=fresh,
        optimiser=its_optimiser,
        average=its_average,
    )
    assert checkpoint.step == 3
    assert all(torch.equal(average[name], its_average[name]) for name in average)
    expected, _ = trained(2, network, optimiser)
    ours, _ = trained(2, fresh, its_optimiser)
    for one, other in zip(expected.parameters(), ours.parameters(), strict=True):
        assert torch.equal(one, other)


def test_its_tensors_are_named_by_the_weights_they_belong_to(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    network, optimiser = trained(1)
    write_checkpoint(path, step=1, described={}, network=network, optimiser=optimiser)
    names = set(load_file(path))
    assert {"network.0.weight", "optimiser.0.weight.exp_avg", "optimiser.1.bias.step"} <= names
    assert not any(name.startswith("optimiser.0.bias") for name in names)


def test_another_plan_is_refused_by_its_first_difference(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    network, optimiser = trained(1)
    write_checkpoint(
        path, step=1, described={"run": {"seed": 0}}, network=network, optimiser=optimiser
    )
    with pytest.raises(InputError, match=r"run\.seed 0, this one 1"):
        restore(
            read_checkpoint(path),
            described={"run": {"seed": 1}},
            network=network,
            optimiser=optimiser,
        )


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(StorageError, match="Cannot read"):
        read_checkpoint(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(StorageError, match="Cannot read"):
        read_checkpoint(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(StorageError, match="no checkpoint of a training"):
        read_checkpoint(path)


def test_an_average_keeps_its_share():
    network = torch.nn.Linear(1, 1, bias=False)
    average = {"weight": torch.tensor([[2.0]])}
    with torch.no_grad():
        network.weight.fill_(4.0)
    update_average(average, network, 0.75)
    assert average["weight"].item() == 2.5
