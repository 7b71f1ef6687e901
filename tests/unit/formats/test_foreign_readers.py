"""What is written is read by the formats' own tools, or by readers that share no line with ours."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

from annotated_pictures import STRANGE, make
from fewclicks.formats.annotated import Annotations
from fewclicks.formats.registry import export
from fewclicks.images.masks import iou


@pytest.fixture
def annotations(tmp_path: Path) -> Annotations:
    return make(tmp_path / "images")


# pycocotools' own, with NumPy 2.
IN_THEIR_CODE = pytest.mark.filterwarnings("ignore:__array__ implementation")


def _coco(path: Path, capsys: pytest.CaptureFixture[str]) -> COCO:
    coco = COCO(str(path))
    capsys.readouterr()  # it prints
    return coco


@IN_THEIR_CODE
def test_pycocotools_reads_run_lengths_pixel_by_pixel(
    annotations: Annotations, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (path,) = export(annotations, "coco", tmp_path / "out")
    coco = _coco(path, capsys)
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == list(annotations.labels)
    for picture, number in zip(annotations.pictures, coco.getImgIds(), strict=True):
        found = coco.loadAnns(coco.getAnnIds(imgIds=number))
        assert len(found) == len(picture.objects)
        for one, other in zip(picture.objects, found, strict=True):
            np.testing.assert_array_equal(coco.annToMask(other).astype(bool), one.mask)
            assert other["area"] == one.mask.sum()
            rows, columns = np.nonzero(one.mask)
            x, y, width, height = other["bbox"]
            assert (x, y) == (columns.min(), rows.min())
            assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)


@IN_THEIR_CODE
def test_pycocotools_draws_polygons_with_their_holes(
    annotations: Annotations, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (path,) = export(annotations, "coco-polygons", tmp_path / "out")
    coco = _coco(path, capsys)
    for picture, number in zip(annotations.pictures, coco.getImgIds(), strict=True):
        found = coco.loadAnns(coco.getAnnIds(imgIds=number))
        for one, other in zip(picture.objects, found, strict=True):
            assert isinstance(other["segmentation"], list)
            assert iou(coco.annToMask(other).astype(bool), one.mask) > 0.97


def test_yolo_rings_filled_by_opencv_are_the_masks_but_for_their_rims(
    annotations: Annotations, tmp_path: Path
):
    export(annotations, "yolo", tmp_path)
    names = yaml.safe_load((tmp_path / "data.yaml").read_text())["names"]
    assert names == dict(enumerate(annotations.labels))
    picture = annotations.pictures[1]
    lines = (tmp_path / "labels/a/dog_png.txt").read_text().splitlines()
    for line, one in zip(lines, picture.objects, strict=True):
        number, *shares = line.split()
        assert names[int(number)] == one.label
        scale = 16  # so that the pixel that OpenCV draws around a ring is thin
        size = np.array([picture.width, picture.height]) * scale
        ring = np.rint(np.array(shares, float).reshape(-1, 2) * size).astype(np.int32)
        large = np.zeros((picture.height * scale, picture.width * scale), np.uint8)
        cv2.fillPoly(large, [ring], 1)
        centres = large[scale // 2 :: scale, scale // 2 :: scale] > 0
        assert iou(centres, one.mask) > 0.98
    assert (tmp_path / "labels/empty.txt").read_text() == ""


def test_voc_files_are_palettes_with_the_colours_of_the_devkit(
    annotations: Annotations, tmp_path: Path
):
    export(annotations, "voc", tmp_path)
    with Image.open(tmp_path / "SegmentationClass/a/dog_png.png") as classes:
        assert classes.mode == "P"
        palette = np.array(classes.getpalette()).reshape(-1, 3)
        values = np.array(classes)
    assert palette[[0, 1, 2, 3, 15]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [192, 128, 128]
    ]  # fmt: skip
    blob, ring = annotations.pictures[1].objects
    np.testing.assert_array_equal(values == 3, blob.mask)
    np.testing.assert_array_equal(values == 1, ring.mask)
    root = ElementTree.parse(tmp_path / "Annotations/a/dog_jpg.xml").getroot()
    assert [one.findtext("name") for one in root.iter("object")] == ["ring", STRANGE]
    box = root.find("object/bndbox")
    assert box is not None
    corners = [int(box.findtext(side, "")) for side in ("xmin", "ymin", "xmax", "ymax")]
    assert corners == [2, 2, 12, 8]
    assert root.findtext("size/width") == "12"
    listed = (tmp_path / "ImageSets/Segmentation/trainval.txt").read_text().split()
    assert listed == ["a/dog_jpg", "a/dog_png", "empty"]


def test_labelme_shapes_are_polygons_whose_parts_share_a_group(
    annotations: Annotations, tmp_path: Path
):
    export(annotations, "labelme", tmp_path)
    content = json.loads((tmp_path / "a/dog_jpg.json").read_text())
    assert content["imagePath"] == "dog.jpg"
    assert (content["imageHeight"], content["imageWidth"]) == (9, 12)
    drawn = {1: np.zeros((9, 12), bool), 2: np.zeros((9, 12), bool)}
    for shape in content["shapes"]:
        assert shape["shape_type"] == "polygon"
        scale = 16
        large = np.zeros((9 * scale, 12 * scale), np.uint8)
        cv2.fillPoly(large, [np.rint(np.array(shape["points"]) * scale).astype(np.int32)], 1)
        drawn[shape["group_id"]] |= large[scale // 2 :: scale, scale // 2 :: scale] > 0
    for number, one in enumerate(annotations.pictures[0].objects, 1):
        np.testing.assert_array_equal(drawn[number], one.mask)


def test_png_maps_hold_the_numbers_that_their_json_explains(
    annotations: Annotations, tmp_path: Path
):
    export(annotations, "png", tmp_path / "instances")
    export(annotations, "png-class", tmp_path / "classes")
    blob, ring = annotations.pictures[1].objects
    instances = np.array(Image.open(tmp_path / "instances/a/dog_png.png"))
    np.testing.assert_array_equal(instances, blob.mask * 1 + ring.mask * 2)
    listed = json.loads((tmp_path / "instances/objects.json").read_text())
    assert listed["a/dog_png.png"] == ["blob", "ring"]
    classes = np.array(Image.open(tmp_path / "classes/a/dog_png.png"))
    np.testing.assert_array_equal(classes, blob.mask * 3 + ring.mask * 1)
    names = json.loads((tmp_path / "classes/labels.json").read_text())
    assert names["3"] == "blob"
    assert names["4"] == STRANGE


def test_every_object_gets_a_mask_and_a_cutout_with_a_harmless_name(
    annotations: Annotations, tmp_path: Path
):
    masks = export(annotations, "png-objects", tmp_path / "masks")
    cutouts = export(annotations, "cutouts", tmp_path / "cutouts")
    assert [path.name for path in masks] == [
        "01_ring.png", "02_cat_dog_b_é_b_.png", "01_blob.png", "02_ring.png"
    ]  # fmt: skip
    objects = [one for picture in annotations.pictures for one in picture.objects]
    for path, cutout, one in zip(masks, cutouts, objects, strict=True):
        np.testing.assert_array_equal(np.array(Image.open(path)) == 255, one.mask)
        opacity = np.array(Image.open(cutout))[..., 3] == 255
        rows, columns = np.nonzero(one.mask)
        cropped = one.mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        np.testing.assert_array_equal(opacity, cropped)
