"""Combinations of parts, their references, and how those are degraded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colour_method import ColourMethod
from drawing import enlarge, mask
from fewclicks.datasets.instances import InstancesConfig, InstancesDataset
from fewclicks.datasets.parts import PartedObject, PartMasks
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.clicking import click_targets
from fewclicks.evaluation.protocols.combination import (
    CombinationTargets,
    choose_parts,
    make_reference,
    touch,
)
from fewclicks.evaluation.protocols.guiding import (
    GuidanceConfig,
    polygon_through,
    shrunken,
    shrunken_mask,
)

HEAD = mask("##......", "##......", "........")
BODY = mask("..###...", "..###...", "........")
TAIL = mask(".......#", ".......#", "........")
COLOURS = {"head": (220, 40, 40), "body": (40, 220, 40), "tail": (40, 40, 220)}


def fish(**parts: np.ndarray) -> PartedObject:
    return PartedObject(
        id="fish",
        picture="fish",
        category="fish",
        parts=tuple(sorted(parts)),
        load_image=lambda: np.zeros((3, 8, 3), dtype=np.uint8),
        load_masks=lambda _shape: PartMasks(parts=parts),
    )


def names(shown: PartedObject) -> list[tuple[str, str]]:
    return [(chosen.name(shown), chosen.combination) for chosen in choose_parts(shown)]


def test_parts_touching_pairs_and_the_whole_are_asked_for():
    assert names(fish(head=HEAD, body=BODY, tail=TAIL)) == [
        ("fish:body", "single"),
        ("fish:head", "single"),
        ("fish:tail", "single"),
        ("fish:body+head", "pair"),
        ("fish:whole", "whole"),
    ]


def test_no_mask_is_asked_for_twice():
    assert names(fish(head=HEAD, body=BODY)) == [
        ("fish:body", "single"),
        ("fish:head", "single"),
        ("fish:whole", "whole"),
    ]
    assert names(fish(head=HEAD)) == [("fish:head", "single")]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (mask("#...", "...."), mask(".#..", "...."), True),
        (mask("#...", "...."), mask("....", ".#.."), True),
        (mask("#...", "...."), mask("..#.", "..#."), False),
        (mask("##..", "...."), mask(".#..", "...."), True),
    ],
)
def test_masks_touch_by_an_edge_a_corner_or_an_overlap(one, other, said: bool):
    assert touch(one, other) is said
    assert touch(other, one) is said


def aquarium(folder: Path, shown: dict[str, tuple[str, ...]]) -> InstancesDataset:
    """Pictures of fish whose parts are of one colour each, whatever the picture."""
    masks = {"head": HEAD, "body": BODY, "tail": TAIL}
    file = {}
    for stem, parts in shown.items():
        labels = np.zeros((36, 96), dtype=np.uint8)
        image = np.zeros((36, 96, 3), dtype=np.uint8)
        for label, part in enumerate(parts, start=1):
            labels[enlarge(masks[part], 12)] = label
            image[enlarge(masks[part], 12)] = COLOURS[part]
        for kind, pixels in (("images", image), ("masks", labels)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / kind / f"{stem}.png")
        objects = [{"label": k, "category": part} for k, part in enumerate(parts, start=1)]
        file[stem] = {"objects": objects}
    (folder / "instances.json").write_text(json.dumps(file))
    return InstancesDataset("fish", folder, InstancesConfig(parts_of="fish"))


def targets_of(dataset: InstancesDataset, reference: str, **config) -> CombinationTargets:
    return CombinationTargets(dataset, reference=reference, config=GuidanceConfig(**config))


@pytest.fixture
def dataset(tmp_path: Path) -> InstancesDataset:
    shown = {"a": ("head", "body", "tail"), "b": ("head", "body"), "c": ("body", "head")}
    return aquarium(tmp_path, shown)


def test_targets_without_a_partner_are_skipped_and_counted_the_same_in_every_row(dataset):
    for reference in ("none", "positive", "both"):
        source = targets_of(dataset, reference)
        ids = [target.sample.id for target in source.targets("a")]
        assert ids == ["a:body", "a:head", "a:body+head"]
        assert source.skipped("a") == ["single", "whole"]
        assert source.skipped("b") == []


def test_files_are_those_of_references_too_whatever_is_given_so_that_rows_compare(dataset):
    def stems(reference: str) -> list[str]:
        files = targets_of(dataset, reference).files("a")
        return [f"{path.parent.name}/{path.stem}" for path in files if path.suffix == ".png"]

    assert stems("both") == ["images/a", "masks/a", "images/b", "masks/b"]
    assert stems("none") == stems("both")


@pytest.mark.parametrize(
    ("given", "positive", "negative"),
    [("positive", HEAD, None), ("negative", None, BODY | TAIL), ("both", HEAD, BODY | TAIL)],
)
def test_the_positive_mask_is_the_same_parts_and_the_negative_one_the_rest(
    given: str, positive, negative
):
    made = make_reference(fish(head=HEAD, body=BODY, tail=TAIL), ("head",), given, GuidanceConfig())
    assert made is not None
    for mask_, expected in ((made.positive, positive), (made.negative, negative)):
        assert (mask_ is None) == (expected is None)
        assert expected is None or np.array_equal(mask_, expected)


def test_a_whole_object_has_no_negative_mask():
    whole = fish(head=HEAD, body=BODY)
    assert make_reference(whole, whole.parts, "negative", GuidanceConfig()) is None
    both = make_reference(whole, whole.parts, "both", GuidanceConfig())
    assert both is not None
    assert both.negative is None


def test_the_reference_reaches_the_method_through_the_session(dataset):
    clicked = {}
    for reference in ("none", "positive"):
        method = ColourMethod()
        targets = targets_of(dataset, reference).targets("b")
        records = list(click_targets(method, targets, SimulatedUser(), max_clicks=4))
        clicked[reference] = {record.id: record for record in records}
        assert len(method.guided) == (0 if reference == "none" else 3)
        assert method.prepared == 1
    assert clicked["none"]["b:head"].ious == (1.0,)
    assert clicked["positive"]["b:head"].ious == (1.0,)
    assert clicked["none"]["b:whole"].ious[0] < 1.0
    assert clicked["none"]["b:head"].start_iou is None


def test_an_interval_of_one_leaves_the_mask_and_a_larger_one_cuts_its_corners():
    blob = enlarge(HEAD | BODY, 8)
    assert polygon_through(blob, 1) is blob
    coarse = polygon_through(blob, 9)
    assert (coarse & blob).sum() > 0.8 * blob.sum()
    assert not np.array_equal(coarse, blob)
    assert not polygon_through(mask("##", "##"), 3).any()


def test_polygons_pass_through_every_kth_point_of_the_boundary():
    square = np.zeros((40, 40), dtype=bool)
    square[10:30, 10:30] = True
    # Of the 76 points, each 19th is a corner, so that nothing is lost.
    assert np.array_equal(polygon_through(square, 19), square)


def test_a_shrunken_reference_keeps_picture_and_masks_together():
    blob = enlarge(BODY, 10)
    image = np.repeat(blob[..., None], 3, axis=2).astype(np.uint8) * 200
    small, small_mask = shrunken(image, 0.1), shrunken_mask(blob, 0.1)
    assert small.shape == (3, 8, 3)
    assert np.array_equal(small_mask, BODY)
    assert np.array_equal(small[..., 0] > 100, BODY)
    assert shrunken(image, 1.0) is image
    assert shrunken(image, 0.001).shape == (1, 1, 3)


def test_a_reference_that_is_degraded_to_nothing_is_none():
    tiny = fish(head=mask("#.......", "........", "........"), body=BODY)
    config = GuidanceConfig(reference_scale=0.5)
    assert make_reference(tiny, ("head",), "positive", config) is None
    both = make_reference(tiny, ("head",), "both", config)
    assert both is not None
    assert both.image.shape[:2] == (2, 4)
