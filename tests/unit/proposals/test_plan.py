"""Plan: what is taken from which backbone, and a picture done that way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from drawing import BLOB, paint
from fewclicks.backbones.base import Grid
from fewclicks.backbones.registry import create_backbone
from fewclicks.errors import InputError, StorageError, UnknownEntryError
from fewclicks.images.writing import write_image
from fewclicks.proposals.merge_tree import build_merge_tree
from fewclicks.proposals.plan import Failure, ProposalPlan, Proposer
from small_vits import PATCH, save_vit


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_vit("vit", tmp_path_factory.mktemp("vit")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_image(tmp_path / "blob.png", paint(BLOB))
    return tmp_path


def test_a_row_holds_the_tree_of_the_backbones_tokens_and_says_of_which_file(folder):
    row = Proposer(ProposalPlan(backbone="colour")).propose(folder, "blob.png")
    features = create_backbone("colour").features(paint(BLOB))
    grid = features.grid
    expected = build_merge_tree(features.tokens, (grid.height, grid.width))
    np.testing.assert_array_equal(row.children, expected)
    assert (row.label.height, row.label.width, row.label.grid) == (60, 80, grid)
    content = (folder / "blob.png").read_bytes()
    assert row.label.checksum == hashlib.sha256(content).hexdigest()


def test_a_tree_takes_the_outputs_of_a_vision_transformer_at_the_pictures_own_size(vit, folder):
    plan = ProposalPlan(backbone=vit, device="cpu")
    config = plan.create_backbone().config
    assert (config.kind, config.block, config.longest_side) == ("outputs", -1, None)
    assert config.stride == PATCH
    assert Proposer(plan).propose(folder, "blob.png").label.grid == Grid(8, 10)


@pytest.mark.parametrize("kind", ["tokencut", "dsm", "freemask"])
def test_the_rivals_take_the_last_keys_with_their_mean(vit, kind):
    config = ProposalPlan(backbone=vit, kind=kind).create_backbone().config
    assert (config.kind, config.block, config.centred) == ("keys", -1, False)
    assert (config.stride, config.longest_side) == (PATCH, 480)


def test_what_is_said_goes_before_what_is_published(vit):
    said = {"backbone.kind": "keys", "backbone.longest_side": "64", "backbone.stride": "4"}
    config = ProposalPlan(backbone=vit, settings=said).create_backbone().config
    assert (config.kind, config.longest_side, config.stride, config.block) == ("keys", 64, 4, -1)


def test_a_large_picture_is_shrunk_first(vit, folder):
    plan = ProposalPlan(backbone=vit, device="cpu", longest_side=40)
    row = Proposer(plan).propose(folder, "blob.png")
    assert row.label.grid == Grid(4, 5)
    assert (row.label.height, row.label.width) == (60, 80)


def test_a_recipe_says_all_that_changes_proposals_and_no_more(vit):
    plan = ProposalPlan(
        backbone=vit, settings={"connectivity": "no", "backbone.temperature": "0.2"}, device="cpu"
    )
    recipe = Proposer(plan).recipe
    assert recipe.settings == {"connectivity": False, "exact": False}
    assert recipe.backbone_settings["temperature"] == 0.2
    assert "device" not in recipe.backbone_settings


def test_a_broken_picture_is_a_failure_with_its_reason_and_a_good_one_is_not(folder):
    (folder / "broken.jpg").write_bytes(b"no picture")
    proposer = Proposer(ProposalPlan(backbone="colour"))
    images = ["blob.png", "broken.jpg", "missing.jpg", "blob.png"]
    found = list(proposer.attempts(folder, images, workers=2))
    assert [isinstance(one, Failure) for one in found] == [False, True, True, False]
    assert [one.image for one in found if isinstance(one, Failure)] == images[1:3]
    assert "is no picture in a known format" in found[1].reason
    assert "no such file" in found[2].reason
    with pytest.raises(StorageError):
        proposer.propose(folder, "missing.jpg")


def test_only_one_picture_at_a_time_is_in_the_backbone(folder, monkeypatch):
    proposer = Proposer(ProposalPlan(backbone="colour"))
    backbone, inside = create_backbone("colour"), []
    most = 0

    class Watched:
        def features(self, image):
            nonlocal most
            inside.append(1)
            most = max(most, len(inside))
            found = backbone.features(image)
            inside.pop()
            return found

    monkeypatch.setattr(proposer, "_backbone", Watched())
    assert len(list(proposer.attempts(folder, ["blob.png"] * 12, workers=4))) == 12
    assert most == 1
    assert proposer.seconds_looking > 0


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"backbone": "color"}, UnknownEntryError, "Did you mean 'colour'"),
        ({"backbone": "colour", "kind": "trees"}, UnknownEntryError, "Did you mean 'tree'"),
        ({"backbone": "colour", "settings": {"exat": "1"}}, UnknownEntryError, "'exact'"),
        ({"backbone": "colour", "device": "cuda"}, InputError, "neither backbone nor depth"),
        ({"backbone": "colour", "longest_side": 0}, InputError, "longest_side is 0"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_once(given, error, message):
    with pytest.raises(error, match=message):
        Proposer(ProposalPlan(**given))
