from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from fewclicks.backbones.verifying import (
    FileRecord,
    Manifest,
    is_recorded,
    problems,
    read_manifest,
    record,
)
from fewclicks.backbones.weights import Weights
from fewclicks.errors import WeightsError

ROW = Weights(name="mine", hub_id="a/b")
TENSORS = save({"a": np.arange(30, dtype=np.float32)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Weights as they are after a fetch."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(TENSORS)
    files = record(tmp_path, ROW.files)
    Manifest(name="mine", source="a/b", revision="abc", files=files).write(tmp_path)
    return tmp_path


def without_manifest(folder: Path) -> Path:
    (folder / "manifest.json").unlink()
    return folder


def test_what_is_recorded_can_be_read_again(folder: Path):
    manifest = read_manifest(folder)

    assert manifest is not None
    assert manifest.files["config.json"] == FileRecord(
        size=2, sha256=hashlib.sha256(b"{}").hexdigest()
    )


def test_untouched_weights_have_no_problems(folder: Path):
    assert problems(ROW, folder) == []
    assert is_recorded(folder)


def test_one_changed_byte_is_found(folder: Path):
    changed = bytearray(TENSORS)
    changed[-1] ^= 1
    (folder / "model.safetensors").write_bytes(changed)

    [problem] = problems(ROW, folder)
    assert problem.startswith("model.safetensors is not what was fetched (sha256 ")


def test_a_cut_file_is_found_even_where_nothing_was_recorded(folder: Path):
    (without_manifest(folder) / "model.safetensors").write_bytes(TENSORS[:-10])

    [problem] = problems(ROW, folder)
    assert problem.startswith("model.safetensors is no whole safetensors file")


def test_a_cut_file_is_seen_without_reading_it(folder: Path):
    (folder / "model.safetensors").write_bytes(TENSORS[:-10])

    assert not is_recorded(folder)


def test_a_missing_file_is_found(folder: Path):
    (folder / "config.json").unlink()

    assert problems(ROW, folder) == ["config.json is missing"]
    assert not is_recorded(folder)


def test_a_missing_extra_is_no_problem_unless_it_was_fetched(folder: Path):
    (folder / "preprocessor_config.json").write_text("{}")
    files = record(folder, (*ROW.files, *ROW.extras))
    Manifest(name="mine", source="a/b", revision="", files=files).write(folder)
    (folder / "preprocessor_config.json").unlink()

    assert problems(ROW, folder) == ["preprocessor_config.json is missing"]
    assert problems(ROW, without_manifest(folder)) == []


def test_text_that_is_no_json_is_found(folder: Path):
    (without_manifest(folder) / "config.json").write_text("{")

    [problem] = problems(ROW, folder)
    assert problem.startswith("config.json is no JSON")


def test_weights_other_than_their_publisher_states_are_found(folder: Path):
    row = Weights(name="mine", hub_id="a/b", sha256={"model.safetensors": "0" * 64})

    [problem] = problems(row, folder)
    assert "is not what its publisher states" in problem


def test_the_hub_s_own_cache_is_held_against_the_names_of_its_files(folder: Path):
    whole = hashlib.sha256(TENSORS).hexdigest()
    (without_manifest(folder) / whole).write_bytes(TENSORS)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(folder / whole)
    assert problems(ROW, folder) == []

    changed = bytearray(TENSORS)
    changed[-1] ^= 1
    (folder / whole).write_bytes(changed)
    [problem] = problems(ROW, folder)
    assert "is not what was fetched" in problem


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"files": {"a": {"size": 1}}}'])
def test_a_manifest_that_cannot_be_read_is_told(folder: Path, text: str):
    (folder / "manifest.json").write_text(text)

    with pytest.raises(WeightsError, match="is no manifest that can be read"):
        read_manifest(folder)
    [problem] = problems(ROW, folder)
    assert "fetch anew" in problem
