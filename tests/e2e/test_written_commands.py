"""Commands of the pages are carried out; measurements for one object.

What every command names is checked in ``tests/unit/test_written_commands.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from drawing import paint
from fewclicks.arrays import BoolMask
from fewclicks.backbones.registry import BACKBONES
from fewclicks.cli.app import app
from fewclicks.images.writing import write_image, write_mask
from fewclicks.methods.registry import find_method
from written import ROOT, Command, commands

ONE_OBJECT = ("--limit", "1", "--max-clicks", "2")
FOLDERS = {"davis": "davis_dev"}
LISTS = (("methods",), ("backbones",), ("datasets", "list"), ("weights", "list"))
FREE = {entry.name for entry in BACKBONES if not entry.weights}


def blob(x: int, y: int, radius: int) -> BoolMask:
    drawn = np.zeros((360, 480), dtype=np.uint8)
    cv2.circle(drawn, (x, y), radius, 1, thickness=-1)
    return drawn > 0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with every file that the pages name."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    dog, second = blob(210, 140, 70), blob(410, 90, 50)
    both = paint(dog | second)
    for name in ("dog", "photo", "car", "other_car", "crowd"):
        write_image(tmp_path / f"{name}.jpg", both)
    for folder in ("photos", "cars", "crowds", "PICTURES", "mine/images"):
        write_image(tmp_path / folder / "dog.jpg", both)
    for name in ("its_door", "one_person", "wheels", "one"):
        write_mask(tmp_path / f"{name}.png", dog)
    for name in ("its_rest", "rest"):
        write_mask(tmp_path / f"{name}.png", second)
    write_mask(tmp_path / "one_person_each" / "dog.png", dog)
    write_mask(tmp_path / "mine" / "masks" / "dog.png", dog)
    near = np.where(dog, 200, 50).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "disparity.png"), near)
    (tmp_path / "clicks.json").write_text('{"dog.jpg": [[210, 140], [60, 30, false]]}')
    return tmp_path


def value(command: Command, option: str) -> str | None:
    """What follows an option, if it is there."""
    words = command.words
    return words[words.index(option) + 1] if option in words else None


def is_runnable(command: Command) -> bool:
    """Whether it needs no weights, no data set and nobody to click."""
    if command.words[0] != "fewclicks" or not command.is_whole:
        return False
    verb = command.words[1]
    if value(command, "--backbone") not in (None, *FREE):
        return False
    if verb == "segment":
        return "weights" not in find_method(value(command, "--method") or "default").needs
    if verb == "evaluate":
        return value(command, "--dataset") in ("demonstration", "folder") and (
            value(command, "--data") in (None, "mine")
            and "weights" not in find_method(value(command, "--method") or "default").needs
        )
    return verb in ("propose", "report", "compare") or command.words[1:4] == (
        "datasets",
        "check",
        "mine",
    )


def carried_out(command: Command) -> None:
    words = [*command.words[1:], *(ONE_OBJECT if command.words[1] == "evaluate" else ())]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, f"{command}: {done.output}"


def with_commands() -> list[str]:
    """Name the pages that have commands to run, but those whose own tests run them."""
    runnable = {command.page for command in commands() if is_runnable(command)}
    runnable = {page for page in runnable if page.endswith(".md")}
    return sorted(runnable - {"README.md", "docs/tutorial.md"})


@pytest.mark.long
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("page", with_commands())
def test_the_commands_of_a_page_run_in_their_order(page: str):
    made = set()
    for command in (each for each in commands() if each.page == page and is_runnable(each)):
        read = [word for word in command.words if word.endswith("result.json")]
        if set(read) <= made:
            carried_out(command)
        if command.words[1] == "evaluate":
            made.add(f"{value(command, '--out')}/result.json")


@pytest.mark.long
@pytest.mark.parametrize("family", ["simpleclick", "refcut", "icmformer", "icmformer_pp"])
def test_the_commands_of_trained_networks_run_with_small_ones(family: str, here: Path):
    pytest.importorskip("torch", reason="the networks need torch")
    from bright_network import save_bright_network
    from fewclicks.methods.transformer.click_network import find_network

    for name in ("trained", "trained_pp"):
        save_bright_network(here / f"{name}.safetensors", find_network(family))
    page = f"docs/methods/{family.removesuffix('_pp')}.md"
    mine = [
        command
        for command in commands()
        if command.page == page and command.is_whole and command.words[1] == "segment"
        if value(command, "--method") == family
    ]
    assert mine
    for command in mine:
        carried_out(command)
        assert (here / str(value(command, "--out"))).exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_lists_are_printed(words: tuple[str, ...]):
    carried_out(Command("docs", ("fewclicks", *words), is_whole=True))


@pytest.mark.long
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "command",
    [
        command
        for command in commands()
        if command.words[:2] == ("fewclicks", "evaluate")
        and command.is_whole
        and value(command, "--dataset") in ("grabcut", "berkeley", "davis", "carparts", "coco_tiny")
        and value(command, "--backbone") in (None, *FREE)
        and "$" not in str(command)
        and "--engine" not in command.words  # Ray has tests of its own
    ],
    ids=str,
)
def test_a_measurement_runs_for_one_object(command: Command, real_data: Path):
    method = value(command, "--method") or "default"
    if "weights" in find_method(method).needs:
        pytest.skip(f"{method} needs trained weights, which are not here.")
    dataset = str(value(command, "--dataset"))
    folder = real_data / FOLDERS.get(dataset, dataset)
    if not folder.is_dir():
        pytest.skip(f"There is no {folder}.")
    words = [str(ROOT / word) if word.startswith("benchmarks/") else word for word in command.words]
    if "--data" in words:
        at = words.index("--data")
        del words[at : at + 2]
    carried_out(Command(command.page, (*words, "--data", str(folder)), is_whole=True))
