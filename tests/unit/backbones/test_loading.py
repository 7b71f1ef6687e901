"""Loading a network: whole, quietly, in one line if it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel
from transformers.utils import logging

from fewclicks.backbones.loading import load_config, load_network
from fewclicks.errors import WeightsError
from small_vits import save_vit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_vit("vit", tmp_path)


def load(folder: Path, **options):
    return load_network(AutoModel, folder, dtype=torch.float32, **options)


def change_tensors(folder: Path, change) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


def change_config(folder: Path, **settings) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def test_a_network_is_frozen_and_ready_to_run(folder: Path):
    network = load(folder)

    assert not network.training
    assert not any(numbers.requires_grad for numbers in network.parameters())


def test_loading_is_silent_and_leaves_the_librarys_voice_as_it_was(
    folder: Path, capfd: pytest.CaptureFixture[str]
):
    change_tensors(folder, lambda tensors: tensors.update(surplus=torch.zeros(1)))
    capfd.readouterr()
    verbosity = logging.get_verbosity()

    load(folder)

    assert capfd.readouterr() == ("", "")
    assert logging.get_verbosity() == verbosity
    assert logging.is_progress_bar_enabled()


def test_a_missing_tensor_is_an_error_and_not_random_numbers(folder: Path):
    def lose_keys(tensors) -> None:
        del tensors[next(name for name in tensors if "layer.1" in name and "key.weight" in name)]

    change_tensors(folder, lose_keys)

    with pytest.raises(
        WeightsError, match=r"lacks 1 tensors.*layers\.1\.attention\.k_proj\.weight"
    ):
        load(folder)


def test_a_tensor_that_nobody_needs_may_be_missing(folder: Path):
    change_tensors(folder, lambda tensors: tensors.pop("pooler.dense.weight"))

    with pytest.raises(WeightsError, match=r"pooler\.dense\.weight"):
        load(folder)
    load(folder, may_lack=("pooler.",))


def _cut_in_half(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _write_rubbish(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"rubbish that is no header of tensors")


@pytest.mark.parametrize(
    "damage",
    [
        _cut_in_half,
        _write_rubbish,
        lambda folder: change_config(folder, hidden_size=64),
        lambda folder: change_config(folder, hidden_size="wide"),
        lambda folder: change_config(folder, model_type="never-heard-of"),
    ],
    ids=["cut", "rubbish", "other size", "no number", "unknown architecture"],
)
def test_what_cannot_be_loaded_is_said_in_one_line(folder: Path, damage):
    damage(folder)

    with pytest.raises(WeightsError) as caught:
        load_network(AutoModel, folder, dtype=torch.float32, config=load_config(folder))

    message = str(caught.value)
    assert str(folder) in message
    assert "fetch it again" in message
    assert "\n" not in message


def test_a_folder_that_only_has_a_pickle_is_never_read(folder: Path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(WeightsError, match="cannot be loaded"):
        load(folder)
