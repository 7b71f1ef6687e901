"""The core install, as `pip install fewclicks` gives it: no torch, and it segments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from drawing import BLOB, paint
from fewclicks.images.masks import iou
from fewclicks.images.reading import read_mask
from fewclicks.images.writing import write_image

ROOT = Path(__file__).resolve().parents[2]


FILES = {
    path.relative_to(ROOT / "src").as_posix()
    for path in (ROOT / "src" / "fewclicks").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where programs of an environment lie that has the wheel, and no extra."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    install = [str(programs / "python"), "-m", "pip", "install", "--quiet"]
    constraints = ["--disable-pip-version-check", "-c", str(ROOT / "constraints.txt")]
    subprocess.run([*install, *constraints, str(wheel)], check=True)
    return programs


def answer(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path):
    with ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert held == FILES
    for suffix in (".onnx", ".safetensors", ".html", ".js", ".css", ".toml", ".typed"):
        assert any(name.endswith(suffix) for name in held)


@pytest.mark.long
def test_the_core_install_segments_a_photograph_without_torch(installed: Path, tmp_path: Path):
    said = answer(installed / "python", ROOT / "tools" / "core_smoke.py", cwd=tmp_path)
    assert "no torch" in said


@pytest.mark.long
def test_the_core_install_answers_on_the_command_line(installed: Path, tmp_path: Path):
    assert "annotate" in answer(installed / "fewclicks", "--help", cwd=tmp_path)
    picture = tmp_path / "blob.png"
    write_image(picture, paint(BLOB))
    answer(
        installed / "fewclicks", "segment", picture, "--click=30,24", "--out", "mask.png",
        cwd=tmp_path,
    )  # fmt: skip
    assert iou(read_mask(tmp_path / "mask.png"), BLOB) > 0.9
    refused = subprocess.run(
        [str(installed / "fewclicks"), "annotate", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "pip install 'fewclicks[web]'" in refused.stderr
