"""Masks to correct: "initial mask, then clicks"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import enlarge, mask, paint
from fake_method import BlobMethod
from fewclicks.datasets.base import Masks, Sample
from fewclicks.errors import ShapeError, StorageError
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.clicking import click_targets
from fewclicks.evaluation.protocols.objects import ObjectTargets, WithInitialMasks
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.scores import number_of_clicks, score

TRUTH = enlarge(mask("........", "..####..", "..####..", "........"), 6)
HALF = enlarge(mask("........", "..##....", "..##....", "........"), 6)


class OneObject:
    name = "one"
    pictures = ("p",)

    def samples(self, _picture: str) -> list[Sample]:
        return [
            Sample(
                id="p:1",
                picture="p",
                load_image=lambda: paint(TRUTH),
                load_masks=lambda _shape: Masks(object_mask=TRUTH),
            )
        ]

    def files(self, _picture: str) -> list[Path]:
        return [Path("p.png")]


def clicked(folder: Path, initial: np.ndarray) -> tuple[BlobMethod, ObjectRecord]:
    Image.fromarray(initial.astype(np.uint8) * 255).save(folder / "p_1.png")
    source = WithInitialMasks(ObjectTargets(OneObject()), folder)
    assert source.files("p") == [Path("p.png"), folder / "p_1.png"]
    method = BlobMethod()
    [record] = click_targets(method, source.targets("p"), SimulatedUser())
    return method, record


def test_clicks_correct_the_mask_that_was_given(tmp_path: Path):
    method, record = clicked(tmp_path, HALF)
    assert record.start_iou == 0.5
    x, y, is_positive = record.clicks[0]
    assert is_positive
    assert TRUTH[y, x]
    assert not HALF[y, x]
    assert np.array_equal(method.asked[0][1].mask, HALF)


def test_a_mask_that_is_good_enough_takes_no_click(tmp_path: Path):
    _, record = clicked(tmp_path, TRUTH)
    assert (record.start_iou, record.ious, record.clicks) == (1.0, (), ())
    assert number_of_clicks(record.ious, 90, start=record.start_iou) == 0
    scores = score([record.ious], ["p"], starts=[record.start_iou])
    assert scores.noc["95"] == 0
    assert scores.miou["1"] == 1.0
    assert scores.nof["95"] == scores.nof_at_20["95"] == 0


def test_a_missing_mask_or_one_of_another_size_is_named(tmp_path: Path):
    with pytest.raises(ShapeError, match=r"p_1\.png is 3 high"):
        clicked(tmp_path, HALF[:3])
    (tmp_path / "p_1.png").unlink()
    source = WithInitialMasks(ObjectTargets(OneObject()), tmp_path)
    with pytest.raises(StorageError, match=r"There is no file .*p_1\.png"):
        list(click_targets(BlobMethod(), source.targets("p"), SimulatedUser()))
    with pytest.raises(StorageError, match="needs a mask for each target"):
        WithInitialMasks(ObjectTargets(OneObject()), tmp_path / "nowhere")
