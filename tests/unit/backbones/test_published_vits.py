"""Published vision transformers: a small real one on photographs; all of them at full size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.stats import mannwhitneyu
from transformers import AutoConfig, AutoModel, PreTrainedModel

from fewclicks.arrays import BoolMask
from fewclicks.backbones.base import Features
from fewclicks.backbones.registry import BACKBONES, create_backbone
from fewclicks.backbones.weights import published_configuration
from fewclicks.datasets.registry import open_dataset

# Parameters of the network without any head, in millions, and tokens on a picture of 854 x 480,
# except that DINOv2 sees squares; the large one smaller ones here, or it would take ten minutes.
PUBLISHED = {
    "dino-vits16": (21.7, (34, 60)),
    "dino-vits8": (21.7, (34, 60)),
    "dino-vitb16": (85.8, (34, 60)),
    "dino-vitb8": (85.8, (34, 60)),
    "dinov2-small": (22.1, (80, 80)),
    "dinov2-base": (86.6, (80, 80)),
    "dinov2-large": (304.4, (37, 37)),
    "vit-mae-base": (85.8, (34, 60)),
}
SETTINGS = {"dinov2-large": {"side": 518}}
HEADS = ("pooler.", "decoder.")


def build(name: str) -> PreTrainedModel:
    """Plainly random: the library's own start takes a minute for the large one."""
    with torch.device("meta"):
        network = AutoModel.from_config(AutoConfig.for_model(**published_configuration(name)))
    network.to_empty(device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for numbers in network.parameters():
            numbers.normal_(std=0.02)
    return network


def apart(features: Features, object_mask: BoolMask) -> float:
    """How often a token on the object is nearer to the object's heart than one off it."""
    grid = features.grid
    share = cv2.resize(
        object_mask.astype(np.float32), (grid.width, grid.height), interpolation=cv2.INTER_AREA
    )
    inside = share > 0.5
    heart = np.argmax(ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1])
    away = np.linalg.norm(features.tokens - features.tokens[heart], axis=1)
    on, off = away[inside.ravel()], away[~inside.ravel()]
    return float(mannwhitneyu(off, on).statistic / (len(on) * len(off)))


def test_keys_of_a_real_network_tell_the_object_from_the_rest(vit_tiny: Path, real_data: Path):
    pictures = open_dataset("grabcut", real_data)
    network = create_backbone(str(vit_tiny), device="cpu")

    for picture in pictures.pictures[:3:2]:  # of the half that is for tuning
        [sample] = pictures.samples(picture)
        assert apart(network.features(sample.image), sample.object_mask) > 0.9


def test_the_table_holds_every_published_vision_transformer():
    listed = {entry.name for entry in BACKBONES if entry.target.endswith(":VitBackbone")}

    assert listed == set(PUBLISHED)


@pytest.mark.long
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_runs_at_its_size(name: str, tmp_path: Path, monkeypatch):
    parameters, tokens = PUBLISHED[name]
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    network = build(name)
    body = [numbers for key, numbers in network.named_parameters() if not key.startswith(HEADS)]
    assert round(sum(numbers.numel() for numbers in body) / 1e6, 1) == parameters
    network.save_pretrained(tmp_path / "weights" / name)
    del network, body
    image = np.random.default_rng(0).integers(0, 256, (480, 854, 3), dtype=np.uint8)

    seen = create_backbone(name, device="cpu", **SETTINGS.get(name, {})).attention(image)

    assert (seen.grid.height, seen.grid.width) == tokens
    assert seen.matrix.min() >= 0
    np.testing.assert_allclose(seen.matrix.sum(axis=1), 1.0, atol=1e-4)
