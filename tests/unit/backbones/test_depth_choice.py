"""What is typed for depth and for a device, and what it becomes."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pytest

from fewclicks.backbones.registry import (
    BACKBONES,
    DEPTHS,
    BackboneEntry,
    choose_depth,
    create_depth,
    device_settings,
)
from fewclicks.errors import InputError, StorageError, UnknownEntryError, WeightsError
from fewclicks.images.depth_files import DepthFiles


def config_of(entry: BackboneEntry) -> type:
    module, _, name = entry.target.partition(":")
    found: type = getattr(importlib.import_module(module), name).config_type
    return found


def test_names_of_sources_are_distinct():
    names = [entry.name for entry in DEPTHS]
    assert len(set(names)) == len(names)
    assert "none" not in names


@pytest.mark.parametrize("entry", [*DEPTHS, *BACKBONES], ids=lambda entry: entry.name)
def test_the_settings_of_an_entry_are_fields_and_every_network_has_a_device(entry: BackboneEntry):
    fields = {field.name for field in dataclasses.fields(config_of(entry))}
    assert set(entry.settings) <= fields
    assert bool(entry.weights) == ("device" in fields)


def test_licences_of_depth_networks_are_those_of_their_pages():
    licences = {entry.name: entry.licence for entry in DEPTHS if entry.weights}
    assert licences == {
        "depth-anything-v2-small": "Apache-2.0",
        "depth-anything-v2-base": "CC-BY-NC-4.0",
        "depth-anything-v2-large": "CC-BY-NC-4.0",
        "marigold-depth-lcm": "Apache-2.0",
    }


def test_a_name_builds_a_source_with_its_settings():
    picture = np.zeros((6, 8, 3), dtype=np.uint8)
    constant = create_depth("constant", value="0.25")
    assert constant is not None
    assert (constant.depth(picture).values == 0.25).all()
    assert create_depth("none") is None


def test_a_network_whose_weights_are_not_here_is_told_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    for entry in DEPTHS:
        if entry.weights:
            with pytest.raises(WeightsError, match=f"fewclicks weights fetch {entry.name}$"):
                create_depth(entry.name)


def test_a_name_is_told_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("noise", "d.png"):
        Path(name).touch()
    Path("depths").mkdir()
    assert choose_depth(None, "inverse") == (None, None)
    assert choose_depth("none", "inverse") == (None, None)
    assert choose_depth("noise", "inverse") == ("noise", None)
    assert choose_depth("./noise", "depth") == (None, DepthFiles(Path("noise"), "depth"))
    assert choose_depth("d.png", "depth") == (None, DepthFiles(Path("d.png"), "depth"))
    assert choose_depth("depths", "inverse") == (None, DepthFiles(Path("depths")))


def test_what_is_neither_a_name_nor_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownEntryError, match=r"Did you mean 'noise'\?"):
        choose_depth("nois", "inverse")
    for path in ("depth.png", "some/depths"):
        with pytest.raises(StorageError, match=f"no depth file or folder {path}"):
            choose_depth(path, "inverse")


def test_a_device_goes_to_what_is_a_network():
    depth = "depth-anything-v2-small"
    assert device_settings(None, backbone="dinov2-small") == {}
    assert device_settings("cuda", backbone="dinov2-small") == {"backbone.device": "cuda"}
    assert device_settings("cuda", backbone="colour", depth=depth) == {"depth.device": "cuda"}
    both = {"backbone.device": "cpu", "depth.device": "cpu"}
    assert device_settings("cpu", backbone="owner/vit", depth=depth) == both
    assert device_settings("cpu", backbone="colour") == {}
    with pytest.raises(InputError, match="neither backbone nor depth is a network"):
        device_settings("cuda", backbone="colour", depth="noise")


def test_a_method_that_is_a_network_gets_the_device_itself():
    assert device_settings("cuda", method_is_network=True) == {"device": "cuda"}
    both = device_settings("cpu", backbone="owner/vit", method_is_network=True)
    assert both == {"device": "cpu", "backbone.device": "cpu"}
    assert device_settings(None, method_is_network=True) == {}
