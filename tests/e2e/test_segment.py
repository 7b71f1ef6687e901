"""A person segments pictures: from Python, and from a shell."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fewclicks as fc
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.evaluation.clicker import next_click
from fewclicks.images.masks import iou
from fewclicks.images.reading import read_mask
from fewclicks.images.writing import write_image


def _shell(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fewclicks", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


@pytest.mark.parametrize("method", ["default", "graphcut"])
def test_five_lines_of_python_give_a_mask(method: str, disk_image: RgbImage, disk_mask: BoolMask):
    session = fc.Session(fc.create_method(method), disk_image)
    session.click(x=30, y=25)
    session.click(x=70, y=50, is_positive=False)

    assert iou(session.mask, disk_mask) > 0.9
    session.finish_object("disk")
    session.click(x=70, y=50)
    assert not (session.mask & session.objects[0].mask).any()


def test_code_written_for_sam_runs_unchanged(disk_image: RgbImage, disk_mask: BoolMask):
    predictor = fc.SamStylePredictor()
    predictor.set_image(disk_image)
    masks, scores, logits = predictor.predict(
        point_coords=np.array([[30, 25], [70, 50]]),
        point_labels=np.array([1, 0]),
        multimask_output=True,
    )
    best = masks[np.argmax(scores)]
    refined, _, _ = predictor.predict(
        point_coords=np.array([[30, 25], [70, 50]]),
        point_labels=np.array([1, 0]),
        mask_input=logits[np.argmax(scores)][None],
        multimask_output=False,
    )

    assert iou(best, disk_mask) > 0.9
    assert iou(refined[0], disk_mask) > 0.9


def test_a_shell_command_gives_mask_overlay_and_cutout(
    tmp_path: Path, disk_image: RgbImage, disk_mask: BoolMask
):
    write_image(tmp_path / "disk.png", disk_image)
    run = _shell(
        "segment", "disk.png", "--click", "30,25", "--click=-70,50", "--method", "graphcut",
        "--set", "strength=40", "--out", "mask.png", "--overlay", "over.png", "--cutout", "cut.png",
        "--json",
        folder=tmp_path,
    )  # fmt: skip

    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["clicks"] == [[30, 25, True], [70, 50, False]]
    for name in ("mask.png", "cut.png"):
        assert iou(read_mask(tmp_path / name), disk_mask) > 0.9
    assert (tmp_path / "over.png").stat().st_size > 0


def test_a_shell_command_goes_through_a_folder(
    tmp_path: Path, disk_image: RgbImage, disk_mask: BoolMask
):
    write_image(tmp_path / "in" / "a.png", disk_image)
    write_image(tmp_path / "in" / "b.png", disk_image[:, ::-1])
    clicks = {"a.png": [[30, 25], [70, 50, False]], "b.png": [{"x": 49, "y": 25}, [9, 50, False]]}
    (tmp_path / "clicks.json").write_text(json.dumps(clicks))
    run = _shell(
        "segment", "in", "--clicks", "clicks.json", "--method", "graphcut", "--out", "masks",
        folder=tmp_path,
    )  # fmt: skip

    assert (run.returncode, run.stderr) == (0, "")
    assert iou(read_mask(tmp_path / "masks" / "a.png"), disk_mask) > 0.9
    assert iou(read_mask(tmp_path / "masks" / "b.png"), disk_mask[:, ::-1]) > 0.9


def test_a_sitting_outlives_its_process(tmp_path: Path, disk_image: RgbImage):
    method = fc.create_method("graphcut")
    session = fc.Session(method, disk_image)
    session.box(10, 5, 60, 50)
    session.click(x=30, y=25)
    session.click(x=58, y=45, is_positive=False)
    session.undo()
    session.save(tmp_path / "sitting.json")
    restored = fc.Session.load(tmp_path / "sitting.json", fc.create_method("graphcut"), disk_image)

    assert (restored.mask == session.mask).all()
    assert restored.redo() is not None
    session.redo()
    assert (restored.probability == session.probability).all()


@pytest.mark.parametrize("name", ["default", "graphcut"])
def test_two_people_may_share_one_method(name: str, disk_image: RgbImage):
    method = fc.create_method(name)
    pictures = [disk_image, np.ascontiguousarray(disk_image[::-1])]
    tour = [(30, 25, True), (70, 50, False), (5, 5, False), (35, 28, True)]

    def walk(which: int) -> list[bytes]:
        session = fc.Session(method, pictures[which])
        return [session.click(x, y, is_positive=on).probability.tobytes() for x, y, on in tour * 2]

    alone = [walk(0), walk(1)]
    together: dict[int, list[bytes]] = {}
    threads = [
        threading.Thread(target=lambda which=which: together.update({which: walk(which)}))
        for which in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [together[0], together[1]] == alone


def test_a_photograph_is_segmented_within_a_few_clicks(real_data: Path):
    picture = real_data / "grabcut" / "images" / "teddy.jpg"
    truth = read_mask(real_data / "grabcut" / "masks" / "teddy.png", threshold=200)
    session = fc.Session(fc.create_method("graphcut"), fc.read_image(picture))
    for _ in range(10):
        click = next_click(truth, session.mask, clicked=session.clicks)
        assert click is not None
        session.click(click.x, click.y, is_positive=click.is_positive)

    assert iou(session.mask, truth) > 0.85
