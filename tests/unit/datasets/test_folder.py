"""Folders of pictures and masks, value masks and label masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import mask
from fewclicks.datasets.base import all_samples
from fewclicks.datasets.checking import check
from fewclicks.datasets.folder import FolderConfig, FolderDataset
from fewclicks.errors import ImageError, InputError, ShapeError, StorageError

BLOB = mask("......", ".###..", ".###..", "......")


def write(folder: Path, stem: str, values: np.ndarray, *, suffix: str = ".png") -> None:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    picture = np.full((*values.shape[:2], 3), 90, dtype=np.uint8)
    Image.fromarray(picture).save(folder / "images" / f"{stem}{suffix}")
    Image.fromarray(values).save(folder / "masks" / f"{stem}.png")


def values(on: np.ndarray, value: int = 255) -> np.ndarray:
    return on.astype(np.uint8) * np.uint8(value)


@pytest.fixture
def labels() -> np.ndarray:
    """Object 1 of 6 pixels, 3 of 2, 7 of 1, and a void corner."""
    painted = np.zeros((4, 6), dtype=np.uint16)
    painted[BLOB] = 1
    painted[0, :2] = 3
    painted[3, 0] = 7
    painted[3, 4:] = 65535
    return painted


def test_pictures_are_sorted_by_stem_and_paired_with_their_masks(tmp_path: Path):
    for stem, suffix in (("b", ".png"), ("a", ".jpg"), ("a10", ".jpeg"), ("a9", ".png")):
        write(tmp_path, stem, values(BLOB), suffix=suffix)
    (tmp_path / "images" / "notes.txt").write_text("no picture")
    dataset = FolderDataset("mine", tmp_path)
    assert dataset.pictures == ("a", "a10", "a9", "b")
    for sample in all_samples(dataset):
        assert sample.id == sample.picture
        assert sample.image.shape == (4, 6, 3)
        assert np.array_equal(sample.object_mask, BLOB)
        assert sample.void_mask is None
    assert [path.name for path in dataset.files("a10")] == ["a10.jpeg", "a10.png"]


def test_the_threshold_and_the_void_value_are_as_configured(tmp_path: Path):
    painted = values(BLOB)
    painted[0] = 128
    write(tmp_path, "a", painted)
    config = FolderConfig(threshold=128, void=128)
    [sample] = FolderDataset("mine", tmp_path, config).samples("a")
    assert np.array_equal(sample.object_mask, BLOB)
    assert sample.void_mask is not None
    assert np.array_equal(sample.void_mask, painted == 128)
    [sample] = FolderDataset("mine", tmp_path).samples("a")
    assert np.array_equal(sample.object_mask, painted > 0)


def test_each_label_is_an_object(tmp_path: Path, labels: np.ndarray):
    write(tmp_path, "a", labels)
    dataset = FolderDataset("mine", tmp_path, FolderConfig(masks="labels", void=65535))
    samples = dataset.samples("a")
    assert [sample.id for sample in samples] == ["a:1", "a:3", "a:7"]
    for sample, label in zip(samples, (1, 3, 7), strict=True):
        assert np.array_equal(sample.object_mask, labels == label)
        assert sample.void_mask is not None
        assert np.array_equal(sample.void_mask, labels == 65535)


def test_small_objects_are_left_out(tmp_path: Path, labels: np.ndarray):
    write(tmp_path, "a", labels)
    config = FolderConfig(masks="labels", void=65535, min_area=2)
    dataset = FolderDataset("mine", tmp_path, config)
    assert [sample.id for sample in dataset.samples("a")] == ["a:1", "a:3"]


def test_samples_read_nothing_before_they_are_asked(tmp_path: Path):
    write(tmp_path, "a", values(BLOB))
    [sample] = FolderDataset("mine", tmp_path).samples("a")
    (tmp_path / "images" / "a.png").unlink()
    with pytest.raises(StorageError, match=r"There is no file .*a\.png"):
        _ = sample.image


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_missing_folder_is_named(tmp_path: Path, part: str):
    write(tmp_path, "a", values(BLOB))
    (tmp_path / part).rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=f"has no folder '{part}'"):
        FolderDataset("mine", tmp_path)


def test_a_picture_without_a_mask_is_named(tmp_path: Path):
    for stem in "abc":
        write(tmp_path, stem, values(BLOB))
    (tmp_path / "masks" / "b.png").unlink()
    with pytest.raises(InputError, match=r"1 of 3 pictures .* 'b'; needs masks/b\.png"):
        FolderDataset("mine", tmp_path)


def test_no_picture_at_all_is_an_error(tmp_path: Path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    with pytest.raises(InputError, match="has no picture"):
        FolderDataset("mine", tmp_path)


def test_two_pictures_of_one_stem_are_an_error(tmp_path: Path):
    write(tmp_path, "a", values(BLOB))
    write(tmp_path, "a", values(BLOB), suffix=".jpg")
    with pytest.raises(InputError, match=r"has both a\.jpg and a\.png"):
        FolderDataset("mine", tmp_path)


@pytest.mark.parametrize("masks", ["values", "labels"])
def test_a_mask_of_another_size_is_an_error(tmp_path: Path, masks: str):
    write(tmp_path, "a", values(BLOB))
    Image.fromarray(values(BLOB[:, 1:])).save(tmp_path / "masks" / "a.png")
    sample = FolderDataset("mine", tmp_path, FolderConfig(masks=masks)).samples("a")[0]
    with pytest.raises(ShapeError, match=r"4 high and 5 wide; needs .* 4 high and 6 wide"):
        _ = sample.object_mask


def test_a_mask_without_an_object_is_an_error(tmp_path: Path):
    write(tmp_path, "a", values(BLOB, 100))
    [sample] = FolderDataset("mine", tmp_path, FolderConfig(threshold=128)).samples("a")
    with pytest.raises(InputError, match="Sample 'a' has no object"):
        _ = sample.object_mask


def test_colours_are_no_labels(tmp_path: Path):
    write(tmp_path, "a", np.arange(72, dtype=np.uint8).reshape(4, 6, 3))
    with pytest.raises(ImageError, match="not labels"):
        FolderDataset("mine", tmp_path, FolderConfig(masks="labels")).samples("a")


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="masks is 'colours'; needs 'values' or 'labels'"):
        FolderConfig(masks="colours")
    with pytest.raises(InputError, match="threshold is -1"):
        FolderConfig(threshold=-1)
    with pytest.raises(InputError, match="min_area is 0"):
        FolderConfig(min_area=0)


def test_checking_finds_every_picture_that_would_stop_a_run(tmp_path: Path):
    for stem in "abcd":
        write(tmp_path, stem, values(BLOB))
    (tmp_path / "images" / "b.png").write_bytes(b"no picture")
    Image.fromarray(values(~BLOB[:3])).save(tmp_path / "masks" / "c.png")
    write(tmp_path, "d", values(BLOB, 0))
    found = {one.picture: one for one in check(FolderDataset("mine", tmp_path))}
    assert [one.objects for one in found.values()] == [1, 0, 0, 0]
    assert found["a"].problems == ()
    for stem, said in (("b", "known format"), ("c", "3 high"), ("d", "no object")):
        [problem] = found[stem].problems
        assert said in problem
