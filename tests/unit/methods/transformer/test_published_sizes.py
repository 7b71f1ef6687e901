"""Networks at their published sizes: built without their bytes, and those of ViT-B answering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import plain_icmformer as plain
import plain_simpleclick
from fewclicks.images.boxes import Box
from fewclicks.methods.transformer.click_network import ClickNetwork, count_parameters
from fewclicks.methods.transformer.icmformer_network import ICMFormerNetwork
from fewclicks.methods.transformer.icmformer_pp_network import ICMFormerPPNetwork
from fewclicks.methods.transformer.icmformer_swin_network import ICMFormerSwinNetwork
from fewclicks.methods.transformer.network_files import build_empty
from fewclicks.methods.transformer.refcut_network import RefCutNetwork, References
from fewclicks.methods.transformer.simpleclick_network import SimpleClickNetwork

pytestmark = pytest.mark.long
SIDE = 448

# In millions. SimpleClick: arXiv:2210.11006; ViT-B's: Table 10 of iCMFormer++.
SIMPLE = {"base": 96.46, "large": 322.18, "huge": 659.39}
DIM = {"base": 768, "large": 1024, "huge": 1280}
PLUS = 178.73
# Of networks for crops, without their classifiers: 11.69, 25.56 and 21.30 with them.
CROPS = {"resnet-18": (11.18, 512), "resnet-50": (23.51, 2048), "hrnet-18": (9.56, 270)}


def prompts(size: str) -> float:
    """Two of two layers each (RefCut, section 3.2)."""
    return 4 * (DIM[size] ** 2 + DIM[size]) / 1e6


def between(size: str, blocks: int) -> float:
    """Blocks of two attentions, a MLP and three norms."""
    dim = DIM[size]
    return blocks * (2 * (4 * dim**2 + 4 * dim) + 8 * dim**2 + 5 * dim + 6 * dim) / 1e6


def other_crops(name: str) -> float:
    """What iCMFormer++ has more with another network than ResNet-18, and its 3 x 3 projection."""
    (own, width), (known, known_width) = CROPS[name], CROPS["resnet-18"]
    return own - known + 9 * 768 * (width - known_width) / 1e6


PUBLISHED: list[tuple[type[ClickNetwork], dict[str, Any], float]] = [
    (SimpleClickNetwork, {"size": "large"}, SIMPLE["large"]),
    (SimpleClickNetwork, {"size": "huge"}, SIMPLE["huge"]),
    (RefCutNetwork, {"size": "base"}, SIMPLE["base"] + prompts("base")),
    (RefCutNetwork, {"size": "large"}, SIMPLE["large"] + prompts("large")),
    (RefCutNetwork, {"size": "huge"}, SIMPLE["huge"] + prompts("huge")),
    (ICMFormerNetwork, {"size": "base"}, 124.81),
    (ICMFormerNetwork, {"size": "large"}, SIMPLE["large"] + between("large", 5)),
    (ICMFormerNetwork, {"size": "huge"}, SIMPLE["huge"] + between("huge", 6)),
    (ICMFormerPPNetwork, {}, PLUS),
    (ICMFormerPPNetwork, {"crop_network": "resnet-50"}, PLUS + other_crops("resnet-50")),
    (ICMFormerPPNetwork, {"crop_network": "hrnet-18"}, PLUS + other_crops("hrnet-18")),
]


@pytest.mark.parametrize(
    ("built", "settings", "millions"),
    PUBLISHED,
    ids=[f"{built.family} {'/'.join(said.values())}".strip() for built, said, _ in PUBLISHED],
)
def test_networks_have_the_published_number_of_parameters_and_answer_at_448(
    built: type[ClickNetwork],
    settings: dict[str, Any],
    millions: float,
    monkeypatch: pytest.MonkeyPatch,
):
    # A network without bytes cannot tell where an exemplar lies.
    where = "fewclicks.methods.transformer.exemplar_module.exemplar_boxes"
    monkeypatch.setattr(where, lambda *_: [Box(150, 100, 300, 200)] * 3)
    network = build_empty(built, built.config_type(**settings)).eval()
    with torch.device("meta"):
        given: list[Any] = [torch.empty(1, 3, SIDE, SIDE) for _ in range(2)]
        if built.takes == "exemplar":
            given.append(torch.empty(1, 3, SIDE, SIDE))
        answered = network(*given)

    assert count_parameters(network) / 1e6 == pytest.approx(millions, rel=2e-3)
    assert answered.shape == (1, 1, SIDE, SIDE)
    assert {values.device.type for values in network.parameters()} == {"meta"}


def test_swin_b_has_the_parameters_of_its_parts():
    """`test_icmformer_swin_network` runs it."""
    network = build_empty(ICMFormerSwinNetwork, ICMFormerSwinNetwork.config_type())

    # Swin-B of windows of 12 tokens without its classifier: 87.90 - 1.03 (arXiv:2103.14030).
    head = (sum((128, 256, 512, 1024)) * 256 + 4 * 256 * 256) / 1e6
    dim = 512
    crossed = 8 * (2 * (4 * dim**2 + 4 * dim) + 8 * dim**2 + 5 * dim + 6 * dim) / 1e6
    assert count_parameters(network) / 1e6 == pytest.approx(86.87 + crossed + head, rel=2e-3)


def lively(built: type[ClickNetwork], **settings: Any) -> ClickNetwork:
    """A network of published size in which biases, norms and statistics matter too."""
    torch.manual_seed(0)
    network = built(built.config_type(**settings)).eval()
    with torch.no_grad():
        for values in network.parameters():
            values += 0.02 * torch.randn_like(values)
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                assert part.running_mean is not None
                part.running_mean.normal_(std=0.1)
    return network


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A picture, guidance, and an exemplar with a click."""
    random = torch.Generator().manual_seed(1)
    image, guidance = (torch.rand(1, 3, SIDE, SIDE, generator=random) for _ in range(2))
    exemplar = torch.zeros(1, 3, SIDE, SIDE)
    exemplar[0, 0, 100:200, 150:300] = 1
    exemplar[0, 1, 140:150, 220:230] = 1
    return image, guidance, exemplar


def assert_alike(answered: torch.Tensor, expected: np.ndarray) -> None:
    """In single precision, over 12 blocks and more."""
    assert answered.shape == (1, 1, SIDE, SIDE)
    assert expected.std() > 1e-2
    np.testing.assert_allclose(answered[0, 0], expected, atol=1e-3 * np.abs(expected).max())


def test_simpleclick_b_answers_as_its_plain_form():
    network = lively(SimpleClickNetwork)
    image, guidance, _ = inputs()
    with torch.no_grad():
        answered = network(image, guidance)

    given = (each[0].double().numpy() for each in (image, guidance))
    tensors = plain_simpleclick.as_authors_call_them(network)
    expected = plain_simpleclick.logits(tensors, *given, heads=12, window=14, global_every=6)
    assert_alike(answered, expected)


def test_refcut_b_answers_as_simpleclick_b_until_it_has_learnt():
    torch.manual_seed(0)
    network = RefCutNetwork(RefCutNetwork.config_type()).eval()
    image, guidance, _ = inputs()
    masks = torch.zeros(1, 2, SIDE, SIDE)
    masks[:, 0, 100:200, 150:300], masks[:, 1, 300:] = 1, 1
    references = References(1 - image, masks, torch.zeros(1, dtype=torch.int64))
    with torch.no_grad():
        expected = SimpleClickNetwork.forward(network, image, guidance)
        assert torch.equal(network(image, guidance, references), expected)
        for values in network.prompts.parameters():
            values += 0.02 * torch.randn_like(values)
        learnt = network(image, guidance, references)
        assert torch.equal(network(image, guidance), expected)

    assert learnt.isfinite().all()
    assert not torch.allclose(learnt, expected, atol=1e-4)


def plain_picture(network: ClickNetwork, image: torch.Tensor) -> plain.Picture:
    tensors, seen = plain.numbers(network), image[0].double().numpy()
    return plain.Picture(tensors, seen, heads=12, window=14, global_every=6)


def test_icmformer_b_answers_as_its_plain_form():
    network = lively(ICMFormerNetwork)
    image, guidance, _ = inputs()
    with torch.no_grad():
        answered = network(image, guidance)

    picture = plain_picture(network, image)
    assert_alike(answered, plain.icmformer(picture, guidance[0].double().numpy()))


@pytest.mark.parametrize("crops", ["resnet-18", "hrnet-18"])
def test_icmformer_pp_b_answers_as_its_plain_form(crops: str):
    network = lively(ICMFormerPPNetwork, crop_network=crops)
    image, guidance, exemplar = inputs()
    with torch.no_grad():
        answered = network(image, guidance, exemplar)

    given = (each[0].double().numpy() for each in (guidance, exemplar))
    picture = plain_picture(network, image)
    expected = plain.icmformer_pp(picture, *given, scales=(0.8, 1.0, 1.2), side=SIDE)
    assert_alike(answered, expected)


def test_icmformer_pp_b_is_told_by_the_crops_of_resnet_50():
    network = lively(ICMFormerPPNetwork, crop_network="resnet-50")
    assert isinstance(network, ICMFormerPPNetwork)
    image, guidance, exemplar = inputs()
    elsewhere = exemplar.flip(2)
    with torch.no_grad():
        told = [network.tell(network.see(image), each) for each in (exemplar, elsewhere)]
        answers = [network.answer(each, guidance) for each in told]

    assert told[0].guide is not None
    assert told[1].guide is not None
    assert told[0].guide.shape == (1, 28, 28, 768)
    assert not torch.allclose(told[0].guide, told[1].guide)
    assert all(each.isfinite().all() for each in answers)
    assert not torch.equal(*answers)
