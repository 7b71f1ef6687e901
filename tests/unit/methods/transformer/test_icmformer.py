"""The methods around iCMFormer's networks: what they look at once, and what an exemplar changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bright_network import save_bright_network, save_bright_swin
from drawing import BLOB, paint
from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError, WeightsError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Exemplar, Guidance
from fewclicks.methods.registry import create_method, find_method
from fewclicks.methods.transformer.click_maps import click_disks
from fewclicks.methods.transformer.icmformer import ICMFormer, ICMFormerConfig
from fewclicks.methods.transformer.icmformer_network import (
    ICMFormerNetwork,
    ICMFormerNetworkConfig,
)
from fewclicks.methods.transformer.icmformer_pp import ICMFormerPP
from fewclicks.methods.transformer.icmformer_pp_network import (
    ICMFormerPPNetwork,
    ICMFormerPPNetworkConfig,
)
from fewclicks.methods.transformer.inference import NetworkInference
from fewclicks.methods.transformer.network_files import load_network, save_network

SMALL: dict[str, Any] = {
    "dim": 16, "depth": 4, "heads": 2, "patch": 8, "levels": (8, 8, 8, 8), "head": 8, "side": 64,
    "window": 4, "cross": 2,
}  # fmt: skip
PICTURE = paint(BLOB)
ON = Click(x=30, y=24)
OFF = Click(x=70, y=50, is_positive=False)
CORNER = np.zeros_like(BLOB)
CORNER[2:12, 60:75] = True
EXEMPLAR = Exemplar(mask=CORNER, clicks=(Click(x=67, y=7), Click(x=67, y=20, is_positive=False)))


def save_lively(network: ICMFormerNetwork | ICMFormerPPNetwork, file: Path) -> str:
    """A network of random numbers, large enough that clicks matter."""
    with torch.no_grad():
        for values in network.parameters():
            values += 0.3 * torch.randn_like(values)
        network.head.classify.weight *= 5
    save_network(network, file)
    return str(file)


@pytest.fixture
def plus(tmp_path: Path) -> str:
    torch.manual_seed(0)
    config = ICMFormerPPNetworkConfig(**SMALL, crop_widths=(4, 4, 4, 8), crop_depths=(1, 1, 1, 1))
    return save_lively(ICMFormerPPNetwork(config), tmp_path / "plus.safetensors")


@pytest.fixture
def single(tmp_path: Path) -> str:
    torch.manual_seed(0)
    config = ICMFormerNetworkConfig(**SMALL)
    return save_lively(ICMFormerNetwork(config), tmp_path / "single.safetensors")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often parts of networks are run."""
    counted: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def counting(self: object, *given: object, **named: object) -> object:
            counted[name] += 1
            return real(self, *given, **named)

        monkeypatch.setattr(owner, name, counting)

    for owner in (ICMFormerNetwork, ICMFormerPPNetwork):
        for name in ("see", "answer", "embed_guidance"):
            count(owner, name)
    count(ICMFormerPPNetwork, "tell")
    return counted


def test_the_pictures_stream_is_worked_out_once_for_each_part(single: str, calls: Counter[str]):
    method = ICMFormer(ICMFormerConfig(weights=single, zoom=False))
    prepared = method.prepare(PICTURE)
    assert calls == {"see": 1}

    previous = None
    for count in (1, 2, 3):
        previous = method.predict(prepared, [ON, OFF, Click(x=28, y=20)][:count], previous)

    assert calls == {"see": 1, "answer": 3, "embed_guidance": 3}


def test_a_part_is_seen_once_however_often_it_is_looked_at(tmp_path: Path, calls: Counter[str]):
    file = save_bright_network(tmp_path / "bright.safetensors", ICMFormerNetwork)
    method = ICMFormer(ICMFormerConfig(weights=str(file), least_side=8))
    prepared = method.prepare(PICTURE)

    previous = None
    for count in (1, 2, 3):
        previous = method.predict(prepared, [ON, OFF, Click(x=28, y=20)][:count], previous)

    assert calls["answer"] == 4  # the first click looks twice
    assert calls["see"] == 2


def test_an_exemplar_is_worked_out_once_and_not_for_each_click(plus: str, calls: Counter[str]):
    method = ICMFormerPP(ICMFormerConfig(weights=plus, zoom=False))
    prepared = method.prepare(PICTURE)
    assert calls == {"see": 1}
    guided = method.condition(prepared, Guidance(exemplar=EXEMPLAR))
    assert calls == {"see": 1, "tell": 1, "embed_guidance": 1}

    previous = None
    for count in (0, 1, 2):
        previous = method.predict(guided, [ON, OFF][:count], previous)
    same = Exemplar(mask=CORNER.copy(), clicks=EXEMPLAR.clicks)
    again = method.condition(guided, Guidance(exemplar=same, excluded=CORNER))
    method.predict(again, [ON])

    assert calls == {"see": 1, "tell": 1, "answer": 4, "embed_guidance": 5}


def test_crops_of_the_exemplar_are_looked_at_once(plus: str, monkeypatch: pytest.MonkeyPatch):
    from fewclicks.methods.transformer.crop_features import CropFeatures

    looked: list[int] = []
    real = CropFeatures.forward

    def forward(self: CropFeatures, pictures: torch.Tensor) -> torch.Tensor:
        looked.append(len(pictures))
        return real(self, pictures)

    monkeypatch.setattr(CropFeatures, "forward", forward)
    method = ICMFormerPP(ICMFormerConfig(weights=plus, zoom=False, flip=False))
    guided = method.condition(method.prepare(PICTURE), Guidance(exemplar=EXEMPLAR))
    for clicks in ([], [ON], [ON, OFF]):
        method.predict(guided, clicks)

    assert looked == [1, 3]  # the picture, then a crop for each scale


def stretched(maps: Any, size: tuple[int, int]) -> torch.Tensor:
    given = torch.from_numpy(np.array(maps, dtype=np.float32))[None]
    return torch.nn.functional.interpolate(given, size, mode="bilinear", align_corners=True)


class Moved:
    """A click of an 80 x 60 picture on the network's square."""

    def __init__(self, click: Click) -> None:
        self.x, self.y = click.x * 64 / 80, click.y * 64 / 60
        self.is_positive = click.is_positive


def maps_of(mask: Any, clicks: list[Click]) -> torch.Tensor:
    disks = torch.from_numpy(click_disks([[Moved(click) for click in clicks]], (64, 64)))
    return torch.cat([stretched(mask[None], (64, 64)), disks], dim=1)


@pytest.mark.parametrize("exemplar", [EXEMPLAR, None], ids=["exemplar", "none"])
def test_the_answer_is_that_of_the_network_on_the_stretched_picture(
    plus: str, exemplar: Exemplar | None
):
    method = ICMFormerPP(ICMFormerConfig(weights=plus, zoom=False, flip=False, precision="fp32"))
    before = Prediction(probability=np.random.default_rng(0).random(BLOB.shape, np.float32))
    guided = method.condition(method.prepare(PICTURE), Guidance(exemplar=exemplar))

    answer = method.predict(guided, [ON, OFF], before)

    shown = None if exemplar is None else maps_of(exemplar.mask, list(exemplar.clicks))
    with torch.no_grad():
        logits = load_network(plus, ICMFormerPPNetwork)(
            stretched(PICTURE.transpose(2, 0, 1) / 255, (64, 64)),
            maps_of(before.probability, [ON, OFF]),
            shown,
        )
    expected = stretched(logits.sigmoid()[0].numpy(), BLOB.shape)[0, 0].numpy()
    expected[ON.y, ON.x], expected[OFF.y, OFF.x] = 1, 0
    assert expected.std() > 0.01
    np.testing.assert_allclose(answer.probability, expected, atol=1e-5)


def test_an_exemplar_changes_the_answer_and_taking_it_back_restores_it(plus: str):
    method = ICMFormerPP(ICMFormerConfig(weights=plus, zoom=False))
    prepared = method.prepare(PICTURE)
    before = method.predict(prepared, [ON]).probability

    guided = method.condition(prepared, Guidance(exemplar=EXEMPLAR))
    other = method.condition(guided, Guidance(exemplar=Exemplar(mask=BLOB)))
    released = method.condition(guided, Guidance())

    told = [method.predict(each, [ON]).probability for each in (guided, other, released)]
    assert np.abs(told[0] - before).mean() > 1e-4
    assert np.abs(told[0] - told[1]).mean() > 1e-4
    assert np.array_equal(told[2], before)


@pytest.fixture
def bright(tmp_path: Path) -> str:
    return str(
        save_bright_network(
            tmp_path / "bright.safetensors",
            ICMFormerPPNetwork,
            crop_widths=(2, 2, 2, 2),
            crop_depths=(1, 1, 1, 1),
        )
    )


def two_blobs() -> BoolMask:
    """(240, 320), one near each upper corner."""
    on = np.zeros((240, 320), dtype=bool)
    on[20:60, 20:60] = on[20:60, 260:300] = True
    return on


def test_with_an_exemplar_all_of_its_kind_are_proposed_before_the_first_click(bright: str):
    on = two_blobs()
    known = on & (np.arange(320) < 160)
    method = create_method("icmformer_pp", weights=bright, least_side=8)
    prepared = method.prepare(paint(on))

    guided = method.condition(prepared, Guidance(exemplar=Exemplar(mask=known), excluded=known))

    assert not method.predict(prepared, []).mask.any()
    assert iou(method.predict(guided, []).mask, on & ~known) > 0.7


def test_the_exemplar_is_always_within_the_part_that_is_looked_at(
    bright: str, monkeypatch: pytest.MonkeyPatch
):
    """Also where an answer of its own, or the part of an earlier one, is far from it."""
    parts: list[Box] = []
    real = NetworkInference.answer

    def answer(self: Any, seen: Any, part: Box, clicks: Any, before: Any) -> Any:
        parts.append(part)
        return real(self, seen, part, clicks, before)

    monkeypatch.setattr(NetworkInference, "answer", answer)
    on = two_blobs()
    right = on & (np.arange(320) >= 160)
    method = create_method("icmformer_pp", weights=bright, least_side=8, second_look=False)
    prepared, click = method.prepare(paint(right)), Click(x=280, y=40)
    first = method.predict(prepared, [click])
    second = method.predict(prepared, [click], first)
    known = Exemplar(mask=on & ~right)

    guided = method.condition(prepared, Guidance(exemplar=known))
    method.predict(guided, [click], Prediction.from_mask(right))
    method.predict(guided, [click], second)

    whole, near_object, both, both_again = parts
    assert whole == Box(0, 0, 320, 240)
    assert near_object.x0 > 200
    for part in (both, both_again):
        assert part.holds(20, 20)
        assert part.holds(299, 59)
        assert part.height < 100


def test_the_network_is_shown_its_answer_with_the_exemplar_that_was_kept_off_it(
    bright: str, monkeypatch: pytest.MonkeyPatch
):
    shown: list[Any] = []
    real = NetworkInference.answer

    def answer(self: Any, seen: Any, part: Box, clicks: Any, before: Any) -> Any:
        shown.append(before.copy())
        return real(self, seen, part, clicks, before)

    monkeypatch.setattr(NetworkInference, "answer", answer)
    method = create_method("icmformer_pp", weights=bright, zoom=False)
    guidance = Guidance(exemplar=EXEMPLAR, excluded=CORNER | (np.arange(60) < 2)[:, None])
    guided = method.condition(method.prepare(PICTURE), guidance)

    first = method.predict(guided, [ON])
    second = method.predict(guided, [ON, OFF], first)

    assert not shown[0].any()
    assert (shown[1][CORNER] == 1).all()
    assert np.array_equal(shown[1][~CORNER], first.probability[~CORNER])
    assert not second.mask[CORNER].any()


def test_an_exemplar_of_another_size_is_refused(plus: str):
    method = ICMFormerPP(ICMFormerConfig(weights=plus))
    with pytest.raises(ShapeError, match=r"exemplar mask has shape \(3, 4\)"):
        method.condition(
            method.prepare(PICTURE),
            Guidance(exemplar=Exemplar(mask=np.ones((3, 4), dtype=bool))),
        )


@pytest.mark.parametrize("name", ["icmformer", "simpleclick"])
def test_methods_that_take_no_exemplar_refuse_it(tmp_path: Path, name: str):
    kinds = {"icmformer": {"kind": ICMFormerNetwork}, "simpleclick": {}}
    file = save_bright_network(tmp_path / "bright.safetensors", **kinds[name])
    method = create_method(name, weights=str(file))

    with pytest.raises(InputError, match="takes no exemplar"):
        method.condition(method.prepare(PICTURE), Guidance(exemplar=EXEMPLAR))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_answers_nearly_as_full(plus: str, precision: str):
    answers = []
    for numbers in ("fp32", precision):
        method = ICMFormerPP(
            ICMFormerConfig(weights=plus, precision=numbers, device="cpu", zoom=False)
        )
        guided = method.condition(method.prepare(PICTURE), Guidance(exemplar=EXEMPLAR))
        answers.append(method.predict(guided, [ON, OFF]).probability)

    assert not np.array_equal(*answers)
    assert np.abs(answers[0] - answers[1]).mean() < 0.05


@pytest.mark.parametrize("name", ["icmformer", "icmformer_pp", "icmformer_swin"])
def test_a_pixel_is_on_the_object_from_one_half_on(name: str):
    assert find_method(name).trainable
    assert ICMFormerConfig().threshold == 0.5


def test_a_file_of_another_network_is_refused_by_its_name(single: str, tmp_path: Path):
    swin = save_bright_swin(tmp_path / "swin.safetensors")

    with pytest.raises(
        WeightsError, match="holds a network of icmformer; needs one of icmformer_pp"
    ):
        create_method("icmformer_pp", weights=single).prepare(PICTURE)
    with pytest.raises(WeightsError, match="holds a network of icmformer_swin; needs one of"):
        create_method("icmformer", weights=str(swin)).prepare(PICTURE)
