"""Crop features: a residual network of transformers, begun from a folder; see also `test_hrnet`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import ResNetConfig, ResNetModel

from fewclicks.errors import UnknownEntryError, WeightsError
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.crop_features import CROP_NETWORKS, CropFeatures

WIDTHS, DEPTHS = (4, 6, 8, 10), (1, 1, 2, 1)


def small_resnet() -> ResNetModel:
    torch.manual_seed(0)
    config = ResNetConfig(
        embedding_size=4, hidden_sizes=list(WIDTHS), depths=list(DEPTHS), layer_type="basic"
    )
    network = ResNetModel(config).eval()
    with torch.no_grad():
        for name, values in network.named_buffers():
            if name.endswith("running_mean"):
                values.normal_()
    return network


def test_a_network_that_begins_as_a_trained_one_sees_what_that_sees(tmp_path: Path):
    small_resnet().save_pretrained(tmp_path)
    features = CropFeatures("resnet-18", widths=WIDTHS, depths=DEPTHS)

    features.initialise_from(str(tmp_path))

    pictures = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        seen = features.train()(pictures)
        assert torch.equal(seen, small_resnet()(pictures).last_hidden_state)
    assert seen.shape == (2, features.width, 2, 3)
    assert all(values.requires_grad for values in features.parameters())


def test_a_trained_network_of_another_shape_is_refused(tmp_path: Path):
    small_resnet().save_pretrained(tmp_path)

    with pytest.raises(WeightsError, match=r"does not fit the network for crops in .* has"):
        CropFeatures("resnet-18", widths=(4, 6, 8, 12), depths=DEPTHS).initialise_from(
            str(tmp_path)
        )


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(UnknownEntryError, match=r"resnet-18"):
        CropFeatures("resnet-19")


# Published with a classifier of 1000 kinds, which is not ours: 11.69 M and 25.56 M.
@pytest.mark.parametrize(
    ("name", "millions", "classifier"),
    [("resnet-18", 11.69, 512_000 + 1000), ("resnet-50", 25.56, 2_048_000 + 1000)],
)
def test_networks_have_the_published_number_of_parameters(
    name: str, millions: float, classifier: int
):
    with torch.device("meta"):
        features = CropFeatures(name)

    counted = count_parameters(features) + classifier
    assert counted / 1e6 == pytest.approx(millions, abs=0.005)
    assert set(CROP_NETWORKS) == {"resnet-18", "resnet-50", "hrnet-18"}
