"""The demonstration's pictures are the installed ones, and its outlines fit them."""

from __future__ import annotations

import json
import socket
from typing import Any

import cv2
import numpy as np
import pytest

from fewclicks.datasets import demonstration
from fewclicks.datasets.base import all_samples
from fewclicks.datasets.demonstration import OUTLINES, DemonstrationDataset
from fewclicks.datasets.registry import open_dataset
from fewclicks.errors import ShapeError, StorageError

ENTRIES: list[dict[str, Any]] = json.loads(OUTLINES.read_text(encoding="utf-8"))["pictures"]
BY_PICTURE = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])


def rings(entry: dict[str, Any]) -> list[np.ndarray]:
    return [
        np.array(ring)
        for item in entry["objects"]
        for ring in [*item["parts"], *item.get("holes", [])]
    ]


def test_it_is_known_by_name_and_needs_no_folder():
    dataset = open_dataset("demonstration", None)
    assert len(dataset.pictures) >= 5
    assert list(dataset.pictures) == sorted(dataset.pictures)


def test_several_pictures_have_several_objects():
    dataset = DemonstrationDataset()
    counts = [len(dataset.samples(picture)) for picture in dataset.pictures]
    assert sum(count > 1 for count in counts) >= 2
    assert 9 <= sum(counts) <= 14


def test_ids_are_unique_and_say_the_picture():
    samples = list(all_samples(DemonstrationDataset()))
    assert len({sample.id for sample in samples}) == len(samples)
    assert all(sample.id.startswith(f"{sample.picture}:") for sample in samples)


@BY_PICTURE
def test_corners_lie_inside_the_picture(entry):
    for ring in rings(entry):
        assert ring.min() >= 0
        assert ring[:, 0].max() <= entry["width"]
        assert ring[:, 1].max() <= entry["height"]


@BY_PICTURE
def test_outlines_have_corners_enough(entry):
    for item in entry["objects"]:
        for ring in item["parts"]:
            assert len(ring) >= 16


@BY_PICTURE
def test_areas_are_those_of_the_polygons(entry):
    """Summed with OpenCV's shoelace formula; what is in front is only taken away."""
    samples = DemonstrationDataset().samples(entry["name"])
    for index, (item, sample) in enumerate(zip(entry["objects"], samples, strict=True)):
        drawn = sum(cv2.contourArea(np.array(r, dtype=np.float32)) for r in item["parts"])
        drawn -= sum(cv2.contourArea(np.array(r, dtype=np.float32)) for r in item.get("holes", []))
        area = int(sample.object_mask.sum())
        assert 1000 <= area <= 0.5 * sample.object_mask.size
        if index == 0:
            assert area == pytest.approx(drawn, rel=0.01)
        else:
            assert area <= drawn * 1.01


@BY_PICTURE
def test_objects_of_a_picture_share_no_pixel(entry):
    samples = DemonstrationDataset().samples(entry["name"])
    owners = sum(sample.object_mask.astype(int) for sample in samples)
    assert owners.max() == 1


def test_the_saucer_has_lost_what_stands_on_it_but_not_its_rim():
    cup, spoon, saucer = DemonstrationDataset().samples("coffee")
    assert cup.object_mask[100, 290]
    assert spoon.object_mask[285, 365]
    assert saucer.object_mask[200, 100]
    assert not saucer.object_mask[100, 290]


def test_sky_is_seen_between_the_pillars():
    (pavilion,) = DemonstrationDataset().samples("china")
    assert not pavilion.object_mask[208, 106]
    assert pavilion.object_mask[208, 100]


def test_two_readings_give_the_same_masks():
    first, second = (
        [sample.object_mask for sample in all_samples(DemonstrationDataset())] for _ in range(2)
    )
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_pictures_are_those_that_the_packages_give_out():
    import skimage.data
    from sklearn.datasets import load_sample_image

    theirs = {
        "astronaut": skimage.data.astronaut(),
        "china": load_sample_image("china.jpg"),
        "coffee": skimage.data.coffee(),
        "coins": np.dstack([skimage.data.coins()] * 3),
        "flower": load_sample_image("flower.jpg"),
        "motorcycle": skimage.data.stereo_motorcycle()[0],
    }
    dataset = DemonstrationDataset()
    assert set(theirs) == set(dataset.pictures)
    for picture, image in theirs.items():
        np.testing.assert_array_equal(dataset.samples(picture)[0].image, image)


def test_nothing_is_fetched(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert all(sample.object_mask.any() for sample in all_samples(DemonstrationDataset()))


def test_every_picture_names_its_maker_and_its_files():
    dataset = DemonstrationDataset()
    for picture in dataset.pictures:
        assert dataset.credit(picture)
        assert all(path.is_file() for path in dataset.files(picture))


def test_a_picture_that_its_package_lost_is_named(monkeypatch):
    entry = {**ENTRIES[0], "file": "data/gone.png"}
    monkeypatch.setattr(demonstration, "_outlines", lambda: {"gone": entry})
    with pytest.raises(StorageError, match=r"gone\.png.*install that package anew"):
        _ = DemonstrationDataset().samples("gone")[0].image


def test_a_picture_of_another_size_is_refused(monkeypatch):
    entry = {**ENTRIES[0], "width": 17}
    monkeypatch.setattr(demonstration, "_outlines", lambda: {"other": entry})
    with pytest.raises(ShapeError, match="the one that was outlined"):
        _ = DemonstrationDataset().samples("other")[0].object_mask
