"""iCMFormer++'s network against its plain form, and against published sizes; its switches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import plain_icmformer as plain
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.methods.registry import find_method
from fewclicks.methods.transformer.click_network import count_parameters
from fewclicks.methods.transformer.exemplar_module import exemplar_boxes
from fewclicks.methods.transformer.icmformer_pp_network import (
    ICMFormerPPNetwork,
    ICMFormerPPNetworkConfig,
)
from fewclicks.methods.transformer.network_files import build_empty
from multiply_adds import layer_multiply_adds, multiply_adds

SMALL: dict[str, Any] = {
    "dim": 12, "depth": 4, "heads": 3, "patch": 16, "levels": (6, 5, 7, 30), "head": 5,
    "side": 128, "window": 4, "global_every": 2, "cross": 2, "crop_widths": (3, 4, 5, 6),
    "crop_depths": (1, 2, 1, 1), "crop_side": 96,
}  # fmt: skip


def lively(**settings: Any) -> ICMFormerPPNetwork:
    """A network whose every number matters: also biases, norms and their statistics."""
    torch.manual_seed(0)
    network = ICMFormerPPNetwork(ICMFormerPPNetworkConfig(**{**SMALL, **settings})).eval()
    with torch.no_grad():
        for values in network.parameters():
            values += 0.2 * torch.randn_like(values)
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                assert part.running_mean is not None
                assert part.running_var is not None
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2)
    return network


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    image, guidance = (torch.rand(2, 3, 128, 128, generator=random) for _ in range(2))
    return image, guidance


def exemplars() -> torch.Tensor:
    """One object near a corner, and one of another shape, with clicks."""
    maps = torch.zeros(2, 3, 128, 128)
    maps[0, 0, 3:75, 5:40], maps[1, 0, 60:72, 30:127] = 1, 1
    maps[0, 1, 30:40, 20:30], maps[1, 1, 62:70, 60:70] = 1, 1
    maps[:, 2, 90:100, 90:100] = 1
    return maps


@pytest.mark.parametrize("crop_network", ["resnet-18", "hrnet-18"])
def test_logits_are_those_of_the_plain_form(crop_network: str):
    network = lively(crop_network=crop_network)
    image, guidance = inputs()
    exemplar = exemplars()
    exemplar[1] = 0  # a batch mixes pictures with and without one

    with torch.no_grad():
        answered = network(image, guidance, exemplar)

    assert answered.shape == (2, 1, 128, 128)
    for number in range(2):
        picture = plain.Picture(
            plain.numbers(network),
            image[number].double().numpy(),
            heads=3,
            window=4,
            global_every=2,
        )
        expected = plain.icmformer_pp(
            picture,
            guidance[number].double().numpy(),
            exemplar[number].double().numpy(),
            scales=(0.8, 1.0, 1.2),
            side=96,
        )
        assert expected.std() > 1e-2
        spread = np.abs(expected).max()
        np.testing.assert_allclose(answered[number, 0].numpy(), expected, atol=1e-4 * spread)


def test_what_picture_and_exemplar_give_can_be_kept():
    network = lively()
    image, guidance = inputs()

    with torch.no_grad():
        told = network.tell(network.see(image), exemplars())
        for asked in (guidance, 1 - guidance):
            whole = network(image, asked, exemplars())
            assert torch.equal(network.answer(told, asked), whole)


def test_no_exemplar_is_an_empty_one():
    network = lively()
    image, guidance = inputs()

    with torch.no_grad():
        without = network(image, guidance)
        assert torch.equal(without, network(image, guidance, torch.zeros_like(image)))
        assert torch.equal(without, network.answer(network.see(image), guidance))
        assert not torch.allclose(without, network(image, guidance, exemplars()), atol=1e-3)


def test_samples_with_and_without_an_exemplar_answer_as_each_alone():
    network = lively()
    image, guidance = inputs()
    exemplar = exemplars()
    exemplar[0] = 0

    with torch.no_grad():
        together = network(image, guidance, exemplar)
        for k in range(2):
            alone = network(image[k : k + 1], guidance[k : k + 1], exemplar[k : k + 1])
            assert torch.allclose(together[k : k + 1], alone, atol=1e-4)


ABLATIONS: dict[str, dict[str, Any]] = {
    "whole": {},
    "one stream": {
        "two_streams": False, "cross_attention": False, "exemplar_module": False, "fusion": "self",
    },
    "two streams": {"cross_attention": False, "exemplar_module": False, "fusion": "sum"},
    "cross-attention": {"exemplar_module": False, "fusion": "sum"},
    "self-attention": {"exemplar_module": False, "fusion": "self"},
    "no module": {"exemplar_module": False},
    "masked image": {"exemplar_image": "masked"},
    "no image": {"exemplar_image": "none"},
    "no mask": {"exemplar_mask": False},
    "no positive clicks": {"exemplar_positive": "none"},
    "no negative clicks": {"exemplar_negative": False},
    "resnet-50": {"crop_network": "resnet-50", "crop_widths": (4, 8, 8, 12)},
    "hrnet-18": {"crop_network": "hrnet-18"},
}  # fmt: skip


@pytest.mark.parametrize("switched", ABLATIONS.values(), ids=list(ABLATIONS))
def test_gradients_reach_every_part_of_every_ablation(switched: dict[str, Any]):
    network = lively(**switched).train()
    image, guidance = inputs()

    network(image, guidance, exemplars()).square().sum().backward()

    unmoved = [
        name
        for name, values in network.named_parameters()
        if values.grad is None or not values.grad.abs().sum() > 0
    ]
    assert unmoved == []


def test_without_any_exemplar_each_part_has_a_gradient_still():
    """Processes that share a batch all have to hand in all of them."""
    network = lively().train()
    network(*inputs()).square().sum().backward()

    assert all(values.grad is not None for values in network.parameters())


def changed_by(network: ICMFormerPPNetwork, *place: int) -> bool:
    """Whether an answer depends on one of the exemplar's maps there."""
    image, guidance = inputs()
    touched = exemplars()
    touched[place] = 1 - touched[place]
    with torch.no_grad():
        answers = [network(image, guidance, maps) for maps in (exemplars(), touched)]
    return not torch.equal(*answers)


@pytest.mark.parametrize(
    ("settings", "channel"),
    [
        ({"exemplar_mask": False, "exemplar_module": False}, 0),
        ({"exemplar_positive": "none"}, 1),
        ({"exemplar_negative": False}, 2),
    ],
)
def test_what_is_switched_off_is_not_seen(settings: dict[str, Any], channel: int):
    image_pixel = (0, channel, 100, 20)

    assert changed_by(lively(), *image_pixel)
    assert not changed_by(lively(**settings), *image_pixel)


@pytest.mark.parametrize(
    ("shown", "outside", "inside"),
    [("whole", True, True), ("masked", False, True), ("none", False, False)],
)
def test_the_exemplars_stream_sees_as_much_of_the_picture_as_asked(
    shown: str, outside: bool, inside: bool
):
    network = lively(exemplar_image=shown, exemplar_module=False)
    image, _ = inputs()

    def stream(changed_row: int) -> torch.Tensor:
        touched = image.clone()
        touched[0, :, changed_row, 20] += 1
        with torch.no_grad():
            return network.tell(network.see(touched), exemplars()).exemplar

    with torch.no_grad():
        before = network.tell(network.see(image), exemplars()).exemplar
    assert (not torch.equal(before, stream(120))) == outside
    assert (not torch.equal(before, stream(20))) == inside


def test_of_positive_clicks_all_or_the_first_are_drawn():
    clicks = [Click(x=1, y=1), Click(x=2, y=2, is_positive=False), Click(x=3, y=3)]

    shown = {
        choice: ICMFormerPPNetworkConfig(**SMALL, exemplar_positive=choice).shown(clicks)
        for choice in ("all", "first")
    }

    assert shown == {"all": clicks, "first": clicks[:2]}


def test_boxes_are_as_much_longer_as_asked_and_end_at_the_border():
    on = torch.zeros(100, 200)
    on[40:60, 0:40] = 1

    boxes = [(b.y0, b.y1, b.x0, b.x1) for b in exemplar_boxes(on, (0.5, 1.0, 2.0))]

    assert boxes == [(45, 55, 10, 30), (40, 60, 0, 40), (30, 70, 0, 60)]


def test_a_place_like_the_exemplar_responds_most_to_its_own_crop():
    """Two equal squares and a different one: responses are compared before they are normed."""
    network = lively(exemplar_module=True)
    module = network.compare
    assert module is not None
    responses: list[torch.Tensor] = []
    module.norm.register_forward_hook(lambda _part, taken, _given: responses.append(taken[0]))
    seen = torch.zeros(1, 12, 4, 4)
    look = torch.randn(12)
    seen[0, :, 0, 0], seen[0, :, 2, 3], seen[0, :, 3, 0] = look, look, -look
    module.see = lambda crops: look.view(1, 12, 1, 1).expand(len(crops), 12, 3, 3)  # type: ignore[method-assign]

    with torch.no_grad():
        module(torch.zeros(1, 3, 128, 128), seen, exemplars()[:1, :1] * 0 + 0, (8, 8))
        mask = torch.zeros(1, 1, 128, 128)
        mask[..., :32, :32] = 1
        module(torch.zeros(1, 3, 128, 128), seen, mask, (8, 8))

    small = responses[1][0, 1]
    assert small[0, 0] == small[2, 3] == small.max()
    assert small[3, 0] == small.min()


def test_norms_of_crops_keep_their_statistics_in_training():
    network = lively().train()
    before = {name: values.clone() for name, values in network.named_buffers()}

    network(*inputs(), exemplars())

    assert before
    assert all(torch.equal(values, before[name]) for name, values in network.named_buffers())


def test_the_exemplars_blocks_begin_as_the_second_half_does():
    network = lively(fusion="self")
    network.follow_backbone()

    for blocks in (network.exemplar, network.second):
        pairs = zip(blocks.parameters(), network.backbone.blocks[2:].parameters(), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


def test_the_base_network_has_the_published_number_of_parameters():
    network = build_empty(ICMFormerPPNetwork, ICMFormerPPNetworkConfig())
    assert network.fusion is not None
    assert network.compare is not None

    counted = count_parameters(network)

    assert counted / 1e6 == pytest.approx(178.73, rel=2e-3)  # Table 10
    assert counted == find_method("icmformer_pp").parameters
    assert count_parameters(network.fusion) / 1e6 == pytest.approx(2.96, rel=1e-3)  # section 3.4
    assert count_parameters(network.compare.features) / 1e6 == pytest.approx(11.18, abs=0.01)


def test_multiply_adds_are_nearly_the_published_ones(monkeypatch: pytest.MonkeyPatch):
    """Table 10, as layers are counted, each block of three projecting both sides to all there.

    What is left over lies in the module, whose layers the text does not say.
    """
    box = Box(150, 100, 300, 200)
    monkeypatch.setattr(
        "fewclicks.methods.transformer.exemplar_module.exemplar_boxes", lambda *_: [box] * 3
    )
    network = build_empty(ICMFormerPPNetwork, ICMFormerPPNetworkConfig())
    with torch.device("meta"):
        given = [torch.empty(1, 3, 448, 448) for _ in range(3)]

    mixing = 2e-9 * 112 * 112 * 4 * 256**2  # of the head, which calls its layer in parts
    called = layer_multiply_adds(network, *given) + mixing

    projection = 2e-9 * 28 * 28 * 3 * 768**2
    assert called + 3 * 2 * projection == pytest.approx(496.32, rel=0.032)
    assert multiply_adds(network, *given) == pytest.approx(474.43, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fusion": "mean"}, "fusion is 'mean'; needs one of channel, self, sum"),
        ({"exemplar_image": "crop"}, "exemplar_image is 'crop'"),
        ({"exemplar_positive": "last"}, "exemplar_positive is 'last'"),
        ({"cross_attention": False}, "exemplar_module guides cross_attention"),
        ({"two_streams": False}, "two_streams is off"),
        ({"crop_scales": (0.0, 1.0)}, "crop_scales is"),
        ({"crop_network": "resnet-19"}, "crop_network is 'resnet-19'; needs one of resnet-18"),
        ({"crop_depths": (1, 1, 1)}, "crop_depths is"),
        ({"cross_dropout": 1.0}, r"cross_dropout is 1\.0"),
        ({"depth": 5}, "depth is 5"),
    ],
)
def test_a_shape_that_no_network_has_is_refused(settings: dict[str, Any], said: str):
    with pytest.raises(InputError, match=said):
        ICMFormerPPNetworkConfig(**{**SMALL, **settings})


def test_an_exemplar_of_another_size_is_refused():
    image, guidance = inputs()
    with pytest.raises(ShapeError, match=r"exemplar has shape \(2, 3, 64, 64\)"):
        lively()(image, guidance, torch.zeros(2, 3, 64, 64))
