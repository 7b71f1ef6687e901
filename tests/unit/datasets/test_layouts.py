"""Data sets of one object after another, each in a tiny folder of its published layout."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pycocotools import mask as runs
from scipy.io import savemat

from drawing import mask
from fewclicks.datasets.base import Dataset, all_samples
from fewclicks.datasets.checking import check, check_all
from fewclicks.datasets.coco_file import draw
from fewclicks.datasets.layout import read_places
from fewclicks.datasets.registry import find_dataset, open_dataset
from fewclicks.errors import (
    ImageError,
    InputError,
    MissingExtraError,
    ShapeError,
    StorageError,
)
from fewclicks.images.volumes import read_volume

LEFT = mask("##......", "##......", "........", "........")
MIDDLE = mask("..##....", "..##....", "..##....", "........")
CORNER = mask("........", "........", "......##", "......##")
LABELS = np.where(LEFT, 1, np.where(MIDDLE, 2, np.where(CORNER, 255, 0))).astype(np.uint8)


def picture(path: Path, *, shape: tuple[int, int] = (4, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*shape, 3), 90, np.uint8)).save(path)


def grey(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


def palette(path: Path, values: np.ndarray) -> None:
    """A mask as VOC and DAVIS have it: numbers of colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values.astype(np.uint8), mode=None)
    image = Image.frombytes("P", image.size, image.tobytes())
    colours = np.zeros((256, 3), np.uint8)
    colours[[1, 2, 255]] = (128, 0, 0), (0, 128, 0), (224, 224, 192)
    image.putpalette(colours.tobytes())
    image.save(path)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def objects(dataset: Dataset) -> dict[str, np.ndarray]:
    return {sample.id: sample.object_mask for sample in all_samples(dataset)}


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return list(found) == list(expected) and all(
        np.array_equal(found[name], expected[name]) for name in expected
    )


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    for stem in ("2007_1", "2007_2"):
        picture(tmp_path / f"JPEGImages/{stem}.jpg")
    palette(tmp_path / "SegmentationObject/2007_1.png", LABELS)
    text(tmp_path / "ImageSets/Segmentation/val.txt", "2007_1\n")
    return tmp_path


def test_outlines_of_pascal_voc_are_void_and_only_its_list_is_taken(voc: Path):
    dataset = open_dataset("pascal_voc", voc)
    assert same(objects(dataset), {"2007_1:1": LEFT, "2007_1:2": MIDDLE})
    for sample in all_samples(dataset):
        assert sample.void_mask is not None
        assert np.array_equal(sample.void_mask, CORNER)


def test_pascal_voc_may_have_been_made_grey(voc: Path):
    grey(voc / "SegmentationObject/2007_1.png", np.where(LABELS == 255, 220, LABELS * 38))
    assert same(objects(open_dataset("pascal_voc", voc)), {"2007_1:38": LEFT, "2007_1:76": MIDDLE})


def test_a_picture_of_the_list_that_is_missing_is_named(voc: Path):
    text(voc / "ImageSets/Segmentation/val.txt", "2007_1\n2007_9\n")
    with pytest.raises(InputError, match=r"1 of 2 pictures of .*val\.txt are missing.*'2007_9'"):
        open_dataset("pascal_voc", voc)
    (voc / "ImageSets/Segmentation/val.txt").unlink()
    with pytest.raises(StorageError, match=r"no list .*val\.txt of pictures; put it there"):
        open_dataset("pascal_voc", voc)
    assert open_dataset("pascal_voc", voc, listed="", unlabelled="skip").pictures == ("2007_1",)


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    for video in ("bear", "camel"):
        picture(tmp_path / f"JPEGImages/480p/{video}/00000.jpg")
        palette(
            tmp_path / f"Annotations/480p/{video}/00000.png", np.where(LABELS == 255, 0, LABELS)
        )
    return tmp_path


def test_all_objects_of_a_frame_of_davis_are_one(davis: Path):
    expected = {"bear/00000": LEFT | MIDDLE, "camel/00000": LEFT | MIDDLE}
    assert same(objects(open_dataset("davis", davis)), expected)
    text(davis / "frames.txt", "camel/00000\n")
    assert open_dataset("davis", davis, listed="frames.txt").pictures == ("camel/00000",)


@pytest.mark.parametrize(
    ("name", "images", "masks"),
    [
        ("davis", "img", "gt"),
        ("davis", "images", "masks"),
        ("coco_mval", "img", "gt"),
        ("grabcut", "data_GT", "boundary_GT"),
    ],
)
def test_packages_of_pictures_and_masks_go_by_their_folders(
    tmp_path: Path, name: str, images: str, masks: str
):
    picture(tmp_path / images / "3.jpg")
    grey(tmp_path / masks / "3.png", LEFT * 255)
    assert same(objects(open_dataset(name, tmp_path)), {"3": LEFT})


@pytest.fixture
def hqseg(tmp_path: Path) -> Path:
    thin = "thin_object_detection"
    for images, masks in (
        ("DIS5K/DIS-VD/im", "DIS5K/DIS-VD/gt"),
        (f"{thin}/ThinObject5K/images_test", f"{thin}/ThinObject5K/masks_test"),
        (f"{thin}/COIFT/images", f"{thin}/COIFT/masks"),
        (f"{thin}/HRSOD/images", f"{thin}/HRSOD/masks_max255"),
    ):
        picture(tmp_path / images / "1.jpg")
        grey(tmp_path / masks / "1.png", LEFT * 255)
    return tmp_path


def test_hqseg44k_has_four_parts_whose_pictures_may_be_called_alike(hqseg: Path):
    dataset = open_dataset("hqseg44k", hqseg)
    assert dataset.pictures == (
        "DIS5K/DIS-VD/im/1",
        "thin_object_detection/COIFT/images/1",
        "thin_object_detection/HRSOD/images/1",
        "thin_object_detection/ThinObject5K/images_test/1",
    )
    assert all(np.array_equal(each, LEFT) for each in objects(dataset).values())
    (hqseg / "thin_object_detection/COIFT").rename(hqseg / "elsewhere")
    with pytest.raises(StorageError, match=r"no folder '.*COIFT/images'; needs .* found 'DIS5K'"):
        open_dataset("hqseg44k", hqseg)


def test_hqseg44k_is_shrunk_for_the_rule_of_m2n2_alone(tmp_path: Path):
    large = np.zeros((1536, 2049), bool)
    large[:768, :1000] = True
    picture(tmp_path / "images/1.png", shape=large.shape)
    grey(tmp_path / "masks/1.png", large * 255)
    [whole] = all_samples(open_dataset("hqseg44k", tmp_path))
    assert whole.object_mask.shape == (1536, 2049)
    [shrunk] = all_samples(open_dataset("hqseg44k", tmp_path, rule="m2n2"))
    assert shrunk.image.shape == (1024, 1366, 3)
    expected = np.zeros((1024, 1366), bool)
    expected[:512, :667] = True
    assert np.array_equal(shrunk.object_mask, expected)
    grey(tmp_path / "masks/1.png", large[:, :1500] * 255)
    [other] = all_samples(open_dataset("hqseg44k", tmp_path, rule="m2n2"))
    with pytest.raises(InputError, match=r"1\.png is not of its picture's size"):
        _ = other.object_mask


def test_classes_of_a_painting_of_dram_are_objects_but_the_background(tmp_path: Path):
    picture(tmp_path / "test/realism/monet/x.jpg")
    grey(tmp_path / "labels/realism/monet/x.png", LABELS)
    dataset = open_dataset("dram", tmp_path)
    expected = {"realism/monet/x:1": LEFT, "realism/monet/x:2": MIDDLE}
    assert same(objects(dataset), expected)


@pytest.fixture
def sbd(tmp_path: Path) -> Path:
    picture(tmp_path / "img/2008_1.jpg")
    for part, name, values in (
        ("inst", "GTinst", np.where(LABELS == 255, 3, LABELS)),
        ("cls", "GTcls", np.where(LABELS > 0, 7, 0)),
    ):
        (tmp_path / part).mkdir()
        edges = np.empty((3, 1), object)
        edges[:, 0] = [LEFT, MIDDLE, CORNER]
        content = {"Segmentation": values.astype(np.uint8), "Boundaries": edges}
        savemat(tmp_path / part / "2008_1.mat", {name: content})
    text(tmp_path / "val.txt", "2008_1\n")
    return tmp_path


def test_sbd_gives_instances_or_whole_classes(sbd: Path):
    expected = {"2008_1:1": LEFT, "2008_1:2": MIDDLE, "2008_1:3": CORNER}
    assert same(objects(open_dataset("sbd", sbd)), expected)
    classes = objects(open_dataset("sbd", sbd, masks="classes"))
    assert same(classes, {"2008_1:7": LEFT | MIDDLE | CORNER})


def test_masks_of_sbd_that_hardly_fill_their_box_are_left_out_for_training(sbd: Path):
    thin = np.zeros((4, 8), np.uint8)
    thin[0, 0] = thin[3, 7] = 1
    thin[1, 1:3] = 2
    savemat(sbd / "inst/2008_1.mat", {"GTinst": {"Segmentation": thin}})
    assert len(open_dataset("sbd", sbd).samples("2008_1")) == 2
    [kept] = open_dataset("sbd", sbd, min_fill=0.08).samples("2008_1")
    assert kept.id == "2008_1:2"


def test_other_files_are_no_annotations_of_sbd(sbd: Path):
    path = sbd / "inst/2008_1.mat"
    for content in ({"other": 1}, {"GTinst": 3}, {"GTinst": {"Segmentation": np.ones((2, 2, 2))}}):
        savemat(path, content)
        [found] = check(open_dataset("sbd", sbd))
        assert "2008_1.mat" in found.problems[0]
    path.write_bytes(b"no matrix")
    with pytest.raises(InputError, match=r"2008_1\.mat is no annotation of SBD"):
        open_dataset("sbd", sbd).samples("2008_1")
    savemat(path, {"GTinst": {"Segmentation": LABELS[:2]}})
    [sample, *_] = open_dataset("sbd", sbd).samples("2008_1")
    with pytest.raises(ShapeError, match="needs the shape of its picture"):
        _ = sample.object_mask


@pytest.mark.parametrize(
    ("name", "annotations", "images"),
    [
        ("plittersdorf", "test.json", "images"),
        (
            "trashcan",
            "instance_version/instances_val_trashcan.json",
            "instance_version/val",
        ),
    ],
)
def test_polygons_and_run_lengths_are_objects_and_crowds_void(
    tmp_path: Path, name: str, annotations: str, images: str
):
    picture(tmp_path / images / "1.jpg")
    run = runs.encode(np.asfortranarray(MIDDLE.astype(np.uint8)))
    crowd = np.diff([0, *np.flatnonzero(np.diff(CORNER.ravel("F"))) + 1, 32]).tolist()
    listed = [
        ([[0, 0, 2, 0, 2, 2, 0, 2]], 4, 0),
        ({"size": [4, 8], "counts": run["counts"].decode()}, 6, 0),
        ({"size": [4, 8], "counts": crowd}, 4, 1),
        ([], 0, 0),
    ]
    content = {
        "images": [{"id": 5, "file_name": "1.jpg"}, {"id": 6, "file_name": "2.jpg"}],
        "categories": [{"id": 1, "name": "deer"}],
        "annotations": [
            {"id": k, "image_id": 5, "category_id": 1, "segmentation": s, "area": a, "iscrowd": c}
            for k, (s, a, c) in enumerate(listed)
        ],
    }
    text(tmp_path / annotations, json.dumps(content))
    dataset = open_dataset(name, tmp_path)
    assert same(objects(dataset), {"1:0": LEFT, "1:1": MIDDLE})
    for sample in all_samples(dataset):
        assert sample.void_mask is not None
        assert np.array_equal(sample.void_mask, CORNER)
    assert list(objects(open_dataset(name, tmp_path, min_area=5))) == ["1:1"]
    (tmp_path / images).rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=r"There is no folder .*; needs .*; found "):
        open_dataset(name, tmp_path)


@pytest.mark.parametrize(
    "outline",
    [
        [[0, 0, 1e9, 0, 1e9, 1e9]],
        [[0, 0, 2, 0, 2, 2], [0, 0, float("nan"), 0, 2, 2]],
        [["a", "b", "c", "d", "e", "f"]],
        [5],
        {"size": [4, 8]},
        {"size": [900000, 900000], "counts": [810000000000]},
        {"size": [4, 8], "counts": [3]},
        {"size": 3, "counts": "ab"},
    ],
)
def test_outlines_that_are_none_are_refused_in_one_line(outline: object):
    with pytest.raises(InputError, match=r"^a\.json: object 7") as raised:
        draw(Path("a.json"), [{"id": 7, "segmentation": outline}], (4, 8))
    assert "\n" not in str(raised.value)


def stacked(*slices: np.ndarray) -> np.ndarray:
    """Slices from below upwards, as a volume whose axes run right, forward and up."""
    return np.stack([each[::-1].T for each in slices], axis=2)


@pytest.fixture
def brats(tmp_path: Path) -> Path:
    case = tmp_path / "BraTS20_1"
    case.mkdir()
    labels = stacked(LEFT * 1, LEFT * 1 + MIDDLE * 4, LEFT * 1).astype(np.int16)
    scan = stacked(*(LEFT * 100 * k for k in (1, 2, 3))).astype(np.int16)
    for name, volume in (("seg", labels), ("flair", scan)):
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), case / f"BraTS20_1_{name}.nii.gz")
    return tmp_path


def test_the_slice_with_most_of_a_tumour_is_the_picture(brats: Path):
    [sample] = all_samples(open_dataset("brats", brats))
    assert sample.id == "BraTS20_1"
    assert np.array_equal(sample.object_mask, LEFT | MIDDLE)
    assert np.array_equal(sample.image[..., 0], LEFT * 255)
    each = objects(open_dataset("brats", brats, objects="each"))
    assert same(each, {"BraTS20_1:1": LEFT, "BraTS20_1:4": MIDDLE})
    only = objects(open_dataset("brats", brats, labels="1", choice="middle"))
    assert same(only, {"BraTS20_1": LEFT})


def test_a_scan_that_is_missing_broken_or_empty_is_named(brats: Path):
    scan = brats / "BraTS20_1/BraTS20_1_flair.nii.gz"
    whole = scan.read_bytes()
    scan.write_bytes(whole[:40])
    [found] = check(open_dataset("brats", brats))
    assert "BraTS20_1_flair.nii.gz is damaged or no volume" in found.problems[0]
    scan.unlink()
    with pytest.raises(StorageError, match=r"1 of 1 scans .*BraTS20_1/BraTS20_1_flair"):
        open_dataset("brats", brats)
    scan.write_bytes(whole)
    with pytest.raises(InputError, match="labels no voxel with 9"):
        open_dataset("brats", brats, labels="9").samples("BraTS20_1")
    (brats / "other/images").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"has no labels; needs .*found 'images'"):
        open_dataset("brats", brats / "other")


def test_bone_and_cartilage_of_oaizib_are_one_object_in_a_sagittal_slice(tmp_path: Path):
    labels = np.zeros((3, 8, 4), np.uint8)  # right, forward, up
    labels[1] = (LEFT * 2 + MIDDLE * 3)[::-1].T
    folder = tmp_path / "segmentation/segmentation_masks"
    folder.mkdir(parents=True)
    written = SimpleITK.GetImageFromArray(labels.T)
    written.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))  # as above, in the axes of DICOM
    SimpleITK.WriteImage(written, str(folder / "901.segmentation_masks.mhd"))
    (tmp_path / "images").mkdir()
    scan = nibabel.Nifti1Image((labels * 50).astype(np.int16), np.eye(4))
    nibabel.save(scan, tmp_path / "images/901.nii.gz")
    [sample] = all_samples(open_dataset("oaizib", tmp_path))
    assert np.array_equal(sample.object_mask, LEFT | MIDDLE)
    assert np.array_equal(sample.image[..., 0] > 0, LEFT | MIDDLE)
    with pytest.raises(InputError, match="plane is 'oblique'; needs sagittal"):
        open_dataset("oaizib", tmp_path, plane="oblique")


@pytest.mark.parametrize(
    "name", ["sbd", "pascal_voc", "coco_mval", "plittersdorf", "trashcan", "dram", "oaizib"]
)
def test_a_wrong_folder_is_answered_with_what_was_expected_and_found(tmp_path: Path, name: str):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(StorageError) as raised:
        open_dataset(name, tmp_path)
    said = str(raised.value)
    assert find_dataset(name).facts.layout in said
    assert "found 'holiday'." in said
    assert "\n" not in said


@pytest.mark.parametrize("places", ["", "images", "images:", "a:b:c", "a:b |"])
def test_places_of_another_form_are_refused(places: str):
    with pytest.raises(InputError, match="as images:masks, blanks between pairs"):
        read_places(places)


def test_a_whole_data_set_is_summed_up_and_compared_with_the_published_one(sbd: Path):
    text(sbd / "val.txt", "2008_1\n2008_2\n")
    found = check_all(open_dataset("sbd", sbd))
    assert (found.pictures, found.objects, len(found.problems)) == (2, 3, 1)
    assert "2008_2.mat" in found.problems[0]
    assert [path.name for path in found.files] == ["2008_1.jpg", "2008_1.mat"]
    assert found.missing(find_dataset("sbd").facts) == [
        "Expected 2857 pictures, found 2.",
        "Expected 6671 objects, found 3.",
    ]


def test_every_broken_object_of_a_picture_is_named_once(davis: Path):
    grey(davis / "Annotations/480p/bear/00000.png", LEFT[:2] * 255)
    (davis / "JPEGImages/480p/camel/00000.jpg").write_bytes(b"no picture")
    bear, camel = check(open_dataset("davis", davis))
    assert [len(each.problems) for each in (bear, camel)] == [1, 1]
    assert "needs the size of its picture" in bear.problems[0]
    assert "00000.jpg is no picture" in camel.problems[0]


def test_volumes_that_are_none_are_refused(brats: Path):
    flat = nibabel.Nifti1Image(np.ones((4, 8), np.int16), np.eye(4))
    nibabel.save(flat, brats / "BraTS20_1/BraTS20_1_seg.nii.gz")
    with pytest.raises(ImageError, match="has 2 axes"):
        open_dataset("brats", brats).samples("BraTS20_1")


@pytest.mark.parametrize("module", ["nibabel", "SimpleITK"])
def test_volumes_without_their_extra_are_answered_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
):
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / {"nibabel": "a.nii", "SimpleITK": "a.mha"}[module]
    path.write_bytes(b"a volume")
    with pytest.raises(MissingExtraError, match=r"pip install 'fewclicks\[volumes\]'"):
        read_volume(path)


def test_a_volume_of_more_voxels_than_memory_is_refused_before_it_is_read(tmp_path: Path):
    header = "NDims = 3\nDimSize = 9000 9000 9000\nElementType = MET_UCHAR\n"
    text(tmp_path / "a.mhd", f"ObjectType = Image\n{header}ElementDataFile = a.raw\n")
    (tmp_path / "a.raw").write_bytes(b"0")
    with pytest.raises(ImageError, match="has 729000000000 voxels; the limit is"):
        read_volume(tmp_path / "a.mhd")
