"""Guided targets: parts with the same parts of another object, kinds with one of their objects."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewclicks.errors import InputError
from fewclicks.training.guided_targets import KindTargets, PartTargets

# A digit is a label; each picture says which part of which animal it is.
PARTS = {
    "a": (("11..2", "11..2", ".33.."), ("head", "body", "tail")),
    "b": (("22...", "22.11", "...11"), ("head", "body")),
    "c": (("1122.", "..33.", "4...."), ("head", "body", "tail", "head")),
    "d": (("1....", ".....", "....."), ("tail",)),
}


def write(folder: Path, stem: str, rows: tuple[str, ...], objects: list[dict]) -> None:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    labels = np.array([[0 if c == "." else int(c) for c in row] for row in rows], dtype=np.uint8)
    shade = 40 + 50 * "abcdef".index(stem)
    Image.fromarray(np.full((*labels.shape, 3), shade, np.uint8)).save(
        folder / "images" / f"{stem}.png"
    )
    Image.fromarray(labels).save(folder / "masks" / f"{stem}.png")
    file = folder / "instances.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**known, stem: {"objects": objects}}))


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    for stem, (rows, names) in PARTS.items():
        objects = [
            {"label": k, "category": "cat" if stem == "d" else "dog", "part": name}
            for k, name in enumerate(names, start=1)
        ]
        write(tmp_path / "animals", stem, rows, objects)
    return tmp_path


def mask_of(stem: str, names: frozenset[str]) -> np.ndarray:
    """The parts of a picture, by looking at each letter of its drawing."""
    rows, labels = PARTS[stem]
    return np.array(
        [[c != "." and labels[int(c) - 1] in names for c in row] for row in rows], dtype=bool
    )


def names_of(stem: str) -> frozenset[str]:
    return frozenset(PARTS[stem][1])


def subsets(stem: str) -> list[frozenset[str]]:
    names = sorted(names_of(stem))
    return [
        frozenset(name for k, name in enumerate(names) if number >> k & 1)
        for number in range(1, 2 ** len(names))
    ]


def draw_many(settings: PartTargets, data: Path, picture: str, count: int) -> list:
    source = settings.open(str(data))
    return [source.draw(picture, np.random.default_rng(seed)) for seed in range(count)]


def parts_of(target) -> frozenset[str]:
    """Which parts a target unites; each set of parts has a mask of its own."""
    (stem,) = {s for s in PARTS if (target.image == 40 + 50 * "abcdef".index(s)).all()}
    (found,) = [
        each for each in subsets(stem) if np.array_equal(mask_of(stem, each), *target.parts)
    ]
    return found


def test_from_one_part_to_all_are_drawn_as_often_each_number(animals: Path):
    drawn = Counter(
        len(parts_of(each))
        for each in draw_many(PartTargets(dataset="instances", folder="animals"), animals, "a", 900)
    )

    # Another picture has all three, so that nothing is drawn again.
    assert {count: drawn[count] / 900 for count in drawn} == pytest.approx(
        {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}, abs=0.05
    )


def test_no_more_parts_are_drawn_than_the_most(animals: Path):
    settings = PartTargets(dataset="instances", folder="animals", most_parts=2)
    assert {len(parts_of(each)) for each in draw_many(settings, animals, "a", 80)} == {1, 2}


def test_the_partner_is_any_other_of_its_class_that_has_the_chosen_parts(animals: Path):
    settings = PartTargets(
        dataset="instances", folder="animals", single_probability=0, none_probability=0
    )
    partners: dict[frozenset[str], set[str]] = {}
    for target in draw_many(settings, animals, "a", 300):
        chosen = parts_of(target)
        (partner,) = {
            s for s in PARTS if (target.reference.image == 40 + 50 * "abcdef".index(s)).all()
        }
        partners.setdefault(chosen, set()).add(partner)
        assert np.array_equal(target.reference.positive, mask_of(partner, chosen))
        rest = mask_of(partner, names_of(partner) - chosen)
        negative = target.reference.negative
        assert np.array_equal(rest, np.zeros_like(rest) if negative is None else negative)

    assert partners == {
        chosen: {s for s in "bc" if chosen <= names_of(s)} for chosen in subsets("a")
    }


def test_parts_that_no_other_has_are_drawn_again(animals: Path):
    (animals / "animals" / "masks" / "c.png").unlink()
    (animals / "animals" / "images" / "c.png").unlink()
    settings = PartTargets(dataset="instances", folder="animals")
    drawn = {parts_of(each) for each in draw_many(settings, animals, "a", 200)}
    assert drawn == {each for each in subsets("a") if "tail" not in each}


def test_without_any_partner_a_target_has_no_reference(animals: Path):
    (target,) = draw_many(PartTargets(dataset="instances", folder="animals"), animals, "d", 1)
    assert parts_of(target) == {"tail"}
    assert target.reference is None


def test_one_mask_or_no_reference_is_as_frequent_as_the_plan_says(animals: Path):
    settings = PartTargets(dataset="instances", folder="animals")
    counts: Counter[str] = Counter()
    for target in draw_many(settings, animals, "b", 4000):
        shown = target.reference
        counts[
            "none"
            if shown is None
            else "both"
            if shown.positive is not None and shown.negative is not None
            else "positive"
            if shown.negative is None
            else "negative"
        ] += 1

    total = sum(counts.values())
    assert {kind: count / total for kind, count in counts.items()} == pytest.approx(
        {"none": 0.05, "both": 0.70, "positive": 0.125, "negative": 0.125}, abs=0.025
    )


def test_a_negative_mask_alone_that_is_empty_is_no_reference(animals: Path):
    settings = PartTargets(
        dataset="instances", folder="animals", single_probability=1, none_probability=0
    )
    whole = [
        each.reference
        for each in draw_many(settings, animals, "c", 300)
        if parts_of(each) == names_of("c")
    ]
    given = Counter("none" if each is None else "positive" for each in whole)
    assert set(given) == {"none", "positive"}
    assert all(each.negative is None for each in whole if each is not None)


def test_the_same_targets_are_drawn_however_often_there_are_references(animals: Path):
    with_all, without = (
        draw_many(
            PartTargets(
                dataset="instances",
                folder="animals",
                single_probability=0,
                none_probability=none,
            ),
            animals,
            "a",
            40,
        )
        for none in (0.0, 1.0)
    )
    for one, other in zip(with_all, without, strict=True):
        assert np.array_equal(one.parts, other.parts)
        assert one.reference is not None
        assert other.reference is None


def test_the_remaining_parts_are_other_objects_that_may_be_clicked(animals: Path):
    for target in draw_many(PartTargets(dataset="instances", folder="animals"), animals, "c", 60):
        rest = mask_of("c", names_of("c") - parts_of(target))
        assert np.array_equal(rest, np.zeros_like(rest) if target.others is None else target.others)


KINDS = {
    "a": (("11.22", "11.22", "..9.3"), ("dog", "dog", "cat")),
    "b": (("1.2.3", "4.5..", "....9"), ("dog", "cat", "dog", "cat", "dog")),
}


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    for stem, (rows, categories) in KINDS.items():
        objects = [{"label": k, "category": name} for k, name in enumerate(categories, start=1)]
        write(tmp_path / "kinds", stem, rows, objects)
    return tmp_path


def kind_targets(**settings) -> KindTargets:
    return KindTargets(
        dataset="instances", folder="kinds", dataset_settings={"void": 9}, **settings
    )


def test_each_picture_and_category_with_several_objects_is_a_lesson(kinds: Path):
    source = kind_targets().open(str(kinds))
    assert list(source.pictures) == ["a:dog", "b:cat", "b:dog"]


@pytest.mark.parametrize("name", ["a:dog", "b:cat", "b:dog"])
def test_all_objects_are_the_target_and_each_is_the_exemplar_as_often(kinds: Path, name: str):
    stem, _, category = name.partition(":")
    rows, categories = KINDS[stem]
    labels = np.array([[0 if c == "." else int(c) for c in row] for row in rows])
    own = [k for k, each in enumerate(categories, start=1) if each == category]
    source = kind_targets().open(str(kinds))
    exemplars: Counter[int] = Counter()
    for seed in range(600):
        target = source.draw(name, np.random.default_rng(seed))
        (union,) = target.parts
        assert np.array_equal(union, np.isin(labels, own))
        assert np.array_equal(target.void, labels == 9)
        (label,) = np.unique(labels[target.exemplar])
        assert np.array_equal(target.exemplar, labels == label)
        exemplars[int(label)] += 1
    assert {k: count / 600 for k, count in exemplars.items()} == pytest.approx(
        dict.fromkeys(own, 1 / len(own)), abs=0.07
    )


def test_lessons_without_exemplar_or_without_clicks_are_as_frequent_as_the_plan_says(kinds: Path):
    source = kind_targets(none_probability=0.2, unclicked_probability=0.5).open(str(kinds))
    drawn = [source.draw("b:dog", np.random.default_rng(seed)) for seed in range(1000)]
    shown = [each for each in drawn if each.exemplar is not None]
    assert len(shown) / 1000 == pytest.approx(0.8, abs=0.05)
    assert np.mean([each.is_clicked for each in shown]) == pytest.approx(0.5, abs=0.06)
    assert all(each.is_clicked for each in drawn if each.exemplar is None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"single_probability": 0.7, "none_probability": 0.4}, "at most 1 together"),
        ({"none_probability": -0.1}, "0 or more"),
        ({"most_parts": -1}, "most_parts is -1"),
        ({"share": 0}, "share is 0"),
    ],
)
def test_probabilities_that_are_none_are_refused(settings, message: str):
    with pytest.raises(InputError, match=message):
        PartTargets(dataset="instances", **settings)


def test_a_probability_above_one_is_refused():
    with pytest.raises(InputError, match="unclicked_probability is 2"):
        KindTargets(dataset="instances", unclicked_probability=2)


def test_a_data_set_without_parts_or_kinds_is_refused(kinds: Path):
    with pytest.raises(InputError, match="'folder' have no parts"):
        PartTargets(dataset="folder", folder="kinds").open(str(kinds))
    with pytest.raises(InputError, match="'folder' knows no categories"):
        KindTargets(dataset="folder", folder="kinds").open(str(kinds))
    with pytest.raises(InputError, match="no picture with several objects"):
        KindTargets(
            dataset="instances",
            folder="kinds",
            dataset_settings={"void": 9, "min_area": 4, "stems": "b"},
        ).open(str(kinds))
