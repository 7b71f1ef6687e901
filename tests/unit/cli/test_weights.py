from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from bright_network import save_bright_network
from drawing import BLOB, paint
from fewclicks.backbones.registry import create_backbone
from fewclicks.backbones.weights import weights_table
from fewclicks.cli.weights import app
from fewclicks.clicks import Click
from fewclicks.errors import InputError, WeightsError
from fewclicks.images.masks import iou
from fewclicks.methods.registry import create_method


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path / "ours"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("FEWCLICKS_MIRROR", raising=False)
    return tmp_path / "ours" / "weights"


@pytest.fixture
def carried(tmp_path: Path) -> str:
    """A folder with weights that somebody carried here."""
    folder = tmp_path / "carried"
    folder.mkdir()
    save_file({"a": np.arange(400_000, dtype=np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return str(folder)


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def row(name: str) -> dict[str, object]:
    listed = json.loads(run("list", "--json"))
    [found] = [row for row in listed["weights"] if row["name"] == name]
    return found


def test_the_list_names_all_weights_and_where_they_are_kept(empty_cache: Path):
    listed = json.loads(run("list", "--json"))

    assert listed["folder"] == str(empty_cache)
    assert [entry["name"] for entry in listed["weights"]] == list(weights_table())
    assert row("dinov2-small") == {
        "name": "dinov2-small",
        "kind": "backbone",
        "size": 88_226_304,
        "licence": "Apache-2.0",
        "source": "facebook/dinov2-small",
        "found": None,
        "verified": None,
        "begun": 0,
    }


def test_people_see_size_licence_and_place(empty_cache: Path):
    shown = run("list")

    [line] = [line for line in shown.splitlines() if line.split()[:1] == ["dinov2-small"]]
    assert "88 MB" in line
    assert "Apache-2.0" in line
    assert "to be fetched" in line
    assert str(empty_cache) in shown


def test_weights_are_fetched_listed_verified_and_deleted(carried: str, empty_cache: Path):
    folder = empty_cache / "dinov2-small"

    assert f"fetched to {folder}" in run("fetch", "dinov2-small", "--from", carried)
    assert (row("dinov2-small")["found"], row("dinov2-small")["verified"]) == (str(folder), True)
    assert f"already at {folder}" in run("fetch", "dinov2-small")
    assert "dinov2-small: whole" in run("verify")
    assert "dinov2-small: 1.6 MB" in run("clean", "dinov2-small")
    assert row("dinov2-small")["found"] is None
    assert not folder.exists()


def test_damaged_weights_are_named_and_end_with_one(carried: str, empty_cache: Path):
    run("fetch", "dinov2-small", "--from", carried)
    file = empty_cache / "dinov2-small" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-7])

    shown = run("verify", code=1)
    assert "model.safetensors is no whole safetensors file" in shown
    assert "Fetch anew with: fewclicks weights fetch dinov2-small" in shown
    [told] = json.loads(run("verify", "--json", code=1))
    assert told["name"] == "dinov2-small"
    assert len(told["problems"]) == 1
    assert row("dinov2-small")["verified"] is False


def test_damaged_weights_are_fetched_again(
    carried: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    run("fetch", "dinov2-small", "--from", carried)
    (empty_cache / "dinov2-small" / "config.json").write_text("{")
    monkeypatch.setenv("FEWCLICKS_MIRROR", f"dinov2-small={carried}")

    [told] = json.loads(run("fetch", "dinov2-small", "--json"))
    assert told["fetched"] is True
    assert "whole" in run("verify", "dinov2-small")


def test_verifying_what_is_not_here_says_how_to_get_it():
    with pytest.raises(WeightsError, match="fewclicks weights fetch dinov2-base"):
        run("verify", "dinov2-base")
    assert "No weights are" in run("verify")
    assert json.loads(run("verify", "--json")) == []


def test_weights_that_the_table_lacks_are_listed_and_verified_once_fetched(carried: str):
    run("fetch", "owner/name", "--from", carried)

    assert row("owner/name")["verified"] is True
    assert "owner/name: whole" in run("verify")
    assert ["owner/name"] in [line.split()[:1] for line in run("list").splitlines()]


def test_all_that_was_fetched_is_deleted_when_asked_for(carried: str):
    run("fetch", "dinov2-small", "--from", carried)
    run("fetch", "owner/name", "--from", carried)

    freed = json.loads(run("clean", "--all", "--json"))["freed"]
    assert list(freed) == ["dinov2-small", "owner--name"]
    assert all(size > 1_600_000 for size in freed.values())


@pytest.mark.parametrize("words", [["clean"], ["clean", "dinov2-small", "--all"]])
def test_cleaning_needs_names_or_all_and_not_both(words: list[str]):
    assert "--all" in run(*words, code=2)


def test_one_place_holds_one_set_of_weights(carried: str):
    assert "needs one NAME" in run(
        "fetch", "dinov2-small", "dinov2-base", "--from", carried, code=2
    )


def test_a_click_network_is_exported_and_segments_from_there(tmp_path: Path):
    file = save_bright_network(tmp_path / "bright.safetensors")
    folder = tmp_path / "exported"

    shown = run("export", "simpleclick", "--set", f"weights={file}", "--out", str(folder))

    assert f"simpleclick: exported to {folder}" in shown
    assert {each.name for each in folder.iterdir()} == {
        "encoder.onnx", "decoder.onnx", "network.json", "README.md",
    }  # fmt: skip
    method = create_method("simpleclick", weights=str(folder))
    answer = method.predict(method.prepare(paint(BLOB)), [Click(x=30, y=24)])
    assert iou(answer.mask, BLOB) > 0.8


def test_the_built_in_backbone_is_exported_with_its_card_and_looks_the_same(tmp_path: Path):
    told = json.loads(
        run("export", "builtin", "--format", "onnx", "--out", str(tmp_path), "--json")
    )

    file = tmp_path / "builtin.onnx"
    assert told == {"folder": str(tmp_path), "files": {"builtin.onnx": file.stat().st_size}}
    picture = paint(BLOB)
    exported, own = create_backbone("builtin", weights=str(file)), create_backbone("builtin")
    assert np.array_equal(exported.features(picture).tokens, own.features(picture).tokens)
    card = (tmp_path / "README.md").read_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    opened = onnxruntime.InferenceSession(file)
    for each in (*opened.get_inputs(), *opened.get_outputs()):
        assert f"`{each.name}`" in card


@pytest.mark.parametrize("name", ["default", "graphcut", "sam"])
def test_a_method_without_a_network_of_its_own_is_not_exported(name: str, tmp_path: Path):
    with pytest.raises(InputError, match=f"'{name}' has no network that can be exported"):
        run("export", name, "--out", str(tmp_path / "no"))


def test_a_setting_for_the_built_in_export_is_wrong_use(tmp_path: Path):
    assert "--set" in run("export", "builtin", "--set", "a=1", "--out", str(tmp_path), code=2)
