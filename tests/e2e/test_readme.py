"""What the README tells a newcomer to type does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from drawing import paint
from fewclicks.cli.app import app
from fewclicks.images.masks import iou
from fewclicks.images.reading import read_mask
from fewclicks.images.writing import write_image

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def dog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A folder with a dog.jpg whose dog covers the README's positive click, (210, 140)."""
    mask = np.zeros((360, 480), dtype=np.uint8)
    cv2.ellipse(mask, (260, 190), (120, 100), 0, 0, 360, 1, thickness=-1)
    write_image(tmp_path / "dog.jpg", paint(mask > 0))
    (tmp_path / "photos").mkdir()
    write_image(tmp_path / "photos" / "dog.jpg", paint(mask > 0))
    (tmp_path / "clicks.json").write_text('{"dog.jpg": [[210, 140], [60, 30, false]]}')
    monkeypatch.chdir(tmp_path)
    return mask > 0


def test_the_python_lines_run_and_find_the_dog(dog):
    (lines,) = blocks("python")
    exec(compile(lines, "README.md", "exec"), {})
    assert iou(read_mask("dog.png"), dog) > 0.95


def commands(verb: str) -> list[str]:
    lines = "\n".join(blocks("sh")).splitlines()
    return [line for line in lines if line.startswith(f"fewclicks {verb} ")]


@pytest.mark.usefixtures("dog")
@pytest.mark.parametrize("command", [*commands("segment"), *commands("methods")])
def test_each_command_line_runs(command):
    done = CliRunner().invoke(app, shlex.split(command)[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for written in re.findall(r"--(?:out|cutout|overlay) (\S+)", command):
        assert Path(written).exists()


@pytest.mark.parametrize("command", [*commands("evaluate"), *commands("report")])
def test_each_option_that_is_shown_exists(command):
    verb = shlex.split(command)[1]
    told = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    for option in re.findall(r"--[a-z-]+", command):
        assert option in told.output
