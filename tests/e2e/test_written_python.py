"""The Python lines of every page run, in their order, on prepared files."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from drawing import paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.cli.app import app
from fewclicks.images.masks import iou
from fewclicks.images.reading import read_mask
from fewclicks.images.writing import write_image, write_mask
from written import PAGES, ROOT, blocks, split

HEIGHT, WIDTH = 360, 480
Names = dict[str, Any]


def disks(*middles: tuple[int, int], radius: int) -> BoolMask:
    drawn = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for middle in middles:
        cv2.circle(drawn, middle, radius, 1, thickness=-1)
    return drawn > 0


DOG = disks((230, 170), radius=90)
DOORS = disks((210, 140), (90, 60), (400, 280), (90, 290), radius=40)


def python_of(page: str) -> list[str]:
    path = ROOT / page
    found = [block.text for block in blocks(path) if block.language == "python"]
    return [text for text in found if not text.startswith(">>>")]


def run(
    page: str,
    names: Names,
    stand_ins: Mapping[str, str] | None = None,
    between: Callable[[Names], None] = lambda _: None,
) -> Names:
    """Carry out the blocks of a page; names and files of the reader's own are given."""
    for number, text in enumerate(python_of(page), start=1):
        for written, stands in (stand_ins or {}).items():
            text = text.replace(written, stands)
        exec(compile(text, f"{page}, block {number}", "exec"), names)
        between(names)
    return names


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages name, and nothing that could be fetched."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "dog.jpg", paint(DOG))
    for name in ("car.jpg", "other_car.jpg"):
        write_image(tmp_path / name, paint(DOORS))
    write_mask(tmp_path / "its_door.png", disks((210, 140), radius=40))
    return tmp_path


def test_segmenting(here: Path):
    run("docs/segmenting.md", {})
    assert iou(read_mask(here / "dog.png"), DOG) > 0.9


@pytest.mark.long
def test_guidance(here: Path):
    del here
    session = run("docs/guidance.md", {})["session"]
    assert len(session.objects) >= 2
    assert {one.label for one in session.objects} == {"door"}
    assert iou(session.objects[0].mask, disks((210, 140), radius=40)) > 0.8


@pytest.mark.long
def test_integrations(here: Path):
    del here
    click_on = {"x": 210, "y": 140}
    names = run(
        "docs/integrations.md",
        {},
        between=lambda names: (
            names["widget"].session.objects or names["widget"].session.click(**click_on)
        ),
    )
    assert [one.label for one in names["widget"].session.objects] == ["dog"]


@pytest.mark.long
def test_proposals(here: Path):
    (here / "PICTURES").mkdir()
    write_image(here / "PICTURES" / "dog.png", paint(DOG))
    done = CliRunner().invoke(app, ["propose", "PICTURES", "--out", "STORE"])
    assert done.exit_code == 0, done.output
    names = run("docs/proposals.md", {})
    assert names["image"] == "dog.png"
    assert names["region"].any()


def test_a_method_of_ones_own(here: Path):
    del here
    session = run("docs/adding_a_method.md", {"__name__": "__main__"})["session"]
    assert iou(session.mask, DOG) > 0.9


def test_the_tutorial_runs_from_its_first_block_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    names: Names = {}
    typed = []
    for block in blocks(ROOT / "docs" / "tutorial.md"):
        if block.language == "python":
            exec(compile(block.text, "tutorial", "exec"), names)
            continue
        for command in split("tutorial", block.text):
            typed.append(command.words[:2])
            if command.words[0] == "fewclicks":
                done = CliRunner().invoke(app, list(command.words[1:]), catch_exceptions=False)
                assert done.exit_code == 0, done.output
    assert typed == [("pip", "install"), ("fewclicks", "segment")]
    areas = [one.mask.sum() for one in names["session"].objects]
    assert all(500 < area < 5000 for area in areas), "each is a coin"
    assert iou(read_mask(tmp_path / "coin.png"), names["before"]) > 0.95
    (written,) = (tmp_path / "annotations").glob("*.json")
    assert len(json.loads(written.read_text())["annotations"]) == 3


def test_examples_with_prompts(here: Path):
    del here
    for page in PAGES:
        for block in blocks(page):
            if block.language == "python" and block.text.startswith(">>>"):
                example = doctest.DocTestParser().get_doctest(block.text, {}, page.name, None, 0)
                assert doctest.DocTestRunner(verbose=False).run(example).failed == 0


def prepare_simpleclick(here: Path) -> tuple[Names, dict[str, str]]:
    import torch

    from small_vits import save_vit

    torch.save({"state_dict": {"a": torch.ones(2)}}, here / "cocolvis_vit_base.pth")
    save_vit(
        "vit", here / "vit-tiny", hidden_size=192, num_hidden_layers=12, num_attention_heads=3,
        intermediate_size=768, patch_size=16, image_size=224,
    )  # fmt: skip
    side = 448
    return {"image": torch.zeros(1, 3, side, side), "guidance": torch.zeros(1, 3, side, side)}, {}


def prepare_refcut(here: Path) -> tuple[Names, dict[str, str]]:
    from bright_network import save_bright_network
    from fewclicks.methods.transformer.refcut_network import RefCutNetwork

    save_bright_network(here / "trained.safetensors", RefCutNetwork)
    car: RgbImage = paint(DOORS)
    wheel = disks((210, 140), radius=40)
    return {"car": car, "wheel_mask": wheel, "rest_of_the_car": DOORS & ~wheel, "image": car}, {}


def prepare_icmformer(here: Path) -> tuple[Names, dict[str, str]]:
    import torch
    from transformers import ResNetConfig, ResNetModel

    from small_vits import save_vit

    save_vit(
        "vit_mae", here / "mae", hidden_size=12, num_hidden_layers=4, num_attention_heads=3,
        intermediate_size=48, patch_size=16, image_size=128,
    )  # fmt: skip
    widths, depths = (4, 6, 8, 10), (1, 1, 2, 1)
    crops = ResNetConfig(
        embedding_size=4, hidden_sizes=list(widths), depths=list(depths), layer_type="basic"
    )
    ResNetModel(crops).save_pretrained(here / "resnet")
    small = (
        "dim=12, depth=4, heads=3, patch=16, levels=(6, 5, 7, 30), head=5, side=128, window=4, "
        f"global_every=2, cross=2, crop_widths={widths}, crop_depths={depths}, crop_side=96"
    )
    names = {name: torch.zeros(1, 3, 128, 128) for name in ("image", "guidance", "exemplar")}
    return names, {
        'size="base"': small,
        "facebook/vit-mae-base": "./mae",
        "microsoft/resnet-18": "./resnet",
    }


@pytest.mark.long
@pytest.mark.parametrize(
    ("page", "prepare"),
    [
        ("simpleclick", prepare_simpleclick),
        ("refcut", prepare_refcut),
        ("icmformer", prepare_icmformer),
    ],
)
def test_networks(page: str, prepare: Callable[[Path], tuple[Names, dict[str, str]]], here: Path):
    names, stand_ins = prepare(here)
    names = run(f"docs/methods/{page}.md", names, stand_ins)
    answer = names["prediction"].mask if page == "refcut" else names["logits"]
    assert answer.shape[-2:] in ((HEIGHT, WIDTH), (448, 448), (128, 128))


def test_no_page_with_python_was_forgotten():
    tried = {"segmenting", "guidance", "integrations", "proposals", "adding_a_method", "tutorial"}
    tried |= {"simpleclick", "refcut", "icmformer"}
    with_python = {
        page.stem
        for page in PAGES
        if page.name != "README.md" and python_of(page.relative_to(ROOT).as_posix())
    }
    assert with_python == tried, "README.md has tests of its own"
