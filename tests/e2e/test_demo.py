"""`fewclicks demo` as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fewclicks.cli.app import app
from fewclicks.datasets.base import all_samples
from fewclicks.datasets.demonstration import DemonstrationDataset
from fewclicks.images.reading import read_image


def run_demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fewclicks", "demo", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    """What one run with --json printed; the other tests look at what it left behind."""
    done = run_demo("--json", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_default_cuts_out_real_objects_within_ten_clicks(result):
    ious = {f"{found['picture']}:{found['object']}": found["iou"] for found in result["objects"]}
    assert np.mean(list(ious.values())) >= 0.90, ious
    assert min(ious.values()) >= 0.80, ious
    assert max(len(found["clicks"]) for found in result["objects"]) <= 10


def test_every_object_is_there_with_an_iou_for_each_click(result):
    found = [f"{found['picture']}:{found['object']}" for found in result["objects"]]
    assert found == [sample.id for sample in all_samples(DemonstrationDataset())]
    for item in result["objects"]:
        assert len(item["ious"]) == len(item["clicks"]) >= 1
        assert item["iou"] == item["ious"][-1]


def test_the_sums_are_those_of_the_objects(result):
    ious = [found["iou"] for found in result["objects"]]
    assert result["mean_iou"] == pytest.approx(np.mean(ious))
    assert result["min_iou"] == min(ious)


def test_the_user_stops_once_an_object_is_good_enough(result):
    assert all(max(found["ious"][:-1], default=0) < 0.95 for found in result["objects"])


def test_the_file_holds_what_was_printed(result, folder):
    assert json.loads((folder / "out" / "demo.json").read_text(encoding="utf-8")) == result


def test_each_picture_has_an_overlay_of_its_size_that_shows_something(result, folder):
    dataset = DemonstrationDataset()
    assert [entry["picture"] for entry in result["pictures"]] == list(dataset.pictures)
    for entry in result["pictures"]:
        overlay = read_image(folder / entry["overlay"])
        image = dataset.samples(entry["picture"])[0].image
        assert overlay.shape == image.shape
        assert (overlay != image).any(axis=2).mean() > 0.01


def test_the_contact_sheet_is_larger_than_any_overlay_on_it(result, folder):
    sheet = read_image(folder / result["contact_sheet"])
    assert sheet.shape[1] > 1000


def test_clicks_lie_on_what_they_claim(result):
    truths = {sample.id: sample.object_mask for sample in all_samples(DemonstrationDataset())}
    for found in result["objects"]:
        truth = truths[f"{found['picture']}:{found['object']}"]
        assert all(truth[y, x] == is_positive for x, y, is_positive in found["clicks"])


def test_without_json_a_table_and_the_way_to_the_pictures_are_printed(tmp_path, monkeypatch):
    monkeypatch.setattr(DemonstrationDataset, "pictures", ("coins",))
    out = tmp_path / "new" / "folder"
    done = CliRunner().invoke(app, ["demo", "--method", "graphcut", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "profile" in done.stdout
    assert f"Overlays: {out / 'contact_sheet.png'}" in done.stdout
    assert done.stderr == ""
    assert {path.name for path in out.iterdir()} == {
        "coins.png",
        "contact_sheet.png",
        "demo.json",
    }


def test_an_unknown_method_is_answered_before_anything_is_written(tmp_path):
    done = run_demo("--method", "grapcut", cwd=tmp_path)
    assert done.returncode == 2
    assert "Did you mean 'grabcut'?" in done.stderr or "Did you mean 'graphcut'?" in done.stderr
    assert list(tmp_path.iterdir()) == []
