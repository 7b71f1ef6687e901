"""What a folder says of its network, and what is missing in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewclicks.backbones.vit_folder import read_vit_folder
from fewclicks.errors import WeightsError

CONFIG = {"model_type": "vit", "patch_size": 16, "num_hidden_layers": 12}


def write(folder: Path, *, config: object = CONFIG, colours: object = None) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    if colours is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(colours))
    return folder


def test_a_folder_says_how_its_network_is_built(tmp_path: Path):
    found = read_vit_folder(write(tmp_path))

    assert (found.path, found.model_type, found.patch, found.blocks) == (tmp_path, "vit", 16, 12)
    assert (found.mean, found.deviation) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_a_patch_may_be_written_as_two_equal_sides(tmp_path: Path):
    assert read_vit_folder(write(tmp_path, config={**CONFIG, "patch_size": [14, 14]})).patch == 14


@pytest.mark.parametrize(
    ("colours", "mean", "deviation"),
    [
        ({"image_mean": [0.5] * 3, "image_std": [0.4] * 3}, (0.5,) * 3, (0.4,) * 3),
        ({"do_normalize": False, "image_mean": [0.5] * 3}, (0.0,) * 3, (1.0,) * 3),
        ({"size": 224}, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ],
)
def test_a_folder_says_which_colours_its_network_knows(tmp_path: Path, colours, mean, deviation):
    found = read_vit_folder(write(tmp_path, colours=colours))

    assert (found.mean, found.deviation) == (mean, deviation)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "clip"}, "describes a 'clip' without patch_size and num_hidden_layers"),
        ({**CONFIG, "patch_size": [16, 8]}, "describes a 'vit' without patch_size"),
        ([1, 2], "holds no JSON object"),
    ],
)
def test_a_folder_of_another_network_is_refused(tmp_path: Path, config, message):
    with pytest.raises(WeightsError, match=message):
        read_vit_folder(write(tmp_path, config=config))


def test_a_folder_with_nothing_of_use_is_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"has no config\.json"):
        read_vit_folder(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match="is no JSON"):
        read_vit_folder(tmp_path)
