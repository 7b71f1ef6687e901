"""Whoever has pictures and labels can fit the shape network anew."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, enlarge, paint
from fewclicks.backbones.onnx_network import OnnxNetwork
from fewclicks.methods.markov.shape_network import SHAPE_FILE
from fewclicks.methods.markov.shape_view import CHANNELS, SIDE

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "fitting"


def run(tool: str, *options: object) -> str:
    command = [sys.executable, str(TOOLS / tool), *map(str, options)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one labelled picture in each folder, collected as the tool does it."""
    folder = tmp_path_factory.mktemp("tuning")
    for number, name in enumerate(("coco_tiny", "photos")):
        for part in ("images", "masks"):
            (folder / name / part).mkdir(parents=True)
        on = enlarge(np.roll(BLOB, 9 * number, axis=1), 2)
        Image.fromarray(paint(on, noise=60)).save(folder / name / "images" / f"{name}.png")
        labels = Image.fromarray(on.astype(np.uint16))
        labels.save(folder / name / "masks" / f"{name}.png")
        known = json.dumps({name: {"split": "train2017"}})
        (folder / name / "instances.json").write_text(known, encoding="utf-8")
    options = ("--data", folder, "--out", folder / "lessons", "--workers", 1, "--uncorrected")
    run("collect_shapes.py", *options)
    return folder / "lessons"


def test_a_lesson_holds_what_was_held_and_what_is_true(lessons: Path):
    files = sorted(lessons.iterdir())
    assert [file.name for file in files] == ["coco_tiny-coco_tiny.npz", "photos-photos.npz"]
    with np.load(files[0]) as arrays:
        shape = arrays["labels"].shape
        count = len(arrays["of"])
        assert count >= 1
        assert arrays["image"].shape == (*shape, 3)
        assert arrays["opinion"].shape == (count, arrays["labels"].max() + 1)
        truth = np.unpackbits(arrays["truth"][0], count=shape[0] * shape[1]).reshape(shape)
        np.testing.assert_array_equal(truth, enlarge(BLOB, 2))
        assert arrays["clicks"][0, 0, 2] == 1.0  # the first one is on the object
        assert (arrays["clicks"][0, 1:] == -1.0).all()


def test_a_fit_goes_on_from_the_network_in_the_package(lessons: Path, tmp_path: Path):
    out = tmp_path / "shape.onnx"
    options = ("--minutes", 0.001, "--rate", 1e-9, "--all", "--start", SHAPE_FILE)
    run("fit_shape.py", lessons, lessons, out, *options)
    seen = np.random.default_rng(0).random((1, CHANNELS, SIDE, SIDE), dtype=np.float32)
    before, after = (OnnxNetwork(each, remedy="fit it anew")(seen) for each in (SHAPE_FILE, out))
    assert np.abs(before).max() > 1.0
    np.testing.assert_allclose(after, before, atol=0.1)


def test_a_fit_writes_a_network_that_the_package_runs(lessons: Path, tmp_path: Path):
    out = tmp_path / "shape.onnx"
    said = run("fit_shape.py", lessons, out, "--minutes", 0.02, "--all")
    assert "IoU" in said
    seen = np.random.default_rng(0).random((1, CHANNELS, SIDE, SIDE), dtype=np.float32)
    change = OnnxNetwork(out, remedy="fit it anew")(seen)
    assert change.shape == (1, 1, SIDE, SIDE)
    assert np.isfinite(change).all()
    assert out.with_suffix(".safetensors").stat().st_size > 4_000_000
