from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewclicks.errors import FewclicksError
from fewclicks.formats.registry import read_annotations

IMAGE = {"id": 1, "file_name": "a.png", "height": 4, "width": 5}
CATEGORY = {"id": 7, "name": "cat"}
ONE = {"id": 3, "image_id": 1, "category_id": 7, "segmentation": [[0, 0, 2, 0, 2, 2]]}


def _coco(**changes: object) -> str:
    content = {"images": [IMAGE], "annotations": [ONE], "categories": [CATEGORY]}
    return json.dumps({**content, **changes})


COCO = {
    "no JSON": "{",
    "a list": "[]",
    "no images": _coco(images=None),
    "a picture without size": _coco(images=[{"id": 1, "file_name": "a.png"}]),
    "a picture of negative size": _coco(images=[{**IMAGE, "height": -4}]),
    "an image it does not list": _coco(annotations=[{**ONE, "image_id": 9}]),
    "a category it does not list": _coco(annotations=[{**ONE, "category_id": 9}]),
    "two pictures of one number": _coco(images=[IMAGE, {**IMAGE, "file_name": "b.png"}]),
    "two categories of one number": _coco(categories=[CATEGORY, {**CATEGORY, "name": "dog"}]),
    "two corners": _coco(annotations=[{**ONE, "segmentation": [[0, 0, 2, 0]]}]),
    "odd numbers": _coco(annotations=[{**ONE, "segmentation": [[0, 0, 2, 0, 2, 2, 3]]}]),
    "endless corners": _coco(annotations=[{**ONE, "segmentation": [[0, 0, 2, 0, 2, 1e999]]}]),
    "text for corners": _coco(annotations=[{**ONE, "segmentation": "abc"}]),
    "another size": _coco(annotations=[{**ONE, "segmentation": {"size": [5, 4], "counts": "0"}}]),
    "damaged runs": _coco(annotations=[{**ONE, "segmentation": {"size": [4, 5], "counts": "~~"}}]),
    "short runs": _coco(annotations=[{**ONE, "segmentation": {"size": [4, 5], "counts": [3]}}]),
    "negative runs": _coco(
        annotations=[{**ONE, "segmentation": {"size": [4, 5], "counts": [-3, 23]}}]
    ),
}
LABELME = {
    "no JSON": "{",
    "no shapes": "{}",
    "a circle": json.dumps(
        {
            "shapes": [{"label": "a", "points": [[0, 0], [1, 1]], "shape_type": "circle"}],
            "imagePath": "a.png",
            "imageHeight": 4,
            "imageWidth": 5,
        }
    ),
    "two corners": json.dumps(
        {
            "shapes": [{"label": "a", "points": [[0, 0], [1, 1]]}],
            "imagePath": "a.png",
            "imageHeight": 4,
            "imageWidth": 5,
        }
    ),
}
YOLO = {
    "text": "cat 0 0 1 0 1 1",
    "an unknown label": "5 0 0 1 0 1 1",
    "a negative label": "-1 0 0 1 0 1 1",
    "a box": "0 0.5 0.5 0.2 0.2",
    "half a label": "0.5 0 0 1 0 1 1",
    "half a corner": "0 0 0 1 0 1 1 0.5",
    "no number": "0 0 0 1 0 1 nan",
    "an endless one": "inf 0 0 1 0 1 1",
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (5, 4)).save(folder / "a.png")
    return folder


def _complaint(name: str, source: Path, images: Path) -> str:
    with pytest.raises(FewclicksError) as caught:
        read_annotations(name, source, images=images)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 500
    return said


@pytest.mark.parametrize("text", COCO.values(), ids=COCO)
def test_bad_coco_is_refused_in_one_line_that_names_the_file(
    text: str, tmp_path: Path, images: Path
):
    path = tmp_path / "bad.json"
    path.write_text(text)
    assert "bad.json" in _complaint("coco", path, images)


@pytest.mark.parametrize("text", LABELME.values(), ids=LABELME)
def test_bad_labelme_is_refused_in_one_line_that_names_the_file(
    text: str, tmp_path: Path, images: Path
):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text(text)
    assert "a.json" in _complaint("labelme", tmp_path / "in", images)


@pytest.mark.parametrize("line", YOLO.values(), ids=YOLO)
def test_a_bad_yolo_line_is_refused_in_one_line_that_names_it(
    line: str, tmp_path: Path, images: Path
):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text(f"0 0 0 1 0 1 1\n{line}\n")
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    assert "a.txt" in _complaint("yolo", tmp_path, images)


@pytest.mark.parametrize("text", ["names: 3", "{", "names: {0: [1]}", ""])
def test_bad_names_of_yolo_are_refused(text: str, tmp_path: Path, images: Path):
    (tmp_path / "data.yaml").write_text(text)
    assert "data.yaml" in _complaint("yolo", tmp_path, images)


def test_names_of_yolo_keep_the_numbers_that_they_have(tmp_path: Path, images: Path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("1 0 0 1 0 1 1\n3 0 0 1 0 1 1\n")
    (tmp_path / "data.yaml").write_text("names: {3: cow, 1: cat}\n")
    read = read_annotations("yolo", tmp_path, images=images)
    assert read.labels == ("cat", "cow")
    assert [one.label for one in read.pictures[0].objects] == ["cat", "cow"]


@pytest.mark.parametrize(
    "xml", ["<annotation>", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotation/>", "<annotation/>"]
)
def test_bad_voc_is_refused(xml: str, tmp_path: Path, images: Path):
    for folder in ("SegmentationObject", "Annotations"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Annotations/a.xml").write_text(xml)
    Image.fromarray(np.eye(4, 5, dtype=np.uint8)).save(tmp_path / "SegmentationObject/a.png")
    assert "a." in _complaint("voc", tmp_path, images)


def test_a_map_of_another_size_is_refused(tmp_path: Path, images: Path):
    (tmp_path / "maps").mkdir()
    Image.new("L", (4, 5)).save(tmp_path / "maps/a.png")
    assert "needs the size of its picture, 5 x 4" in _complaint("png", tmp_path / "maps", images)


def test_a_folder_without_a_map_for_any_picture_is_refused(tmp_path: Path, images: Path):
    assert "has no NAME.png" in _complaint("png", tmp_path / "nowhere", images)


def test_a_black_and_white_mask_is_one_object(tmp_path: Path, images: Path):
    (tmp_path / "maps").mkdir()
    Image.fromarray(np.eye(4, 5, dtype=np.uint8) * 255).save(tmp_path / "maps/a.png")
    (picture,) = read_annotations("png", tmp_path / "maps", images=images).pictures
    (one,) = picture.objects
    assert one.label == "object"
    np.testing.assert_array_equal(one.mask, np.eye(4, 5, dtype=bool))


def test_what_a_merged_coco_file_lists_twice_is_read_once(tmp_path: Path, images: Path):
    (tmp_path / "c.json").write_text(_coco(images=[IMAGE, IMAGE], categories=[CATEGORY, CATEGORY]))
    (picture,) = read_annotations("coco", tmp_path / "c.json", images=images).pictures
    assert len(picture.objects) == 1


def test_a_mark_before_the_text_is_left_out(tmp_path: Path, images: Path):
    (tmp_path / "c.json").write_text(_coco(), encoding="utf-8-sig")
    (picture,) = read_annotations("coco", tmp_path / "c.json", images=images).pictures
    assert picture.name == "a.png"


@pytest.mark.parametrize("name", ["", "..", "pictures/.."])
def test_a_labelme_file_that_names_no_picture_is_refused(name: str, tmp_path: Path, images: Path):
    (tmp_path / "in").mkdir()
    content = {"shapes": [], "imagePath": name, "imageHeight": 4, "imageWidth": 5}
    (tmp_path / "in/a.json").write_text(json.dumps(content))
    assert "needs the picture's name" in _complaint("labelme", tmp_path / "in", images)


def test_yolo_without_a_text_for_any_picture_is_refused(tmp_path: Path, images: Path):
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    assert "has no NAME.txt for a picture of" in _complaint("yolo", tmp_path, images)


def test_the_last_label_of_voc_needs_no_end_of_line(tmp_path: Path, images: Path):
    for folder in ("SegmentationObject", "Annotations"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Annotations/a.xml").write_text("<annotation/>")
    (tmp_path / "labels.txt").write_bytes(b"dog\r\ncat")
    Image.new("L", (5, 4)).save(tmp_path / "SegmentationObject/a.png")
    assert read_annotations("voc", tmp_path, images=images).labels == ("dog", "cat")


def test_crowds_of_coco_are_left_out(tmp_path: Path, images: Path):
    path = tmp_path / "in.json"
    path.write_text(_coco(annotations=[{**ONE, "iscrowd": 1}, ONE]))
    (picture,) = read_annotations("coco", path, images=images).pictures
    assert len(picture.objects) == 1
