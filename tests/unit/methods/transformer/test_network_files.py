"""Files of networks: our own come back as they were, the authors' answer as their plain form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

import plain_simpleclick as plain
from fewclicks.errors import WeightsError
from fewclicks.methods.transformer.network_files import load_network, save_network
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

SMALL = SimpleClickNetworkConfig(
    dim=8, depth=2, heads=2, patch=4, levels=(4, 4, 4, 4), head=4, side=16, window=2
)


def small_network() -> SimpleClickNetwork:
    torch.manual_seed(0)
    return SimpleClickNetwork(SMALL).eval()


@pytest.mark.parametrize("name", ["trained.safetensors", "folder"])
def test_a_saved_network_comes_back_as_it_was(tmp_path: Path, name: str):
    network = small_network()

    save_network(network, tmp_path / name)
    loaded = load_network(tmp_path / name)

    assert loaded.config == SMALL
    assert not loaded.training
    for mine, theirs in zip(network.state_dict().items(), loaded.state_dict().items(), strict=True):
        assert mine[0] == theirs[0]
        assert torch.equal(mine[1], theirs[1])
    assert all(values.requires_grad for values in loaded.parameters())


def test_a_folder_is_laid_out_as_a_hub_has_it(tmp_path: Path):
    save_network(small_network(), tmp_path / "mine")

    described = json.loads((tmp_path / "mine" / "config.json").read_text())
    assert described["dim"] == 8
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "config.json",
        "model.safetensors",
    }
    with safe_open(tmp_path / "mine" / "model.safetensors", framework="np") as opened:
        assert json.loads(opened.metadata()["fewclicks.config"])["levels"] == [4, 4, 4, 4]


def test_half_precision_is_saved_in_full(tmp_path: Path):
    save_network(small_network().half(), tmp_path / "half.safetensors")

    loaded = load_network(tmp_path / "half.safetensors")

    assert {values.dtype for values in loaded.parameters()} == {torch.float32}


def test_the_authors_file_answers_as_its_plain_form(tmp_path: Path):
    """ViT-xTiny at its published size: 28 x 28 tokens, windows of 14, every second block global."""
    tensors = plain.random_tensors(
        dim=160, depth=8, patch=16, grid=28, levels=(96, 192, 288, 384), head=128
    )
    stored = {name: values.astype(np.float32) for name, values in tensors.items()}
    save_file(stored, tmp_path / "sbd_vit_xtiny.safetensors")
    random = np.random.default_rng(1)
    image, guidance = random.random((2, 3, 448, 448), dtype=np.float32)

    network = load_network(tmp_path / "sbd_vit_xtiny.safetensors")
    with torch.no_grad():
        answered = network(*(torch.from_numpy(each[None]) for each in (image, guidance)))[0, 0]

    assert network.config == SimpleClickNetworkConfig(size="xtiny")
    expected = plain.logits(
        {name: values.astype(np.float64) for name, values in stored.items()},
        image.astype(np.float64),
        guidance.astype(np.float64),
        heads=4,
        window=14,
        global_every=2,
    )
    assert expected.std() > 1e-2
    np.testing.assert_allclose(answered.numpy(), expected, atol=1e-4 * np.abs(expected).max())


def test_an_authors_file_of_no_published_width_is_refused(tmp_path: Path):
    tensors = plain.random_tensors(dim=12, depth=1, patch=4, grid=4, levels=(4, 4, 4, 4), head=4)
    save_file(tensors, tmp_path / "odd.safetensors")

    with pytest.raises(WeightsError, match=r"12 channels.*160 \(xtiny\), 768 \(base\)"):
        load_network(tmp_path / "odd.safetensors")


def test_a_file_that_lacks_a_tensor_is_refused_by_its_name(tmp_path: Path):
    tensors = plain.random_tensors(
        dim=160, depth=8, patch=4, grid=4, levels=(96, 192, 288, 384), head=128
    )
    del tensors["head.fusion_conv.conv.bias"]
    save_file(tensors, tmp_path / "part.safetensors")

    with pytest.raises(WeightsError, match=r"in 1 tensors, such as head\.fuse\.bias: has None"):
        load_network(tmp_path / "part.safetensors")


def test_other_peoples_tensors_are_refused(tmp_path: Path):
    save_file({"weight": np.zeros(3)}, tmp_path / "other.safetensors")

    with pytest.raises(WeightsError, match="holds no network of clicks; needs one of simpleclick"):
        load_network(tmp_path / "other.safetensors")


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path):
    file = tmp_path / "cut.safetensors"
    save_network(small_network(), file)
    file.write_bytes(file.read_bytes()[:-100])

    with pytest.raises(WeightsError, match="cannot be read") as caught:
        load_network(file)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_refused_unread(tmp_path: Path):
    file = tmp_path / "last_checkpoint.pth"
    file.write_bytes(b"not looked at")

    with pytest.raises(WeightsError, match=r"is no \.safetensors file"):
        load_network(file)


def test_of_several_files_the_one_called_model_is_meant_and_else_none(tmp_path: Path):
    save_network(small_network(), tmp_path / "first.safetensors")
    assert load_network(tmp_path).config == SMALL
    save_network(small_network(), tmp_path / "second.safetensors")

    with pytest.raises(WeightsError, match=r"holds 2 \.safetensors files"):
        load_network(tmp_path)

    save_network(small_network(), tmp_path / "model.safetensors")
    assert load_network(tmp_path).config == SMALL


def test_a_configuration_that_this_version_cannot_read_is_told(tmp_path: Path):
    from safetensors.torch import save_file as save_tensors

    metadata = {"fewclicks.network": "simpleclick", "fewclicks.config": '{"colours": 4}'}
    save_tensors({"a": torch.zeros(1)}, tmp_path / "new.safetensors", metadata=metadata)

    with pytest.raises(WeightsError, match="not readable by this version"):
        load_network(tmp_path / "new.safetensors")
