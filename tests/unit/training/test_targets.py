"""Targets: each source gives what it says, by chance alone, and the first names of a list first."""

from __future__ import annotations

import numpy as np
import pytest

from fewclicks.errors import InputError, ShapeError, StorageError
from fewclicks.images.reading import read_image, read_label_map
from fewclicks.images.resizing import resize_mask

pytest.importorskip("pyarrow", reason="stores need pyarrow")

from fewclicks.proposals.merge_tree import Grid
from fewclicks.proposals.recipe import Recipe, write_recipe
from fewclicks.proposals.shards import Label, Row, write_shard
from fewclicks.proposals.store import ProposalStore
from fewclicks.training.targets import (
    MaskTargets,
    ProposalTargets,
    RectangleTargets,
    SuperpixelTargets,
)

TREE = np.array([[0, 1], [2, 3], [4, 5]])  # of a grid of 2 x 2: its rows, then the whole


def chance(seed=0):
    return np.random.default_rng(seed)


def write_store(folder, *rows, kind="tree", size=(60, 80)):
    recipe = Recipe(kind=kind, backbone="any")
    folder.mkdir()
    write_recipe(folder, recipe)
    labels = [
        Label(image=name, checksum="0" * 64, height=size[0], width=size[1], grid=Grid(2, 2))
        for name, _ in rows
    ]
    write_shard(
        folder,
        recipe,
        [Row(label=label, **held) for label, (_, held) in zip(labels, rows, strict=True)],
    )
    return folder


def test_a_region_is_that_of_the_store_at_the_size_of_its_picture(small_data, tmp_path):
    store = write_store(
        tmp_path / "store", ("00.png", {"children": TREE}), ("01.png", {"children": TREE})
    )
    settings = ProposalTargets(store=str(store), images="pictures", alpha=0.0)
    source = settings.open(str(small_data))
    assert list(source.pictures) == ["00.png", "01.png"]
    seen = set()
    for seed in range(8):
        target = source.draw("01.png", chance(seed))
        region = ProposalStore(store).sample_region("01.png", chance(seed), alpha=0.0)
        assert np.array_equal(target.image, read_image(small_data / "pictures/images/01.png"))
        assert np.array_equal(target.parts[0], resize_mask(region, height=60, width=80))
        seen.add(target.parts[0].tobytes())
    assert len(seen) == 2, "with alpha 0 the two halves of the picture, and nothing else"


def test_a_picture_that_the_store_was_not_made_of_is_refused(small_data, tmp_path):
    store = write_store(tmp_path / "store", ("00.png", {"children": TREE}), size=(61, 80))
    source = ProposalTargets(store=str(store), images="pictures").open(str(small_data))
    with pytest.raises(ShapeError, match=r"60 x 80 pixels; .* was made of one with 61 x 80"):
        source.draw("00.png", chance())


def test_a_picture_in_which_nothing_was_found_has_no_target(small_data, tmp_path):
    store = write_store(tmp_path / "store", ("00.png", {"masks": ()}), kind="tokencut")
    source = ProposalTargets(store=str(store), images="pictures").open(str(small_data))
    assert source.draw("00.png", chance()) is None


def test_an_object_comes_with_the_others_of_its_picture(small_data):
    settings = MaskTargets(
        dataset="folder", dataset_settings={"masks": "labels"}, merge_probability=0.0
    )
    source = settings.open(str(small_data / "pictures"))
    labels = read_label_map(small_data / "pictures/masks/03.png")
    counts = [0, 0]
    for seed in range(40):
        target = source.draw("03", chance(seed))
        (part,) = target.parts
        which = 1 if np.array_equal(part, labels == 1) else 2
        assert np.array_equal(part, labels == which)
        assert np.array_equal(target.others, labels == 3 - which)
        counts[which - 1] += 1
    assert min(counts) > 8


def test_a_folder_of_labels_is_found_below_the_data(small_data):
    named = MaskTargets(
        dataset="folder", folder="pictures", dataset_settings={"masks": "labels"}
    ).open(str(small_data))
    assert len(named.pictures) == 5


def test_two_objects_count_as_one_as_often_as_asked(small_data):
    settings = MaskTargets(
        dataset="folder", dataset_settings={"masks": "labels"}, merge_probability=0.3
    )
    source = settings.open(str(small_data / "pictures"))
    targets = [source.draw("03", chance(seed)) for seed in range(300)]
    merged = [len(target.parts) == 2 for target in targets]
    assert np.mean(merged) == pytest.approx(0.3, abs=0.08)
    assert all((t.others is None) == m for t, m in zip(targets, merged, strict=True))


@pytest.mark.parametrize(("fraction", "count"), [(0.01, 1), (0.4, 2), (0.5, 2), (0.7, 4), (1.0, 5)])
def test_a_fraction_is_the_first_names_of_the_list(small_data, fraction, count):
    settings = MaskTargets(
        dataset="folder", dataset_settings={"masks": "labels"}, fraction=fraction
    )
    source = settings.open(str(small_data / "pictures"))
    assert list(source.pictures) == ["00", "01", "02", "03", "04"][:count]


def test_rectangles_are_filled_and_no_smaller_than_asked(small_data):
    source = RectangleTargets(images="pictures", least_area=0.2).open(str(small_data))
    shapes = set()
    for seed in range(60):
        (mask,) = source.draw("00.png", chance(seed)).parts
        rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert 0.2 <= mask.mean() < 1
        shapes.add((len(rows), len(columns)))
    assert len(shapes) > 40


def test_superpixels_are_of_one_colour_each(small_data):
    source = SuperpixelTargets(images="pictures", count=12).open(str(small_data))
    labels = read_label_map(small_data / "pictures/masks/00.png") > 0
    for seed in range(20):
        (mask,) = source.draw("00.png", chance(seed)).parts
        assert mask.mean() >= 0.05
        assert max(labels[mask].mean(), 1 - labels[mask].mean()) > 0.9


def test_pictures_are_found_by_name_or_by_path(small_data):
    by_name = RectangleTargets(images="pictures").open(str(small_data))
    by_path = RectangleTargets(images=str(small_data / "pictures" / "images")).open(None)
    assert list(by_name.pictures) == list(by_path.pictures) == [f"{n:02}.png" for n in range(5)]
    with pytest.raises(StorageError, match="no folder of pictures 'nowhere'"):
        RectangleTargets(images="nowhere").open(str(small_data))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ProposalTargets(store="s", images="i", alpha=2.0),
        lambda: ProposalTargets(store="s", images="i", scheme="bottom-up"),
        lambda: MaskTargets(dataset="d", fraction=0.0),
        lambda: MaskTargets(dataset="d", merge_probability=2.0),
        lambda: RectangleTargets(images="i", share=0.0),
        lambda: RectangleTargets(images="i", least_area=1.0),
        lambda: SuperpixelTargets(images="i", count=1),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(InputError, match="needs"):
        make()
