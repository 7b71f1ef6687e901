"""Store: what is written is read, picture by picture; what is damaged is named."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drawing import mask
from fewclicks.backbones.base import Grid
from fewclicks.errors import InputError, MissingExtraError, StorageError, UnknownEntryError
from fewclicks.proposals import shards
from fewclicks.proposals.merge_tree import MergeTree, build_merge_tree
from fewclicks.proposals.recipe import RECIPE_FILE, Recipe, write_recipe
from fewclicks.proposals.sampling import draw_node
from fewclicks.proposals.shards import Label, Row, child_type, list_shards, write_shard
from fewclicks.proposals.store import ProposalStore

TREES = Recipe(kind="tree", backbone="colour", backbone_settings={"longest_side": 64})
MASKS = replace(TREES, kind="freemask")


def label(image: str, height: int = 6, width: int = 7) -> Label:
    return Label(image=image, checksum="0" * 64, height=90, width=105, grid=Grid(height, width))


def tree_row(image: str, height: int = 6, width: int = 7) -> Row:
    rng = np.random.default_rng(len(image) + height)
    children = build_merge_tree(rng.normal(size=(height * width, 5)), (height, width))
    return Row(label=label(image, height, width), children=children)


@pytest.fixture
def rows() -> list[Row]:
    """More than a group, so that a row is looked for in the right one."""
    return [tree_row(f"{'a' * (number % 7)}/{number}.jpg", 4 + number % 5) for number in range(40)]


@pytest.fixture
def folder(tmp_path: Path, rows: list[Row]) -> Path:
    write_recipe(tmp_path, TREES)
    write_shard(tmp_path, TREES, rows[:25])
    write_shard(tmp_path, TREES, rows[25:])
    return tmp_path


def test_every_picture_is_read_as_it_was_written(folder, rows):
    store = ProposalStore(folder)
    assert store.images == tuple(sorted(row.label.image for row in rows))
    assert len(store) == 40
    for row in rows:
        assert row.label.image in store
        assert store.label(row.label.image) == row.label
        np.testing.assert_array_equal(store.tree(row.label.image).children, row.children)
    assert list(store.verify()) == []


def test_a_region_is_the_one_that_the_tree_alone_would_give(folder, rows):
    store = ProposalStore(folder)
    row = rows[30]
    tree = MergeTree.from_children(row.children, row.label.grid)
    for scheme in ("top-down", "uniform"):
        found = store.sample_region(
            row.label.image, np.random.default_rng(7), alpha=0.8, scheme=scheme, least_area=0.1
        )
        node = draw_node(tree, np.random.default_rng(7), alpha=0.8, scheme=scheme, least_area=0.1)
        np.testing.assert_array_equal(found, tree.region(node))
        assert found.shape == (row.label.grid.height, row.label.grid.width)


@pytest.mark.parametrize(
    ("tokens", "kind"), [(1, "u1"), (129, "u1"), (130, "u2"), (3600, "u2"), (32769, "u2")]
)
def test_children_take_the_smallest_type_that_holds_them(tokens, kind):
    assert child_type(tokens) == np.dtype(kind)
    assert 2 * tokens - 3 <= np.iinfo(child_type(tokens)).max
    assert child_type(32770) == np.dtype("<u4")


def test_masks_come_back_each_with_the_same_chance_but_the_small_ones(tmp_path):
    shapes = (
        mask("##.....", "##.....", ".......", "......."),
        mask(".......", "....##.", "....###", "......."),
        mask("#......", ".......", ".......", "......."),  # under 0.05
    )
    write_recipe(tmp_path, MASKS)
    write_shard(tmp_path, MASKS, [Row(label=label("m.png", 4, 7), masks=shapes)])
    store = ProposalStore(tmp_path)
    rng = np.random.default_rng(0)
    drawn = [store.sample_region("m.png", rng).tobytes() for _ in range(400)]
    assert {shape.tobytes() for shape in shapes[:2]} == set(drawn)
    assert 150 < drawn.count(shapes[0].tobytes()) < 250
    for found, expected in zip(store.masks("m.png"), shapes, strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(InputError, match="holds masks by freemask; needs merge trees"):
        store.tree("m.png")


def test_rows_are_found_whatever_the_groups_are_that_they_stand_in(tmp_path, rows, monkeypatch):
    write_recipe(tmp_path, TREES)
    monkeypatch.setattr(shards, "_ROWS", 7)
    write_shard(tmp_path, TREES, rows[:20])
    monkeypatch.setattr(shards, "_ROWS", 1)
    write_shard(tmp_path, TREES, rows[20:])
    monkeypatch.undo()
    store = ProposalStore(tmp_path)
    for row in rows:
        np.testing.assert_array_equal(store.tree(row.label.image).children, row.children)


def test_a_tree_that_was_read_is_not_read_again(folder, rows):
    store = ProposalStore(folder)
    before = [store.tree(row.label.image) for row in rows]
    for path in list_shards(folder):
        path.write_bytes(b"nothing of use")
    for row, tree in zip(rows, before, strict=True):
        np.testing.assert_array_equal(store.tree(row.label.image).order, tree.order)


def test_a_picture_without_masks_is_kept_and_gives_an_empty_one(tmp_path):
    write_recipe(tmp_path, MASKS)
    write_shard(tmp_path, MASKS, [Row(label=label("none.png", 4, 7))])
    region = ProposalStore(tmp_path).sample_region("none.png", np.random.default_rng(0))
    assert region.shape == (4, 7)
    assert not region.any()


def test_a_store_goes_to_other_processes_and_threads_share_it(folder, rows):
    store = pickle.loads(pickle.dumps(ProposalStore(folder, backbone="colour")))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: store.tree(row.label.image).children, rows * 3))
    for children, row in zip(found, rows * 3, strict=True):
        np.testing.assert_array_equal(children, row.children)


def test_opening_reads_no_shard(folder):
    for path in list_shards(folder):
        path.write_bytes(b"nothing of use")
    store = ProposalStore(folder)
    assert store.recipe == TREES
    with pytest.raises(StorageError, match=r"is damaged .*delete it.*--resume"):
        _ = store.images


def test_a_flipped_byte_is_named_wherever_it_changes_a_row(folder, rows):
    path = list_shards(folder)[0]
    whole = path.read_bytes()
    named = 0
    for place in range(0, len(whole), len(whole) // 60):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(content)
        problems = list(ProposalStore(folder).verify())
        if problems:
            named += 1
            assert all(str(path) in problem and "\n" not in problem for problem in problems)
            continue
        store = ProposalStore(folder)
        for row in rows:
            assert store.label(row.label.image) == row.label
            np.testing.assert_array_equal(store.tree(row.label.image).children, row.children)
    assert named > 20


def test_a_shard_that_was_cut_short_is_named(folder):
    path = list_shards(folder)[1]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StorageError, match=f"{path.name} is damaged"):
        _ = ProposalStore(folder).images


def test_a_begun_shard_is_no_shard(folder):
    (folder / ".begun.parquet").write_bytes(b"half")
    assert len(ProposalStore(folder)) == 40


def test_a_shard_of_another_backbone_is_refused_with_both_names(folder):
    write_shard(folder, replace(TREES, backbone="dino-vits8"), [tree_row("new.jpg")])
    with pytest.raises(InputError, match="of backbone 'dino-vits8', not 'colour'"):
        _ = ProposalStore(folder).images


def test_a_store_of_another_backbone_is_refused_with_both_names(folder):
    with pytest.raises(InputError, match="of backbone 'colour', not 'dino-vits8'"):
        ProposalStore(folder, backbone="dino-vits8")


def test_a_picture_that_stands_twice_is_refused_with_both_shards(folder, rows):
    write_shard(folder, TREES, rows[:1])
    with pytest.raises(InputError, match=r"/0\.jpg stands in both .*delete one"):
        _ = ProposalStore(folder).images
    assert any("stands in both" in problem for problem in ProposalStore(folder).verify())


def test_a_shard_of_the_same_pictures_takes_the_place_of_the_old_one(folder, rows):
    write_shard(folder, TREES, rows[:25])
    assert len(ProposalStore(folder)) == 40
    write_shard(folder, TREES, rows[3:20], of=[row.label.image for row in rows[:25]])
    assert len(ProposalStore(folder)) == 40 - 25 + 17


def test_a_missing_folder_is_answered_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(StorageError, match=r"There is no folder .*fewclicks propose IMAGES --out"):
        ProposalStore(tmp_path / "nowhere")


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(StorageError, match=f"has no {RECIPE_FILE}"):
        ProposalStore(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"form": 1}', '{"kind": "tree"}'])
def test_a_recipe_that_cannot_be_read_is_refused(folder, text):
    (folder / RECIPE_FILE).write_text(text)
    with pytest.raises(InputError, match="says nothing of how its proposals were made"):
        ProposalStore(folder)


def test_a_recipe_of_a_later_form_is_refused(folder):
    later = TREES.to_json().replace('"form": 1', '"form": 2')
    (folder / RECIPE_FILE).write_text(later)
    with pytest.raises(InputError, match="is of form 2; this version reads form 1"):
        ProposalStore(folder)


def test_an_unknown_picture_is_answered_with_some_that_are_known(folder):
    with pytest.raises(UnknownEntryError, match=r"No picture in .* is called 'b/0.jpg'"):
        ProposalStore(folder).tree("b/0.jpg")


def test_without_pyarrow_the_answer_is_the_command_to_type(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[propose\]'"):
        ProposalStore(folder)
