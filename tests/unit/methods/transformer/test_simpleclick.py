"""The method around a network: where it looks, what it keeps, what it needs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bright_network import bright_network, save_bright_network
from drawing import BLOB, enlarge, paint
from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, MissingExtraError, ShapeError, WeightsError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.registry import create_method
from fewclicks.methods.transformer.click_maps import click_disks
from fewclicks.methods.transformer.inference import NetworkInference
from fewclicks.methods.transformer.network_files import save_network
from fewclicks.methods.transformer.simpleclick import SimpleClick, SimpleClickConfig
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

PICTURE = paint(BLOB)
ON = Click(x=30, y=24)
OFF = Click(x=70, y=50, is_positive=False)


@pytest.fixture
def bright(tmp_path: Path) -> str:
    return str(save_bright_network(tmp_path / "bright.safetensors"))


@pytest.fixture
def random_weights(tmp_path: Path) -> str:
    """A network of random numbers, large enough that clicks matter."""
    torch.manual_seed(0)
    network = SimpleClickNetwork(
        SimpleClickNetworkConfig(
            dim=16, depth=4, heads=2, patch=4, levels=(8, 8, 8, 8), head=8, side=32, window=4
        )
    )
    with torch.no_grad():
        for values in network.parameters():
            values += 0.3 * torch.randn_like(values)
        network.head.classify.weight *= 5
    save_network(network, tmp_path / "random.safetensors")
    return str(tmp_path / "random.safetensors")


class Watched(NetworkInference):
    """Notes what it is asked."""

    embedded: list[Box]
    answered: list[tuple[Box, FloatMap]]

    def embed(self, image: RgbImage, part: Box) -> torch.Tensor:
        self.embedded.append(part)
        return super().embed(image, part)

    def answer(self, embedded: torch.Tensor, part: Box, clicks: Any, before: FloatMap) -> FloatMap:
        self.answered.append((part, before.copy()))
        return super().answer(embedded, part, clicks, before)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    Watched.embedded, Watched.answered = [], []
    monkeypatch.setattr("fewclicks.methods.transformer.inference.NetworkInference", Watched)
    return Watched


def small_object() -> tuple[RgbImage, BoolMask]:
    """(360, 480), a blob of a thirtieth of the picture, far from its middle."""
    on = np.zeros((360, 480), dtype=bool)
    on[200:320, 300:460] = enlarge(BLOB, 2)
    return paint(on), on


def test_a_small_object_is_looked_at_closer_within_the_first_click(
    bright: str, watched: type[Watched]
):
    image, on = small_object()
    method = SimpleClick(SimpleClickConfig(weights=bright))

    answer = method.predict(method.prepare(image), [Click(x=360, y=250)])

    whole, closer = (part for part, _ in watched.answered)
    assert whole == Box(0, 0, 480, 360)
    assert (closer.width, closer.height) == (201, 201)
    assert closer.holds(360, 250)
    assert not watched.answered[1][1].any()  # the second look begins anew
    assert iou(answer.mask, on) > 0.8


def test_looking_closer_finds_more_of_a_small_object(bright: str):
    image, on = small_object()
    found = {}
    for zoom in (True, False):
        method = SimpleClick(SimpleClickConfig(weights=bright, zoom=zoom))
        found[zoom] = iou(method.predict(method.prepare(image), [Click(x=360, y=250)]).mask, on)

    assert found[True] > found[False] + 0.01


def test_without_a_second_look_the_region_follows_with_the_next_click(
    bright: str, watched: type[Watched]
):
    image, _ = small_object()
    method = SimpleClick(SimpleClickConfig(weights=bright, second_look=False))
    prepared = method.prepare(image)

    first = method.predict(prepared, [Click(x=360, y=250)])
    second = method.predict(prepared, [Click(x=360, y=250), Click(x=350, y=250)], first)
    method.predict(
        prepared, [Click(x=360, y=250), Click(x=350, y=250), Click(x=355, y=255)], second
    )

    parts = [part for part, _ in watched.answered]
    assert parts[0] == Box(0, 0, 480, 360)
    assert parts[1] == parts[2] != parts[0]
    assert np.array_equal(watched.answered[1][1], first.probability)


def test_a_region_is_embedded_once_whatever_is_clicked(bright: str, watched: type[Watched]):
    image, _ = small_object()
    method = SimpleClick(SimpleClickConfig(weights=bright))
    prepared = method.prepare(image)
    clicks = [Click(x=360, y=250), Click(x=350, y=250), Click(x=355, y=255)]

    previous = None
    for count in (1, 2, 3):
        previous = method.predict(prepared, clicks[:count], previous)

    assert len(watched.answered) == 4
    assert len(watched.embedded) == len(set(watched.embedded)) == 2


def test_a_persons_mask_is_where_the_network_looks_from_the_first_click(
    bright: str, watched: type[Watched]
):
    image, on = small_object()
    method = SimpleClick(SimpleClickConfig(weights=bright))

    method.predict(method.prepare(image), [Click(x=360, y=250)], Prediction.from_mask(on))

    [(part, before)] = watched.answered
    assert part.width < 300
    assert np.array_equal(before, on.astype(np.float32))


def test_the_answer_is_that_of_the_network_on_the_stretched_region(random_weights: str):
    """Everything around the network, worked out plainly for one look at the whole picture."""
    method = SimpleClick(
        SimpleClickConfig(weights=random_weights, zoom=False, flip=False, precision="fp32")
    )
    from fewclicks.methods.transformer.network_files import load_network

    network = load_network(random_weights)
    before = Prediction(probability=np.random.default_rng(0).random(BLOB.shape, np.float32))

    answer = method.predict(method.prepare(PICTURE), [ON, OFF], before)

    def stretched(maps: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
        given = torch.from_numpy(np.array(maps, dtype=np.float32))[None]
        return torch.nn.functional.interpolate(given, size, mode="bilinear", align_corners=True)

    class Moved:
        def __init__(self, click: Click) -> None:
            self.x, self.y = click.x * 32 / 80, click.y * 32 / 60
            self.is_positive = click.is_positive

    disks = torch.from_numpy(click_disks([[Moved(ON), Moved(OFF)]], (32, 32)))
    guidance = torch.cat([stretched(before.probability[None], (32, 32)), disks], dim=1)
    with torch.no_grad():
        logits = network(stretched(PICTURE.transpose(2, 0, 1) / 255, (32, 32)), guidance)
    expected = stretched(logits.sigmoid()[0].numpy(), BLOB.shape)[0, 0].numpy()
    expected[ON.y, ON.x], expected[OFF.y, OFF.x] = 1, 0
    assert expected.std() > 0.01
    np.testing.assert_allclose(answer.probability, expected, atol=1e-5)


def test_clicks_and_the_answer_before_them_change_the_answer(random_weights: str):
    method = SimpleClick(SimpleClickConfig(weights=random_weights, zoom=False))
    prepared = method.prepare(PICTURE)
    first = method.predict(prepared, [ON])

    elsewhere = method.predict(prepared, [Click(x=60, y=10)])
    again = method.predict(prepared, [ON], first)
    with_negative = method.predict(prepared, [ON, OFF])

    for other in (elsewhere, again, with_negative):
        assert np.abs(other.probability - first.probability).mean() > 1e-4


def mirrored(click: Click) -> Click:
    return Click(x=BLOB.shape[1] - 1 - click.x, y=click.y, is_positive=click.is_positive)


def test_averaging_with_the_mirrored_picture_makes_left_and_right_alike(bright: str):
    """A click's place is stretched from the left, as published: alike to within that."""
    network = bright_network()
    with torch.no_grad():  # sees brightness, and more on the left
        network.backbone.position[0, 0] = torch.linspace(0.5, -0.5, 32)
    save_network(network, Path(bright))
    apart = {}
    for flip in (True, False):
        method = SimpleClick(SimpleClickConfig(weights=bright, zoom=False, flip=flip))
        there = method.predict(method.prepare(PICTURE), [ON]).probability
        back = method.predict(method.prepare(PICTURE[:, ::-1].copy()), [mirrored(ON)]).probability
        apart[flip] = np.abs(there - back[:, ::-1]).max()

    assert apart[False] > 0.1
    assert apart[True] < 1e-4


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_answers_nearly_as_full(random_weights: str, precision: str):
    answers = []
    for numbers in ("fp32", precision):
        method = SimpleClick(
            SimpleClickConfig(weights=random_weights, precision=numbers, device="cpu", zoom=False)
        )
        answers.append(method.predict(method.prepare(PICTURE), [ON, OFF]).probability)

    assert not np.array_equal(*answers)
    np.testing.assert_allclose(*answers, atol=0.06)


def test_another_side_than_the_networks_own_can_be_asked_for(bright: str):
    method = create_method("simpleclick", weights=bright, side="96", zoom="no")

    assert iou(method.predict(method.prepare(PICTURE), [ON]).mask, BLOB) > 0.9


def test_a_side_that_the_network_cannot_see_is_refused(bright: str):
    method = SimpleClick(SimpleClickConfig(weights=bright, side=97))

    with pytest.raises(ShapeError, match="97 x 97 pixels"):
        method.prepare(PICTURE)


def test_a_folder_as_a_hub_has_it_is_taken_as_well(tmp_path: Path):
    save_network(bright_network(), tmp_path / "trained")

    method = create_method("simpleclick", weights=str(tmp_path / "trained"))

    assert iou(method.predict(method.prepare(PICTURE), [ON]).mask, BLOB) > 0.9


def test_weights_of_a_hub_that_were_fetched_are_found_by_their_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="fewclicks weights fetch owner/clicks"):
        create_method("simpleclick", weights="owner/clicks")

    save_network(bright_network(), tmp_path / "weights" / "owner--clicks")

    assert create_method("simpleclick", weights="owner/clicks").config.weights == "owner/clicks"


def test_a_missing_library_is_told_with_the_command_to_type(
    bright: str, monkeypatch: pytest.MonkeyPatch
):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )

    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[torch\]'"):
        create_method("simpleclick", weights=bright)


def test_naming_the_method_wrongly_loads_no_network_library(tmp_path: Path):
    program = (
        "import sys\n"
        "from fewclicks.methods.registry import create_method\n"
        f"for weights in ('', {str(tmp_path / 'none.safetensors')!r}):\n"
        "    try:\n"
        "        create_method('simpleclick', weights=weights)\n"
        "    except OSError as error:\n"
        "        print(error)\n"
        "assert 'torch' not in sys.modules\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert len(run.stdout.splitlines()) == 2
    assert "--set weights=" in run.stdout


@pytest.mark.parametrize(
    ("setting", "value"),
    [("threshold", 1.0), ("side", -1), ("expansion", 0.5), ("precision", "fp8"), ("keep", 2.0)],
)
def test_settings_out_of_range_are_refused(setting: str, value: object):
    with pytest.raises(InputError, match=setting):
        SimpleClickConfig(**{setting: value})
