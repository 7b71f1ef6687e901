"""Data sets by name: where they are looked for, and how each reads its masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewclicks.datasets.base import all_samples
from fewclicks.datasets.registry import DATASETS, find_dataset, open_dataset
from fewclicks.errors import InputError, StorageError, UnknownEntryError

LEVELS = np.array([[0, 1, 128, 129, 255]], dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of data sets that holds one, `grabcut`, of one picture."""
    for part in ("images", "masks"):
        (tmp_path / "grabcut" / part).mkdir(parents=True)
    picture = np.zeros((*LEVELS.shape, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "grabcut" / "images" / "one.png")
    Image.fromarray(LEVELS).save(tmp_path / "grabcut" / "masks" / "one.png")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "rule", "on_object", "void"),
    [
        ("grabcut", "ritm", [0, 0, 0, 1, 1], [0, 0, 1, 0, 0]),
        ("grabcut", "m2n2", [0, 1, 1, 1, 1], None),
        ("grabcut", "random", [0, 1, 1, 1, 1], None),
        ("berkeley", "ritm", [0, 0, 0, 1, 1], None),
        ("davis", "ritm", [0, 1, 1, 1, 1], None),
        ("hqseg44k", "m2n2", [0, 0, 0, 1, 1], None),
        ("folder", "m2n2", [0, 1, 1, 1, 1], None),
    ],
)
def test_masks_are_read_as_the_protocol_says(
    folder: Path, name: str, rule: str, on_object: list[int], void: list[int] | None
):
    [sample] = all_samples(open_dataset(name, folder / "grabcut", rule=rule))
    assert sample.object_mask.tolist() == [[bool(value) for value in on_object]]
    if void is None:
        assert sample.void_mask is None
    else:
        assert sample.void_mask is not None
        assert sample.void_mask.tolist() == [[bool(value) for value in void]]


def test_the_folder_of_data_sets_and_the_data_sets_own_folder_both_do(folder: Path):
    parent = open_dataset("grabcut", folder)
    own = open_dataset("grabcut", str(folder / "grabcut"))
    assert parent.files("one") == own.files("one")


def test_typed_settings_are_read_as_their_fields_type(folder: Path):
    dataset = open_dataset("grabcut", folder, masks="labels", void="255", min_area="1")
    assert [sample.id for sample in dataset.samples("one")] == ["one:1", "one:128", "one:129"]
    with pytest.raises(InputError, match="Setting void=none; needs a whole number"):
        open_dataset("grabcut", folder, void="none")
    with pytest.raises(UnknownEntryError, match="Did you mean 'min_area'"):
        open_dataset("grabcut", folder, minarea="3")


def test_unknown_names_answer_with_near_misses():
    with pytest.raises(UnknownEntryError, match="Did you mean 'grabcut'"):
        find_dataset("grab_cut")


def test_a_missing_folder_says_what_was_needed(tmp_path: Path):
    with pytest.raises(InputError, match="give --data DIR, or set FEWCLICKS_DATA"):
        open_dataset("grabcut", None)
    with pytest.raises(StorageError, match=r"There is no folder .*nowhere"):
        open_dataset("grabcut", tmp_path / "nowhere")
    with pytest.raises(StorageError, match="holds neither a folder 'grabcut' nor the data set"):
        open_dataset("grabcut", tmp_path)


def test_names_are_unique_and_summaries_are_one_line():
    assert len({entry.name for entry in DATASETS}) == len(DATASETS)
    assert all("\n" not in entry.summary for entry in DATASETS)


def test_real_grabcut_has_fifty_objects_and_a_void_band(real_data: Path):
    dataset = open_dataset("grabcut", real_data)
    assert len(dataset.pictures) == 50
    samples = list(all_samples(dataset))
    assert len(samples) == 50
    assert sum(sample.void_mask is not None for sample in samples) == 42
