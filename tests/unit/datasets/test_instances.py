"""Folders whose labels have categories: whole objects, kinds, parts, and who partners whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fewclicks.datasets.checking import check
from fewclicks.datasets.instances import InstancesConfig, InstancesDataset
from fewclicks.datasets.kinds import KindsDataset
from fewclicks.datasets.parts import PartedDataset, Partners
from fewclicks.errors import InputError, ShapeError, StorageError

BEASTS = ("11..22..", "11..22..", "1...2..3", "......99")
"""Two dogs, a small one, and a void corner."""


def drawn(rows: tuple[str, ...]) -> np.ndarray:
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows], dtype=np.uint8)


def write(folder: Path, stem: str, rows: tuple[str, ...], picture: dict[str, Any]) -> None:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    labels = drawn(rows)
    Image.fromarray(np.full((*labels.shape, 3), 90, np.uint8)).save(
        folder / "images" / f"{stem}.png"
    )
    Image.fromarray(labels).save(folder / "masks" / f"{stem}.png")
    file = folder / "instances.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**known, stem: picture}))


def named(*categories: str, **more: Any) -> dict[str, Any]:
    objects = [{"label": k, "category": name} for k, name in enumerate(categories, start=1)]
    return {"objects": objects, **more}


def opened(folder: Path, **settings: Any) -> InstancesDataset:
    return InstancesDataset("mine", folder, InstancesConfig(**settings))


@pytest.fixture
def beasts(tmp_path: Path) -> Path:
    write(tmp_path, "a", BEASTS, named("dog", "dog", "dog", split="val", width=8))
    return tmp_path


def test_a_kind_is_all_large_objects_of_one_category(beasts: Path):
    dataset = opened(beasts, void=9, min_area=2)
    [kind] = dataset.kinds("a")
    labels = drawn(BEASTS)
    assert isinstance(dataset, KindsDataset)
    assert (kind.id, kind.category, kind.names) == ("a:dog", "dog", ("a:1", "a:2"))
    assert np.array_equal(kind.union, (labels == 1) | (labels == 2))
    assert [mask.sum() for mask in kind.masks] == [5, 5]


def test_small_ones_of_a_kind_are_void_where_all_are_asked_for(beasts: Path):
    [kind] = opened(beasts, void=9, min_area=2).kinds("a")
    labels = drawn(BEASTS)
    assert kind.void_mask is not None
    assert np.array_equal(kind.void_mask, labels == 9)
    assert kind.union_void_mask is not None
    assert np.array_equal(kind.union_void_mask, (labels == 9) | (labels == 3))


def test_one_object_is_no_kind(tmp_path: Path):
    write(tmp_path, "a", ("12..",), named("dog", "cat"))
    assert opened(tmp_path).kinds("a") == []


def test_each_large_label_is_an_object(beasts: Path):
    samples = opened(beasts, void=9, min_area=2).samples("a")
    assert [sample.id for sample in samples] == ["a:1", "a:2"]
    assert np.array_equal(samples[1].object_mask, drawn(BEASTS) == 2)


def test_pictures_are_chosen_by_split_and_by_stem(tmp_path: Path):
    for stem, split in (("train_b", "x"), ("train_a", "y"), ("test_a", "x")):
        write(tmp_path, stem, ("1...",), named("dog", split=split))
    assert opened(tmp_path).pictures == ("test_a", "train_a", "train_b")
    assert opened(tmp_path, stems="train_*").pictures == ("train_a", "train_b")
    assert opened(tmp_path, split="x").pictures == ("test_a", "train_b")
    with pytest.raises(InputError, match=r"No picture of .* is of split 'z'"):
        _ = opened(tmp_path, split="z").pictures


def test_categories_are_parts_where_pictures_show_one_object(tmp_path: Path):
    write(tmp_path, "a", ("1122", "33.."), named("wheel", "door", "wheel"))
    dataset = opened(tmp_path, parts_of="car")
    [car] = dataset.parted("a")
    labels = drawn(("1122", "33.."))
    assert isinstance(dataset, PartedDataset)
    assert (car.id, car.category, car.parts) == ("a", "car", ("door", "wheel"))
    assert np.array_equal(car.masks["wheel"], (labels == 1) | (labels == 3))
    assert np.array_equal(car.mask(["door"]), labels == 2)
    assert np.array_equal(car.rest(["door"]), (labels == 1) | (labels == 3))
    assert not car.rest(car.parts).any()


def test_parts_belong_to_the_object_that_the_file_names(tmp_path: Path):
    parts = [
        {"label": 1, "category": "dog", "part": "head"},
        {"label": 2, "category": "dog", "part": "body"},
        {"label": 3, "category": "dog", "part": "head", "object": 2},
        {"label": 4, "category": "ball"},
    ]
    write(tmp_path, "a", ("1234",), {"objects": parts})
    dataset = opened(tmp_path)
    first, second = dataset.parted("a")
    assert (first.id, first.parts) == ("a", ("body", "head"))
    assert (second.id, second.parts) == ("a:2", ("head",))
    assert second.masks["head"].tolist() == [[False, False, True, False]]
    assert dataset.kinds("a") == []


@pytest.fixture
def cars(tmp_path: Path) -> Partners:
    shown = {"a": "wheel door", "b": "wheel", "c": "door wheel lamp", "d": "lamp wheel"}
    for stem, parts in shown.items():
        write(tmp_path, stem, ("123"[: len(parts.split())],), named(*parts.split()))
    self = opened(tmp_path, parts_of="car")
    return Partners(self)


@pytest.mark.parametrize(
    ("target", "parts", "reference"),
    [
        ("a", ["wheel"], "b"),
        ("a", ["door"], "c"),
        ("c", ["door", "wheel"], "a"),  # round the end
        ("d", ["lamp"], "c"),
        ("c", ["door", "lamp"], None),  # itself does not count
    ],
)
def test_the_reference_is_the_next_file_that_has_all_chosen_parts(
    cars: Partners, target: str, parts: list[str], reference: str | None
):
    [of_target] = [each for each in cars.having("car", []) if each.picture == target]
    found = cars.after(of_target, parts)
    assert (found and found.picture) == reference


def test_partners_keep_no_pixels(cars: Partners):
    assert cars.having("car", ["lamp"])[0].masks
    assert "image" not in cars.having("car", ["lamp"])[0].__dict__
    assert [each.picture for each in cars.having("car", ["wheel", "lamp"])] == ["c", "d"]
    assert cars.having("boat", []) == []


def test_a_label_that_the_file_does_not_know_is_named(beasts: Path):
    with pytest.raises(InputError, match=r"a\.png holds the label 9, .* read it as void=9"):
        opened(beasts).samples("a")


def test_a_picture_that_the_file_does_not_know_is_named(beasts: Path):
    write(beasts, "b", ("1...",), named("dog"))
    file = beasts / "instances.json"
    file.write_text(json.dumps({"a": json.loads(file.read_text())["a"]}))
    with pytest.raises(InputError, match="does not say what picture 'b' shows"):
        _ = opened(beasts).pictures


def test_a_folder_without_the_file_says_what_is_needed(beasts: Path):
    (beasts / "instances.json").unlink()
    with pytest.raises(StorageError, match=r"no file 'instances\.json'"):
        opened(beasts)


@pytest.mark.parametrize("text", ["no json", '{"a": 3}', '{"a": {"objects": [{"label": 1}]}}'])
def test_a_file_that_does_not_say_what_labels_are_is_refused(beasts: Path, text: str):
    (beasts / "instances.json").write_text(text)
    with pytest.raises(InputError, match="does not say what labels are"):
        opened(beasts)


def test_a_mask_of_another_size_is_found_by_the_check(beasts: Path):
    Image.fromarray(drawn(BEASTS)[:3]).save(beasts / "masks" / "a.png")
    [found] = check(opened(beasts, void=9))
    assert "is 3 high and 8 wide; needs the size of its picture" in found.problems[0]
    with pytest.raises(ShapeError):
        _ = opened(beasts, void=9).kinds("a")[0].masks


def test_a_least_area_below_one_is_refused():
    with pytest.raises(InputError, match="min_area is 0"):
        InstancesConfig(min_area=0)
