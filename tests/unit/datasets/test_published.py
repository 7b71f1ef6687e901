"""Published data sets, each in a tiny folder of its own layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as runs
from scipy.io import savemat

from drawing import mask
from fewclicks.datasets.checking import check
from fewclicks.datasets.kinds import KindsDataset
from fewclicks.datasets.parts import PartedDataset
from fewclicks.datasets.registry import open_dataset
from fewclicks.errors import InputError, ShapeError, StorageError

SHAPE = (4, 8)
LEFT = mask("##......", "##......", "........", "........")
MIDDLE = mask("..##....", "..##....", "..##....", "........")
RIGHT = mask("........", "......##", "......##", "........")
OBJECT = '{"id": 1, "image_id": 3, "category_id": 1, "segmentation": []}'
CROWD = mask("........", "........", "........", "########")


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".JPEG": "JPEG", ".jpg": "JPEG"}.get(path.suffix)
    Image.fromarray(np.full((*SHAPE, 3), 90, np.uint8)).save(path, format=kind)


def labels(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


def outline(on: np.ndarray) -> list[list[int]]:
    """The rectangle of a mask, as COCO's files have polygons."""
    rows, columns = np.nonzero(on)
    x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    return [[int(x) for x in (x0, y0, x1, y0, x1, y1, x0, y1)]]


def packed(on: np.ndarray) -> dict[str, Any]:
    run = runs.encode(np.asfortranarray(on.astype(np.uint8)))
    return {"size": run["size"], "counts": run["counts"].decode()}


def unpacked(on: np.ndarray) -> dict[str, Any]:
    """Run lengths as COCO writes crowds: down the columns, beginning off the mask."""
    column = on.ravel(order="F")
    edges = np.flatnonzero(np.diff(column)) + 1
    lengths = np.diff([0, *edges, column.size]).tolist()
    return {"size": list(on.shape), "counts": lengths if not column[0] else [0, *lengths]}


def annotated(path: Path, files: list[str], objects: list[tuple], categories: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "images": [{"id": 10 + k, "file_name": name} for k, name in enumerate(files)],
        "categories": categories,
        "annotations": [
            {
                "id": 100 + k,
                "image_id": 10 + image,
                "category_id": category,
                "segmentation": segmentation,
                "area": area,
                "iscrowd": crowd,
            }
            for k, (image, category, segmentation, area, crowd) in enumerate(objects)
        ],
    }
    path.write_text(json.dumps(content))


@pytest.fixture
def part_image_net(tmp_path: Path) -> Path:
    files = ["n02_9.JPEG", "n02_10.JPEG"]
    for name in files:
        picture(tmp_path / "images/test" / name)
    labels(tmp_path / "annotations/test/n02_9.png", np.where(LEFT, 0, np.where(MIDDLE, 1, 40)))
    categories = [
        {"id": 0, "name": "Car Tier", "supercategory": "Car"},
        {"id": 1, "name": "Car Body", "supercategory": "Car"},
    ]
    objects = [
        (0, 0, outline(LEFT), 4, 0),
        (0, 1, outline(MIDDLE), 6, 0),
        (0, 0, outline(RIGHT), 4, 0),
        (1, 1, packed(MIDDLE), 6, 0),
    ]
    annotated(tmp_path / "annotations/test/test.json", files, objects, categories)
    return tmp_path


def test_parts_of_part_image_net_are_called_without_their_class(part_image_net: Path):
    dataset = open_dataset("partimagenet", part_image_net)
    assert isinstance(dataset, PartedDataset)
    assert dataset.pictures == ("n02_10", "n02_9")
    [shown] = dataset.parted("n02_9")
    assert (shown.category, shown.parts) == ("n02", ("Body", "Tier"))
    assert np.array_equal(shown.masks["Tier"], LEFT | RIGHT)
    assert np.array_equal(shown.masks["Body"], MIDDLE)
    [other] = dataset.parted("n02_10")
    assert np.array_equal(other.masks["Body"], MIDDLE)
    assert [(each.problems, each.parted) for each in check(dataset)] == [((), 1), ((), 1)]


def test_part_image_net_may_be_read_from_its_label_maps(part_image_net: Path):
    [shown] = open_dataset("partimagenet", part_image_net, masks="png").parted("n02_9")
    assert np.array_equal(shown.masks["Tier"], LEFT)
    assert np.array_equal(shown.masks["Body"], MIDDLE)
    with pytest.raises(InputError, match="masks is 'mat'; needs 'json' or 'png'"):
        open_dataset("partimagenet", part_image_net, masks="mat")


def test_a_split_of_part_image_net_that_is_not_there_is_named(part_image_net: Path):
    with pytest.raises(StorageError, match=r"no folder .*images/val; needs images/val/\*\.JPEG"):
        open_dataset("partimagenet", part_image_net, split="val")
    (part_image_net / "annotations/test/test.json").unlink()
    with pytest.raises(StorageError, match=r"Cannot read annotations .*test\.json"):
        open_dataset("partimagenet", part_image_net)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "is no JSON"),
        ("[]", "has no list 'images'"),
        ('{"images": [], "annotations": []}', "has no list 'categories'"),
        ('{"images": [], "annotations": [' + OBJECT + '], "categories": []}', "picture 3, which"),
        ('{"images": [], "annotations": [4], "categories": []}', "number 1 of 'annotations'"),
        ('{"images": [{"id": 3}], "annotations": [], "categories": []}', "has no 'file_name'"),
        ('{"images": [], "annotations": [], "categories": 5}', "has no list 'categories'"),
    ],
)
def test_annotations_of_another_form_are_refused(part_image_net: Path, text: str, said: str):
    (part_image_net / "annotations/test/test.json").write_text(text)
    with pytest.raises(InputError, match=said):
        open_dataset("partimagenet", part_image_net)


def voc(folder: Path, stem: str, objects: list[dict[str, Any]]) -> None:
    picture(folder / "JPEGImages" / f"{stem}.jpg")
    (folder / "Annotations_Part").mkdir(exist_ok=True)
    matrix = np.empty((1, len(objects)), dtype=object)
    matrix[0] = objects
    anno = {"imname": stem, "objects": matrix}
    savemat(folder / "Annotations_Part" / f"{stem}.mat", {"anno": anno})


def part(name: str, on: np.ndarray) -> dict[str, Any]:
    return {"part_name": name, "mask": on.astype(np.uint8)}


def thing(name: str, *parts: dict[str, Any]) -> dict[str, Any]:
    listed = np.empty((1, len(parts)), dtype=object)
    listed[0] = list(parts)
    return {"class": name, "class_ind": 7, "mask": LEFT.astype(np.uint8), "parts": listed}


@pytest.fixture
def pascal(tmp_path: Path) -> Path:
    voc(
        tmp_path,
        "2008_1",
        [
            thing("sofa"),
            thing("car", part("wheel_1", LEFT), part("wheel_2", RIGHT), part("door_1", MIDDLE)),
            thing("dog", part("head", RIGHT)),
        ],
    )
    voc(tmp_path, "2008_2", [thing("car", part("wheel_1", LEFT))])
    voc(tmp_path, "2008_3", [thing("car", part("wheel_1", LEFT))])
    voc(tmp_path, "2008_4", [thing("sofa")])
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    (tmp_path / "ImageSets/Main/val.txt").write_text("2008_1\n2008_3\n2008_4\n")
    (tmp_path / "sbd_train.txt").write_text("2008_3\n")
    return tmp_path


def test_numbered_parts_of_pascal_part_are_one(pascal: Path):
    dataset = open_dataset("pascal_part", pascal)
    assert isinstance(dataset, PartedDataset)
    car, dog = dataset.parted("2008_1")
    assert (car.id, car.category, car.parts) == ("2008_1:2", "car", ("door", "wheel"))
    assert np.array_equal(car.masks["wheel"], LEFT | RIGHT)
    assert (dog.id, dog.category, dog.parts) == ("2008_1:3", "dog", ("head",))
    assert np.array_equal(dog.masks["head"], RIGHT)


def test_pascal_part_leaves_out_what_sbd_trains_on_and_pictures_without_parts(pascal: Path):
    assert open_dataset("pascal_part", pascal).pictures == ("2008_1",)
    everything = open_dataset("pascal_part", pascal, taken="", left_out="")
    assert everything.pictures == ("2008_1", "2008_2", "2008_3")
    with pytest.raises(StorageError, match=r"no list .*train\.txt of pictures"):
        _ = open_dataset("pascal_part", pascal, left_out="train.txt").pictures


def test_other_files_are_no_annotations_of_pascal_part(pascal: Path):
    savemat(pascal / "Annotations_Part/2008_1.mat", {"other": 1})
    with pytest.raises(InputError, match=r"2008_1\.mat is no annotation of PASCAL-Part"):
        _ = open_dataset("pascal_part", pascal).pictures
    (pascal / "Annotations_Part/2008_1.mat").write_bytes(b"no matrix")
    with pytest.raises(InputError, match=r"2008_1\.mat is no annotation of PASCAL-Part"):
        _ = open_dataset("pascal_part", pascal).pictures
    with pytest.raises(StorageError, match="nor the data set itself"):
        open_dataset("pascal_part", pascal / "JPEGImages")


def test_a_part_of_another_size_than_its_picture_is_named(pascal: Path):
    voc(pascal, "2008_1", [thing("car", part("door_1", MIDDLE[:2]))])
    [car] = open_dataset("pascal_part", pascal).parted("2008_1")
    with pytest.raises(ShapeError, match="Part 'door' of"):
        _ = car.masks


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    files = ["000001.jpg", "000002.jpg"]
    for name in files:
        picture(tmp_path / "val2017" / name)
    objects = [
        (0, 1, outline(LEFT), 4.0, 0),
        (0, 1, outline(MIDDLE), 6.0, 0),
        (0, 1, outline(RIGHT), 4.0, 0),
        (0, 1, unpacked(CROWD), 8.0, 1),
        (0, 2, outline(LEFT), 4.0, 0),
        (0, 2, unpacked(CROWD), 8.0, 1),
        (1, 1, outline(LEFT), 4.0, 0),
        (1, 1, [], 0.0, 0),
    ]
    categories = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    annotated(tmp_path / "annotations/instances_val2017.json", files, objects, categories)
    return tmp_path


def test_coco_mois_has_a_kind_for_each_category_of_two_objects_or_more(coco: Path):
    dataset = open_dataset("coco_mois", coco)
    assert isinstance(dataset, KindsDataset)
    assert dataset.pictures == ("000001",)
    [kind] = dataset.kinds("000001")
    assert (kind.id, kind.names) == ("000001:dog", ("000001:100", "000001:101", "000001:102"))
    assert np.array_equal(kind.union, LEFT | MIDDLE | RIGHT)
    assert kind.void_mask is not None
    assert np.array_equal(kind.void_mask, CROWD)
    assert [sample.id for sample in dataset.samples("000001")] == list(kind.names)
    assert [(each.problems, each.kinds) for each in check(dataset)] == [((), 1)]


def test_small_objects_of_coco_mois_are_void(coco: Path):
    assert open_dataset("coco_mois", coco, min_area=4.5).pictures == ()
    [kind] = open_dataset("coco_mois", coco, min_area=4.0).kinds("000001")
    assert len(kind.names) == 3
    content = json.loads((coco / "annotations/instances_val2017.json").read_text())
    content["annotations"][1]["area"] = 1.0
    (coco / "annotations/instances_val2017.json").write_text(json.dumps(content))
    [kind] = open_dataset("coco_mois", coco, min_area=4.0).kinds("000001")
    assert kind.names == ("000001:100", "000001:102")
    assert kind.union_void_mask is not None
    assert np.array_equal(kind.union_void_mask, CROWD | MIDDLE)


def test_a_picture_that_is_not_as_large_as_coco_lists_it_is_refused(coco: Path):
    content = json.loads((coco / "annotations/instances_val2017.json").read_text())
    height, width = LEFT.shape
    content["images"][0] |= {"height": height, "width": width}
    content["images"][1] |= {"height": None, "width": None}
    content["images"].append({"id": 99, "file_name": "other/000001.jpg", "height": 1, "width": 1})
    (coco / "annotations/instances_val2017.json").write_text(json.dumps(content))
    [kind] = open_dataset("coco_mois", coco).kinds("000001")
    assert kind.image.shape[:2] == (height, width)

    content["images"][0] |= {"height": 2 * height, "width": 2 * width}
    (coco / "annotations/instances_val2017.json").write_text(json.dumps(content))
    [kind] = open_dataset("coco_mois", coco).kinds("000001")
    with pytest.raises(InputError, match=r"000001.jpg is .* lists it as .*; needs the picture"):
        _ = kind.image


def test_a_missing_split_of_coco_is_named(coco: Path):
    with pytest.raises(StorageError, match=r"no folder .*train2017; needs train2017/\*\.jpg"):
        open_dataset("coco_mois", coco, split="train2017")


@pytest.fixture
def him2k(tmp_path: Path) -> Path:
    for stem, people in (("b", (LEFT, RIGHT)), ("a", (MIDDLE,))):
        picture(tmp_path / f"images/natural/{stem}.jpg")
        for number, on in enumerate(people):
            soft = np.where(on, 200, 100)
            labels(tmp_path / f"alphas/natural/{stem}/{number:02}.png", soft)
    return tmp_path


def test_people_of_him2k_are_where_their_mattes_are_above_the_middle(him2k: Path):
    dataset = open_dataset("him2k", him2k)
    assert dataset.pictures == ("b",)
    [kind] = dataset.kinds("b")  # type: ignore[attr-defined]
    assert (kind.id, kind.names) == ("b:person", ("b:00", "b:01"))
    assert np.array_equal(kind.union, LEFT | RIGHT)
    assert not kind.exemplar_is_asked
    assert [path.name for path in dataset.files("b")] == ["b.jpg", "00.png", "01.png"]


def test_a_picture_of_him2k_without_mattes_and_a_missing_subset_are_named(him2k: Path):
    picture(him2k / "images/natural/c.jpg")
    with pytest.raises(InputError, match=r"picture 'c' has no matte; needs alphas/natural"):
        open_dataset("him2k", him2k)
    with pytest.raises(StorageError, match=r"no folder .*images/comp"):
        open_dataset("him2k", him2k, subset="comp")


@pytest.fixture
def tda(tmp_path: Path) -> Path:
    for place in ("TDA-PD/hammer/1", "TDA-PD/hammer/2", "TDA-OD/dog and frisbee/1"):
        picture(tmp_path / f"{place}.jpg")
        labels(tmp_path / f"{place}.png", np.where(LEFT, 1, np.where(MIDDLE, 2, 0)))
    return tmp_path


def test_numbers_are_parts_within_a_category_of_tda(tda: Path):
    dataset = open_dataset("tda", tda)
    assert dataset.pictures == (
        "TDA-OD/dog and frisbee/1",
        "TDA-PD/hammer/1",
        "TDA-PD/hammer/2",
    )
    [shown] = dataset.parted("TDA-PD/hammer/2")  # type: ignore[attr-defined]
    assert (shown.category, shown.parts) == ("TDA-PD/hammer", ("1", "2"))
    assert np.array_equal(shown.masks["2"], MIDDLE)
    assert len(open_dataset("tda", tda, subset="pd").pictures) == 2
    with pytest.raises(InputError, match="subset is 'xd'"):
        open_dataset("tda", tda, subset="xd")


def test_a_wrong_folder_of_tda_is_answered_with_what_to_name(tda: Path):
    with pytest.raises(StorageError, match=r"needs TDA-PD/<category>/.*; found 'hammer'"):
        open_dataset("tda", tda / "TDA-PD")
    (tda / "TDA-OD").rename(tda / "OD")
    with pytest.raises(StorageError, match=r"TDA-OD; needs .*, or subset=pd for TDA-PD alone; f"):
        open_dataset("tda", tda)
    (tda / "TDA-PD").rename(tda / "PD")
    (tda / "OD").rename(tda / "TDA-OD")
    assert open_dataset("tda", tda, subset="od").pictures == ("TDA-OD/dog and frisbee/1",)
    with pytest.raises(StorageError, match=r"TDA-PD; needs .*, or subset=od for TDA-OD alone; f"):
        open_dataset("tda", tda)
    (tda / "PD").rename(tda / "TDA-PD")
    (tda / "TDA-OD").rename(tda / "OD")
    (tda / "OD/dog and frisbee").rename(tda / "TDA-OD")  # a folder for each category is missing
    with pytest.raises(InputError, match=r"TDA-OD has no picture .*found '1\.jpg', '1\.png'"):
        open_dataset("tda", tda)


def test_two_pictures_of_one_stem_of_tda_are_refused(tda: Path):
    (tda / "TDA-PD/hammer/1.bmp").touch()
    with pytest.raises(InputError, match=r"has both 1\.bmp and 1\.jpg; needs one picture"):
        open_dataset("tda", tda)


def test_a_picture_of_tda_without_labels_is_named(tda: Path):
    (tda / "TDA-PD/hammer/1.png").unlink()
    with pytest.raises(InputError, match=r"1 pictures have no label map, .*needs 1\.png beside"):
        open_dataset("tda", tda)
