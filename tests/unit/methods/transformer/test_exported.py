"""An exported network answers as the network does, wherever torch is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from bright_network import bright_network, save_bright_network
from drawing import BLOB, paint
from fewclicks.clicks import Click
from fewclicks.errors import InputError, WeightsError
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.registry import create_method
from fewclicks.methods.transformer.click_maps import click_disks
from fewclicks.methods.transformer.click_network import ClickNetwork, find_network
from fewclicks.methods.transformer.exported import DECODER, DESCRIPTION, ENCODER
from fewclicks.methods.transformer.network_files import save_network
from fewclicks.methods.transformer.onnx_export import export_network
from fewclicks.methods.transformer.onnx_inference import stretch
from fewclicks.methods.transformer.refcut_network import RefCutNetwork
from fewclicks.web.answerer import describe_answerer

FAMILIES = ["simpleclick", "icmformer", "icmformer_swin"]
every_family = pytest.mark.parametrize("family", FAMILIES)
PICTURE = paint(BLOB, noise=60)
CLICKS = [
    Click(x=30, y=24),
    Click(x=70, y=50, is_positive=False),
    Click(x=21, y=33),
    Click(x=2, y=58, is_positive=False),
]


def drawn_network(family: str) -> ClickNetwork:
    """A small network whose numbers are drawn; half of the picture is the object."""
    torch.manual_seed(2)
    plain = {"dim": 16, "depth": 2, "heads": 2, "patch": 4, "levels": (4,) * 4, "side": 64}
    swin = {"dim": 8, "depths": (1,) * 4, "heads": (1,) * 4, "window": 2, "cross": 1, "side": 128}
    kind = find_network(family)
    network = kind(kind.config_type(**(swin if family.endswith("swin") else plain), head=4))
    with torch.no_grad():
        for values in network.parameters():
            values.normal_(std=0.4)
        side = network.config.side
        network.eval()
        shown = stretch(np.moveaxis(PICTURE, -1, 0).astype(np.float32) / 255, (side, side))
        logits = network(torch.from_numpy(shown)[None], torch.zeros(1, 3, side, side))
        last: Any = network.head.classify
        last.weight *= 3 / logits.std()
        last.bias[:] = (last.bias - logits.median()) * 3 / logits.std()
    return network


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Files of drawn networks, and folders that they were exported to."""
    folder = tmp_path_factory.mktemp("drawn")
    found = {}
    for family in FAMILIES:
        file = folder / f"{family}.safetensors"
        save_network(drawn_network(family), file)
        method: Any = create_method(family, weights=str(file))
        method.export_onnx(folder / family)
        found[family] = (file, folder / family)
    return found


def session(file: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


@every_family
@pytest.mark.parametrize("flip", [True, False])
def test_masks_are_those_of_the_network_click_after_click(
    family: str, flip: bool, drawn: dict[str, tuple[Path, Path]]
):
    settings = {"flip": flip, "least_side": 20}
    methods = [create_method(family, weights=str(each), **settings) for each in drawn[family]]
    prepared = [method.prepare(PICTURE) for method in methods]
    answers: list[Prediction | None] = [None, None]

    for count in range(1, len(CLICKS) + 1):
        answers = [
            method.predict(picture, CLICKS[:count], answer)
            for method, picture, answer in zip(methods, prepared, answers, strict=True)
        ]
        by_torch, by_onnx = answers
        assert by_torch is not None
        assert by_onnx is not None
        assert 0 < by_torch.mask.mean() < 1
        # Swin's many norms turn the last digit of a drawn network into one that can be seen.
        margin = 1e-4 if family == "icmformer_swin" else 0.0
        told = np.abs(by_torch.probability - by_torch.threshold) >= margin
        assert np.array_equal(by_torch.mask[told], by_onnx.mask[told])
        assert np.abs(by_torch.probability - by_onnx.probability).max() < 1e-3
        assert by_torch.state == by_onnx.state


@every_family
@pytest.mark.parametrize("count", [1, 30])
def test_logits_of_the_files_are_the_networks(
    family: str, count: int, drawn: dict[str, tuple[Path, Path]]
):
    """Called as the card says, with random pictures and clicks between pixels."""
    network, folder = drawn_network(family), drawn[family][1]
    side = network.config.side
    random = np.random.default_rng(count)
    image = random.random((2, 3, side, side), dtype=np.float32)
    previous = random.random((1, 1, side, side), dtype=np.float32)
    places = random.integers(-8, 8 * side, (count, 2)) / 7
    points = np.concatenate([places, random.integers(0, 2, (count, 1))], axis=1)

    seen = session(folder / ENCODER).run(None, {"image": image})
    decoder = session(folder / DECODER)
    names = [each.name for each in decoder.get_inputs() if each.name.startswith("seen")]
    mirror = np.array([False, True])
    given = {"points": points, "previous": previous, "mirror": mirror}
    [logits] = decoder.run(None, {**given, **dict(zip(names, seen, strict=True))})

    disks = click_disks([[_Place(*point) for point in points]], (side, side))
    maps = np.concatenate([previous, disks], axis=1)
    both = torch.from_numpy(np.concatenate([maps, maps[..., ::-1]]))
    with torch.no_grad():
        expected = network.answer(network.see(torch.from_numpy(image)), both).numpy()
    assert np.abs(logits - expected).max() < 1e-3
    assert np.ptp(expected) > 1


class _Place:
    def __init__(self, x: float, y: float, kind: float) -> None:
        self.x, self.y, self.is_positive = x, y, bool(kind)


def test_padding_is_no_click(drawn: dict[str, tuple[Path, Path]]):
    folder = drawn["simpleclick"][1]
    side = json.loads((folder / DESCRIPTION).read_text())["side"]
    seen = session(folder / ENCODER).run(None, {"image": np.zeros((1, 3, side, side), np.float32)})
    decoder = session(folder / DECODER)

    def ask(*points: tuple[float, float, float]) -> Any:
        previous = np.zeros((1, 1, side, side), np.float32)
        given = {
            "points": np.array(points, np.float64),
            "previous": previous,
            "mirror": np.array([False]),
        }
        return decoder.run(None, {**given, "seen_0": seen[0]})[0]

    padded = ask((9, 9, 1), (30, 30, -1), (0, 0, -1))
    assert np.array_equal(padded, ask((9, 9, 1)))
    assert not np.array_equal(padded, ask((9, 9, 1), (30, 30, 0)))


def test_guidance_holds_for_exported_networks_too(tmp_path: Path):
    method: Any = create_method(
        "simpleclick", weights=str(save_bright_network(tmp_path / "bright.safetensors"))
    )
    method.export_onnx(tmp_path / "exported")
    exported = create_method("simpleclick", weights=str(tmp_path / "exported"))
    excluded = BLOB & (np.arange(BLOB.shape[1]) < 24)
    picture = paint(BLOB)

    prepared = exported.prepare(picture)
    kept_off = exported.condition(prepared, Guidance(excluded=excluded))

    assert iou(exported.predict(prepared, CLICKS[:1]).mask, BLOB) > 0.8
    assert not (exported.predict(kept_off, CLICKS[:1]).mask & excluded).any()


def test_an_exported_network_runs_without_torch(drawn: dict[str, tuple[Path, Path]]):
    program = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "import numpy as np, fewclicks\n"
        "method = fewclicks.create_method('simpleclick', weights=sys.argv[1])\n"
        "prepared = method.prepare(np.zeros((20, 30, 3), dtype=np.uint8))\n"
        "print(method.predict(prepared, [fewclicks.Click(x=5, y=5)]).mask.shape)\n"
    )
    asking = [sys.executable, "-c", program, str(drawn["simpleclick"][1])]
    run = subprocess.run(asking, capture_output=True, text=True)

    assert run.stdout.strip() == "(20, 30)", run.stderr


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 3), (64, 64), (100, 50)])
def test_stretching_is_torchs_corner_on_corner(shape: tuple[int, int]):
    maps = np.random.default_rng(0).random((2, *shape), dtype=np.float32)

    expected = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[None], (48, 40), mode="bilinear", align_corners=True
    )

    assert np.allclose(stretch(maps, (48, 40)), expected[0].numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "cuda"}, "device is cuda, but .* was exported for cpu"),
        ({"precision": "fp16"}, "precision is fp16, but .* was exported for fp32"),
        ({"side": 128}, "side is 128, but .* was exported for 64"),
    ],
)
def test_what_an_exported_network_cannot_be_is_refused(
    settings: dict[str, Any], message: str, drawn: dict[str, tuple[Path, Path]]
):
    method = create_method("simpleclick", weights=str(drawn["simpleclick"][1]), **settings)

    with pytest.raises(InputError, match=message):
        method.prepare(PICTURE)


def test_a_network_is_exported_for_the_side_that_is_set(tmp_path: Path):
    file = save_bright_network(tmp_path / "bright.safetensors")
    method: Any = create_method("simpleclick", weights=str(file), side=96)

    assert method.export_onnx(tmp_path / "exported").side == 96
    exported = create_method("simpleclick", weights=str(tmp_path / "exported"))
    assert iou(exported.predict(exported.prepare(paint(BLOB)), CLICKS[:1]).mask, BLOB) > 0.8


@pytest.mark.parametrize("name", [ENCODER, DECODER])
def test_a_damaged_file_is_refused(name: str, tmp_path: Path):
    export_network(bright_network(), tmp_path)
    with (tmp_path / name).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    method = create_method("simpleclick", weights=str(tmp_path))

    with pytest.raises(WeightsError, match=f"{name} is missing or not as it was exported"):
        method.prepare(PICTURE)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seen": ["a"], "sha256": {}}', "{", "\x00"])
def test_a_description_that_cannot_be_read_is_refused(text: str, tmp_path: Path):
    (tmp_path / DESCRIPTION).write_text(text)

    with pytest.raises(WeightsError, match="describes no exported network"):
        create_method("simpleclick", weights=str(tmp_path))


def test_an_exported_network_of_another_method_is_refused(drawn: dict[str, tuple[Path, Path]]):
    folder = str(drawn["simpleclick"][1])

    for name in ("icmformer", "refcut"):
        with pytest.raises(WeightsError, match=f"exported network of simpleclick; '{name}' needs"):
            create_method(name, weights=folder)
    method: Any = create_method("simpleclick", weights=folder)
    with pytest.raises(InputError, match="is exported already"):
        method.export_onnx(Path(folder) / "again")


def test_a_record_can_name_the_files_of_an_exported_network(drawn: dict[str, tuple[Path, Path]]):
    file, folder = drawn["simpleclick"]

    said = [
        json.loads(
            describe_answerer(
                "simpleclick", create_method("simpleclick", weights=str(each))
            ).content
        )
        for each in (file, folder)
    ]

    assert list(said[0]["weights"]) == [file.name]
    assert said[1]["weights"] == json.loads((folder / DESCRIPTION).read_text())["sha256"]


def test_a_network_that_takes_references_is_not_exported(tmp_path: Path):
    with pytest.raises(InputError, match="'refcut' takes references, which an exported"):
        export_network(bright_network(RefCutNetwork), tmp_path / "no")

    assert not (tmp_path / "no").exists()


def test_a_network_that_no_onnx_file_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fewclicks.methods.transformer.onnx_export._LARGEST", 100)

    with pytest.raises(InputError, match="an ONNX file holds 2 GB"):
        export_network(bright_network(), tmp_path / "no")


def test_the_card_names_what_goes_in_and_comes_out(drawn: dict[str, tuple[Path, Path]]):
    for family in FAMILIES:
        folder = drawn[family][1]
        card = (folder / "README.md").read_text()
        for name in (ENCODER, DECODER):
            opened = session(folder / name)
            for each in (*opened.get_inputs(), *opened.get_outputs()):
                assert f"`{each.name}`" in card


@pytest.mark.long
def test_the_base_network_at_its_real_size_gives_the_same_logits(tmp_path: Path):
    torch.manual_seed(0)
    network = find_network("simpleclick")(find_network("simpleclick").config_type()).eval()
    export_network(network, tmp_path)
    image = np.random.default_rng(0).random((2, 3, 448, 448), dtype=np.float32)
    points = np.array([[200.5, 140.25, 1], [40, 40, 0]])
    previous = np.zeros((1, 1, 448, 448), np.float32)

    [seen] = session(tmp_path / ENCODER).run(None, {"image": image})
    given = {"points": points, "previous": previous, "mirror": np.array([False, True])}
    [logits] = session(tmp_path / DECODER).run(None, {**given, "seen_0": seen})

    disks = click_disks([[_Place(*point) for point in points]], (448, 448))
    maps = np.concatenate([previous, disks], axis=1)
    both = torch.from_numpy(np.concatenate([maps, maps[..., ::-1]]))
    with torch.no_grad():
        expected = network(torch.from_numpy(image), both).numpy()
    assert np.abs(logits - expected).max() < 1e-3 * np.ptp(expected)
