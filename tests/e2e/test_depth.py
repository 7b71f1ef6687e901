"""Depth on the command line: a source by name, a file, a folder of files; and what is no depth."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, paint
from fewclicks.cli.app import main
from fewclicks.images.masks import iou
from fewclicks.images.reading import read_mask
from fewclicks.images.writing import write_image, write_mask

SAME = (90, 120, 100)
"""Object and ground in one colour, so that depth alone tells them apart."""

ALONE = ("--method", "m2n2v2", "--backbone", "none")
CLICK = ("--click=30,24",)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A picture in one colour and a data set of it, with its depth in several forms."""
    for name in ("dog.png", "in/dog.png", "data/images/dog.png", "data/images/cat.png"):
        write_image(tmp_path / name, paint(BLOB, inside=SAME, outside=SAME, noise=2))
    for name in ("dog", "cat"):
        write_mask(tmp_path / "data" / "masks" / f"{name}.png", BLOB)
    disparity = np.where(BLOB, 900, 300).astype(np.uint16)
    disparity[:, 70:] = 0
    (tmp_path / "depths").mkdir()
    (tmp_path / "half").mkdir()
    for name in ("disparity.png", "depths/dog.png", "depths/cat.tif", "half/dog.png"):
        Image.fromarray(disparity).save(tmp_path / name)
    np.save(tmp_path / "metres.npy", np.where(BLOB, 1.5, 4.0))
    np.save(tmp_path / "flat.npy", np.ones(BLOB.shape))
    np.save(tmp_path / "tall.npy", np.random.default_rng(0).uniform(1, 2, (80, 20)))
    (tmp_path / "clicks.json").write_text(json.dumps({"dog.png": [[30, 24]]}))
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return ran


def test_one_click_finds_what_only_depth_tells_apart(run: Run):
    code, _, err = run(
        "segment", "dog.png", *CLICK, *ALONE, "--out", "m.png", "--depth=disparity.png"
    )
    assert code == 0
    assert err == "Depth is unknown in 12.5% of its pixels, and taken from beside.\n"
    assert iou(read_mask("m.png"), BLOB) > 0.95


def test_distance_is_told_from_disparity(run: Run):
    given = (
        "segment",
        "dog.png",
        *CLICK,
        *ALONE,
        "--out",
        "m.png",
        "--depth",
        "metres.npy",
        "--json",
    )
    code, out, err = run(*given, "--depth-kind", "depth")
    assert (code, err) == (0, "")
    assert json.loads(out)["unknown_depth"] == 0.0
    assert iou(read_mask("m.png"), BLOB) > 0.95


def test_a_folder_of_pictures_takes_a_folder_of_depths(run: Run):
    given = ("segment", "in", "--clicks", "clicks.json", *ALONE, "--out", "new")
    code, _, _ = run(*given, "--depth", "depths")
    assert code == 0
    assert iou(read_mask("new/dog.png"), BLOB) > 0.95
    code, _, err = run(*given, "--depth", "disparity.png")
    assert code == 2
    assert "in is a folder and disparity.png is one file" in err.replace("\n", " ")


def test_a_data_set_is_measured_with_the_depth_of_each_picture(run: Run):
    given = ("evaluate", "--dataset", "folder", "--data", "data", *ALONE, "--max-clicks", "3")
    code, _, err = run(*given, "--depth", "depths", "--out", "run")
    assert code == 0, err
    result = json.loads(Path("run/result.json").read_text())
    assert result["noc"]["90"] == 1.0
    assert result["config"]["depth"] == "depths"
    assert result["config"]["depth_kind"] == "inverse"
    assert len(result["config"]["depth_sha256"]) == 64
    assert result["config"]["depth_settings"] is None
    code, _, err = run(*given, "--depth", "half", "--out", "other")
    assert (code, err.count("\n")) == (1, 1)
    assert "half has no depth of picture 'cat'; needs cat.png, .tif or .npy." in err
    assert not Path("other").exists()


@pytest.mark.long
def test_workers_read_depth_too(run: Run):
    given = ("evaluate", "--dataset", "folder", "--data", "data", *ALONE, "--max-clicks", "1")
    assert run(*given, "--depth", "depths", "--out", "run", "--workers", "2")[0] == 0
    assert json.loads(Path("run/result.json").read_text())["miou"]["1"] > 0.95


def test_a_source_is_chosen_by_name_with_its_own_settings(run: Run):
    given = ("evaluate", "--dataset", "folder", "--data", "data", *ALONE, "--max-clicks", "1")
    code, _, err = run(*given, "--depth", "noise", "--set", "depth.seed=7", "--out", "run")
    assert code == 0, err
    config = json.loads(Path("run/result.json").read_text())["config"]
    assert (config["depth"], config["depth_settings"]) == ("noise", {"seed": 7, "bumps": 8})
    assert config["depth_sha256"] is None


def test_none_is_no_depth_for_every_method(run: Run):
    given = ("segment", "dog.png", *CLICK, "--method", "graphcut", "--out", "m.png")
    assert run(*given, "--depth", "none")[0] == 0


BAD = {
    "no such file": ("--depth=depth.png", 1, "There is no depth file or folder depth.png"),
    "no such source": ("--depth=depth-anything", 2, "Did you mean 'depth-anything-v2-"),
    "another aspect": ("--depth=tall.npy", 1, "80 high and 20 wide; needs the aspect"),
    "one depth": ("--depth=flat.npy", 1, "flat.npy holds one depth only"),
    "a picture in colours": ("--depth=dog.png", 1, "dog.png holds RGB pixels, not numbers"),
    "text": ("--depth=clicks.json", 1, "clicks.json is no picture in a known format"),
    "a folder without it": ("--depth=in/", 1, "in/dog.png holds RGB pixels"),
    "an unknown kind": ("--depth-kind=far", 2, "--depth-kind"),
    "a device for none": ("--device=cuda", 1, "neither backbone nor depth is a network"),
    "a setting of no source": ("--set=depth.seed=3", 1, "depth.seed was given, but"),
    "an unknown setting": ("--set=depth.sed=3 --depth=noise", 2, "Did you mean 'seed'"),
}


@pytest.mark.parametrize(("typed", "code", "said"), BAD.values(), ids=BAD)
def test_what_is_no_depth_is_answered_in_one_line(run: Run, typed: str, code: int, said: str):
    ended, out, err = run("segment", "dog.png", *CLICK, *ALONE, "--out", "m.png", *typed.split())
    assert (ended, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
    assert not Path("m.png").exists()


def test_a_method_that_takes_no_depth_says_so(run: Run):
    given = ("segment", "dog.png", *CLICK, "--method", "graphcut", "--out", "m.png")
    for depth in ("noise", "disparity.png"):
        code, _, err = run(*given, "--depth", depth)
        assert (code, err.count("\n")) == (1, 1)
        assert "takes no depth" in err
    given = ("evaluate", "--dataset", "folder", "--data", "data", "--method", "graphcut")
    code, _, err = run(*given, "--out", "run", "--depth", "depths")
    assert code == 1
    assert "Method 'graphcut' takes no depth, but got 'depths'" in err
