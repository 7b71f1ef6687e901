"""Which objects a plan chooses, and the checksum of what it reads."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewclicks.datasets.registry import open_dataset
from fewclicks.errors import InputError, StorageError, UnknownEntryError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.tasks import PictureTask, checksum, list_tasks


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five pictures, a to e, with two labels each."""
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
        for number, stem in enumerate("abcde"):
            values = np.array([[0, 1, 2], [0, 1, 2]], dtype=np.uint8) * (1 + number % 2)
            Image.fromarray(values).save(tmp_path / "data" / part / f"{stem}.png")
    return tmp_path / "data"


def chosen(data: Path, **choice) -> list[tuple[str, tuple[str, ...]]]:
    settings = {"masks": choice.pop("masks", "values")}
    plan = Plan(dataset="folder", data=str(data), dataset_settings=settings, **choice)
    tasks = list_tasks(plan, plan.open_dataset())
    return [(task.picture, task.objects) for task in tasks]


def test_all_pictures_come_in_the_order_of_their_stems(data: Path):
    assert chosen(data) == [(stem, (stem,)) for stem in "abcde"]


def test_even_and_odd_are_places_in_the_sorted_stems(data: Path):
    assert [picture for picture, _ in chosen(data, subset="even")] == ["a", "c", "e"]
    assert [picture for picture, _ in chosen(data, subset="odd")] == ["b", "d"]


def test_a_file_names_pictures(data: Path, tmp_path: Path):
    (tmp_path / "some.txt").write_text("d\n\n  a \n")
    chosen_ = chosen(data, subset=str(tmp_path / "some.txt"))
    assert [picture for picture, _ in chosen_] == ["a", "d"]


def test_a_subset_of_unknown_pictures_is_refused(data: Path, tmp_path: Path):
    (tmp_path / "some.txt").write_text("d\nf.png\n")
    with pytest.raises(InputError, match=r"names 1 pictures .* 'f\.png'; needs file names without"):
        chosen(data, subset=str(tmp_path / "some.txt"))
    with pytest.raises(StorageError, match="Cannot read subset 'uneven': needs 'even'"):
        chosen(data, subset="uneven")


def test_a_pattern_chooses_stems_and_words_go_together(data: Path):
    assert [picture for picture, _ in chosen(data, subset="[a-c]*")] == ["a", "b", "c"]
    assert [picture for picture, _ in chosen(data, subset="[b-e], odd")] == ["c", "e"]
    with pytest.raises(InputError, match=r"Subset 'x\*' fits no picture"):
        chosen(data, subset="x*")


def test_a_limit_counts_objects_not_pictures(data: Path):
    assert chosen(data, masks="labels", limit=3) == [("a", ("a:1", "a:2")), ("b", ("b:2",))]


def test_no_object_left_is_an_error(data: Path, tmp_path: Path):
    (tmp_path / "none.txt").write_text("")
    with pytest.raises(InputError, match="has no object to click"):
        chosen(data, subset=str(tmp_path / "none.txt"))


def test_what_is_done_is_left_out():
    task = PictureTask("a", ("a:1", "a:2", "a:3"))
    assert task.without(frozenset({"a:2", "b:1"})) == PictureTask("a", ("a:1", "a:3"))


def test_the_checksum_covers_names_and_contents_of_the_chosen_files(data: Path):
    dataset = open_dataset("folder", data)

    def checksum_of(*pictures: str) -> str:
        return checksum([path for picture in pictures for path in dataset.files(picture)])

    total = hashlib.sha256()
    for stem in "ab":
        for part in ("images", "masks"):
            content = (data / part / f"{stem}.png").read_bytes()
            total.update(f"{part}/{stem}.png\0".encode() + hashlib.sha256(content).digest())
    assert checksum_of("a", "b") == total.hexdigest()
    (data / "images" / "c.png").write_bytes(b"changed")
    assert checksum_of("a", "b") == total.hexdigest()
    (data / "masks" / "b.png").write_bytes(b"changed")
    assert checksum_of("a", "b") != total.hexdigest()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_clicks": 0}, "max_clicks is 0"),
        ({"limit": 0}, "limit is 0"),
        ({"jitter": -2.0}, r"jitter is -2\.0"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, float], said: str):
    plan = Plan(dataset="folder")
    with pytest.raises(InputError, match=said):
        replace(plan, **wrong)
    with pytest.raises(UnknownEntryError, match="click rule"):
        replace(plan, rule="most")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"protocol": "most"}, "protocol"),
        ({"protocol": "combination", "reference": "some"}, "reference masks"),
        ({"reference": "both"}, "Protocol 'noc' has no references"),
        ({"exemplar": "golden"}, "Protocol 'noc' has no exemplars"),
        ({"protocol": "collective", "exemplar": "golden"}, "choose exemplar automatic"),
        ({"guidance": {"satisfied": "0.8"}}, r"Guidance is set \(satisfied\)"),
        (
            {"protocol": "additional", "exemplar": "golden", "initial_masks": "masks"},
            "with initial masks; leave one out",
        ),
        (
            {"protocol": "additional", "exemplar": "golden", "guidance": {"satisfied": "2"}},
            "satisfied is 2.0; needs an IoU",
        ),
        (
            {"protocol": "additional", "exemplar": "golden", "guidance": {"negatives": "some"}},
            "negatives is 'some'; needs 'true' or 'all' or 'none'",
        ),
    ],
)
def test_guidance_that_cannot_be_is_refused(wrong: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        Plan(dataset="folder", **wrong)


def test_a_method_without_references_and_a_data_set_without_parts_are_refused(data: Path):
    plan = Plan(
        method="graphcut", dataset="folder", data=str(data), protocol="combination",
        reference="both",
    )  # fmt: skip
    with pytest.raises(InputError, match="Method 'graphcut' takes no references"):
        plan.create_method()
    with pytest.raises(InputError, match="'folder' does not say which are objects with parts"):
        list_tasks(plan, plan.open_dataset())
    plan = replace(plan, protocol="collective", reference="none")
    with pytest.raises(InputError, match="'folder' does not say which are several objects"):
        list_tasks(plan, plan.open_dataset())


def test_what_is_asked_for_stands_in_the_result_only_where_it_is(data: Path):
    plan = Plan(method="graphcut", dataset="folder", data=str(data))
    method = plan.create_method()
    assert "exemplar" not in plan.describe(method, "00")["config"]
    guided = replace(plan, protocol="collective", exemplar="automatic")
    said = guided.describe(method, "00")
    assert said["protocol"] == "collective"
    assert said["config"]["exemplar"] == "automatic"
    assert said["config"]["guidance"]["most_clicks"] == 5
