"""Networks are built on torch's meta device: all their shapes, none of their bytes."""

from __future__ import annotations

from typing import Any

import pytest

from fewclicks.backbones.weights import published_configuration, weights_table

torch = pytest.importorskip("torch")

# As counted by the pages of the weights and the papers, where those round: ViT-S 21 M, ViT-B 85 M
# (DINO, arXiv:2104.14294), 22.1 M, 86.6 M, 304 M (DINOv2), 111.9 M with its decoder (MAE),
# 24.8 M, 97.5 M, 335.3 M (Depth Anything V2), 859.5 M and 865.9 M (U-Nets), 83.7 M (VAE),
# 123.1 M (CLIP ViT-L text), 340.4 M (OpenCLIP ViT-H text without its last layer), 93.7 M, 312 M,
# 641 M (SAM), 38.9 M, 46 M, 80.8 M, 224.4 M (SAM 2); SAM-HQ adds 1.1 M to 1.6 M to SAM; 21.3 M
# (HRNet-W18-C with its classifier).
PARAMETERS = {
    "dino-vits8": 21_670_272,
    "dino-vits16": 21_665_664,
    "dino-vitb8": 85_807_872,
    "dino-vitb16": 85_798_656,
    "dinov2-small": 22_056_576,
    "dinov2-base": 86_580_480,
    "dinov2-large": 304_368_640,
    "vit-mae-base": 111_907_840,
    "depth-anything-v2-small": 24_785_089,
    "depth-anything-v2-base": 97_470_785,
    "depth-anything-v2-large": 335_315_649,
    "stable-diffusion-1": 859_520_964 + 83_653_863 + 123_060_480,
    "stable-diffusion-2": 865_910_724 + 83_653_863 + 340_387_840,
    # The U-Net of Stable Diffusion 2 with four channels more at its door, 3 x 3 x 320 each.
    "marigold-depth-lcm": 865_910_724 + 4 * 9 * 320 + 83_653_863 + 340_387_840,
    "hrnet-18": 21_299_004,
    "sam-vit-base": 93_735_728,
    "sam-vit-large": 312_343_088,
    "sam-vit-huge": 641_090_864,
    "sam-hq-vit-base": 94_806_832,
    "sam-hq-vit-large": 313_676_336,
    "sam-hq-vit-huge": 642_686_256,
    "sam2.1-hiera-tiny": 38_962_498,
    "sam2.1-hiera-small": 46_060_354,
    "sam2.1-hiera-base-plus": 80_850_178,
    "sam2.1-hiera-large": 224_446_642,
}

# Bytes of what norms remember: two numbers for each of 25,608 channels, and a count for each norm.
STATISTICS = {"hrnet-18": 25_608 * 2 * 4 + 325 * 8}
OURS = {"hrnet-18"}  # built by `test_hrnet`


def count(configuration: dict[str, Any]) -> int:
    """Build one network and count its parameters; what is no network has none."""
    with torch.device("meta"):
        if "_class_name" in configuration:
            import diffusers

            built = getattr(diffusers, configuration["_class_name"]).from_config(configuration)
            if not isinstance(built, torch.nn.Module):
                return 0
        else:
            import transformers

            network = getattr(transformers, configuration["architectures"][0])
            # DINO has no pooler: its weights were published without one.
            bare = {"add_pooling_layer": False} if network is transformers.ViTModel else {}
            built = network(network.config_class.from_dict(configuration), **bare)
    return sum(parameter.numel() for parameter in built.parameters())


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(set(weights_table()) - OURS))
def test_every_published_network_is_built_at_its_published_size(name: str):
    configuration = published_configuration(name)
    parts = [configuration] if "model_type" in configuration else list(configuration.values())

    assert sum(count(part) for part in parts) == PARAMETERS[name]


@pytest.mark.parametrize("name", weights_table())
def test_the_size_of_weights_is_that_of_their_numbers_in_single_precision(name: str):
    assert weights_table()[name].size == 4 * PARAMETERS[name] + STATISTICS.get(name, 0)
