from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import fewclicks

HEAVY = {
    "numpy", "scipy", "numba", "cv2", "PIL", "skimage", "sklearn", "matplotlib", "pycocotools",
    "pydantic", "torch",
}  # fmt: skip


def _imported_by(program: str, *, argv: tuple[str, ...] = ()) -> set[str]:
    """Top-level modules that a fresh Python holds after the program."""
    ending = "\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program + ending, *argv], capture_output=True, check=True
    )
    names = json.loads(run.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("name", fewclicks.__all__)
def test_every_public_name_can_be_imported(name: str):
    assert getattr(fewclicks, name) is not None


def test_the_public_names_are_sorted_and_are_what_dir_shows():
    assert fewclicks.__all__ == sorted(fewclicks.__all__)
    assert dir(fewclicks) == fewclicks.__all__


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Sesion'"):
        fewclicks.Sesion  # noqa: B018


def test_the_version_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", fewclicks.__version__)


def test_importing_the_package_imports_nothing_heavy():
    assert not _imported_by("import fewclicks") & HEAVY


@pytest.mark.parametrize("argv", [("--help",), ("--version",), ("segment", "-h"), ("methods",)])
def test_help_and_lists_import_nothing_heavy(argv: tuple[str, ...]):
    program = (
        "from fewclicks.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    light = {"pydantic"}  # typer reads the command line with it
    if argv == ("methods",):
        light.add("numpy")  # the contract of methods speaks of arrays
    assert not _imported_by(program, argv=argv) & (HEAVY - light)


def test_a_whole_sitting_never_imports_torch():
    program = (
        "import numpy as np, fewclicks as fc\n"
        "image = np.zeros((40, 60, 3), np.uint8); image[10:30, 10:30] = 255\n"
        "session = fc.Session(fc.create_method(), image)\n"
        "session.click(x=20, y=20); session.finish_object('square'); session.to_json()\n"
        "fc.SamStylePredictor(fc.create_method('graphcut'))"
    )
    assert "torch" not in _imported_by(program)
