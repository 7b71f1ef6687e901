"""Annotations that other tools wrote, and data sets in their published layouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from PIL import Image
from pycocotools import mask as runs
from scipy.io import savemat

from drawing import mask
from fewclicks.datasets.base import all_samples
from fewclicks.datasets.checking import check
from fewclicks.datasets.registry import open_dataset
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
from fewclicks.formats.registry import export, read_annotations
from fuzzing.trial import Reader

LEFT = mask("##......", "##..#...", "........", "........")
RING = mask("....####", "....#..#", "....####", "........")
LABELS = np.where(LEFT, 1, np.where(RING, 2, 0)).astype(np.uint8)
SHAPE = LEFT.shape


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SHAPE, 3), 90, np.uint8)).save(path)


def _labels(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


def _exported(name: str, *files: str) -> Callable[[Path], list[Path]]:
    """A folder that we wrote, with the files of it that are to be damaged."""

    def build(folder: Path) -> list[Path]:
        _picture(folder / "images" / "a.png")
        objects = (AnnotatedObject.of("dog", LEFT), AnnotatedObject.of("ring & é", RING))
        height, width = SHAPE
        one = AnnotatedPicture(name="a.png", height=height, width=width, objects=objects)
        export(Annotations(pictures=[one]), name, folder / "out")
        return [folder / "out" / file for file in files]

    return build


def _annotations(name: str) -> Callable[[Path, Path], object]:
    def read(home: Path, _file: Path) -> object:
        found = read_annotations(name, home / "out", images=home / "images")
        return [one.mask for picture in found.pictures for one in picture.objects]

    return read


def _dataset(name: str, **settings: Any) -> Callable[[Path, Path], object]:
    """Read all of a data set; then as `datasets check` does, which finds and never fails."""

    def read(home: Path, _file: Path) -> object:
        dataset = open_dataset(name, home, **settings)
        for found in check(dataset):
            assert all("\n" not in problem for problem in found.problems)
        return [sample.object_mask for sample in all_samples(dataset)]

    return read


def _folder(home: Path) -> list[Path]:
    _picture(home / "images/a.jpg")
    _labels(home / "masks/a.png", LEFT * 255)
    return [home / "masks/a.png", home / "images/a.jpg"]


def _instances(home: Path) -> list[Path]:
    _picture(home / "images/a.png")
    _labels(home / "masks/a.png", LABELS)
    listed = [{"label": 1, "category": "dog"}, {"label": 2, "category": "dog"}]
    (home / "instances.json").write_text(json.dumps({"a": {"objects": listed, "split": "val"}}))
    return [home / "instances.json", home / "masks/a.png"]


def _coco(annotations: str, images: str) -> Callable[[Path], list[Path]]:
    def build(home: Path) -> list[Path]:
        _picture(home / images / "1.jpg")
        packed = runs.encode(np.asfortranarray(RING.astype(np.uint8)))
        lengths = np.diff([0, *np.flatnonzero(np.diff(RING.ravel("F"))) + 1, RING.size]).tolist()
        outlines = [
            [[0, 0, 2, 0, 2, 2, 0, 2]],
            {"size": list(SHAPE), "counts": packed["counts"].decode()},
            {"size": list(SHAPE), "counts": lengths},
        ]
        content = {
            "images": [{"id": 5, "file_name": "1.jpg", "height": 4, "width": 8}],
            "categories": [{"id": 1, "name": "deer"}],
            "annotations": [
                {
                    "id": number,
                    "image_id": 5,
                    "category_id": 1,
                    "segmentation": outline,
                    "area": 4.0,
                    "iscrowd": int(number == 2),
                }
                for number, outline in enumerate(outlines)
            ],
        }
        path = home / annotations
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return [path]

    return build


def _sbd(home: Path) -> list[Path]:
    _picture(home / "img/a.jpg")
    (home / "inst").mkdir()
    savemat(home / "inst/a.mat", {"GTinst": {"Segmentation": LABELS, "Boundaries": LABELS}})
    (home / "val.txt").write_text("a\n")
    return [home / "inst/a.mat"]


def _pascal_part(home: Path) -> list[Path]:
    _picture(home / "JPEGImages/a.jpg")
    (home / "Annotations_Part").mkdir()
    parts = np.empty((1, 2), dtype=object)
    parts[0] = [
        {"part_name": "door_1", "mask": LEFT.astype(np.uint8)},
        {"part_name": "wheel_1", "mask": RING.astype(np.uint8)},
    ]
    objects = np.empty((1, 1), dtype=object)
    objects[0, 0] = {"class": "car", "class_ind": 7, "mask": LEFT.astype(np.uint8), "parts": parts}
    savemat(home / "Annotations_Part/a.mat", {"anno": {"imname": "a", "objects": objects}})
    (home / "ImageSets/Main").mkdir(parents=True)
    (home / "ImageSets/Main/val.txt").write_text("a\n")
    return [home / "Annotations_Part/a.mat"]


def _brats(home: Path) -> list[Path]:
    case = home / "B_1"
    case.mkdir()
    volume = np.stack([LABELS.T, LABELS.T * 0, LABELS.T], axis=2).astype(np.int16)
    for name in ("seg", "flair"):
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), case / f"B_1_{name}.nii.gz")
    return [case / "B_1_seg.nii.gz", case / "B_1_flair.nii.gz"]


def _tda(home: Path) -> list[Path]:
    for stem in ("1", "2"):
        _picture(home / f"TDA-PD/hammer/{stem}.jpg")
        _labels(home / f"TDA-PD/hammer/{stem}.png", LABELS)
    return [home / "TDA-PD/hammer/1.png"]


def _him2k(home: Path) -> list[Path]:
    _picture(home / "images/natural/b.jpg")
    for number, on in enumerate((LEFT, RING)):
        _labels(home / f"alphas/natural/b/{number:02}.png", np.where(on, 200, 100))
    return [home / "alphas/natural/b/00.png"]


def _coco_of(changes: dict[str, object], **annotation: object) -> bytes:
    content: dict[str, object] = {
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 8}],
        "categories": [{"id": 1, "name": "dog"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "segmentation": [[0, 0, 4, 0, 4, 4]],
                "area": 8,
                "iscrowd": 0,
                **annotation,
            }
        ],
    }
    return json.dumps({**content, **changes}).encode()


_LARGE: Final = [{"id": 1, "file_name": "a.png", "height": 10**6, "width": 10**6}]
EVIL_COCO: Final = {
    "a picture of a million by a million": _coco_of({"images": _LARGE}),
    "a corner far away": _coco_of({}, segmentation=[[0, 0, 1e9, 0, 1e9, 1e9]]),
    "a corner before the picture": _coco_of({}, segmentation=[[-1e9, -1e9, 1e9, 0, 0, 1e9]]),
    "100000 corners": _coco_of({}, segmentation=[[k * 37 % 9 for k in range(200_000)]]),
    "a million runs": _coco_of({}, segmentation={"size": [4, 8], "counts": [0] * 1_000_000}),
    "a run beyond the picture": _coco_of({}, segmentation={"size": [4, 8], "counts": [2**40]}),
    "runs of another size": _coco_of({}, segmentation={"size": [10**9, 10**9], "counts": "0"}),
    "twice the same object": _coco_of({}, id=None),
    "a name that leaves the folder": _coco_of(
        {"images": [{"id": 1, "file_name": "../../../etc/passwd", "height": 4, "width": 8}]}
    ),
    "an endless area": _coco_of({}, area=float("inf")),
    "a list for a number": _coco_of({}, image_id=[1]),
}
_LAUGHS: Final = b"""<!DOCTYPE a [<!ENTITY b "ha">%s]><annotation>&b9;</annotation>""" % b"".join(
    b'<!ENTITY b%d "%s">' % (k, b"&b%d;" % (k - 1 if k > 1 else 0) * 10) for k in range(1, 10)
)
EVIL_XML: Final = {
    "a million laughs": _LAUGHS,
    "in UTF-16": "<annotation><object><name>dog</name></object></annotation>".encode("utf-16"),
    "laughs in UTF-16": _LAUGHS.decode().encode("utf-16"),
    "another file": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;</annotation>',
    "100000 deep": b"<a>" * 100_000,
}
EVIL_YOLO: Final = {
    "far corners": b"0 0 0 1e30 0 1e30 1e30\n",
    "a huge number": b"1" + b"0" * 400 + b" 0 0 1 0 1 1\n",
    "no end": b"0 " + b"0.1 0.2 " * 100_000,
    "not a number": b"nan nan nan nan nan nan nan\n",
    "a fraction of a label": b"0.5 0 0 1 0 1 1\n",
}
EVIL_YAML: Final = {
    "a program": b"!!python/object/apply:os.abort []\n",
    "laughs": b"a: &a [x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (98 + k, 98 + k, b",".join([b"*%c" % (97 + k)] * 8)) for k in range(9)
    )
    + b"names: *j\n",
    "itself": b"names: &a [*a]\n",
    "mixed numbers and words": b"names: {0: a, b: c}\n",
    "a date": b"2026-13-45\n",
    "100000 deep": b"[" * 100_000,
}

_READERS: Final = [
    Reader(
        name="coco",
        build=_exported("coco", "annotations.json"),
        read=_annotations("coco"),
        evil=EVIL_COCO,
    ),
    Reader(
        name="coco with polygons",
        build=_exported("coco-polygons", "annotations.json"),
        read=_annotations("coco"),
    ),
    Reader(
        name="yolo",
        build=_exported("yolo", "labels/a.txt"),
        read=_annotations("yolo"),
        evil=EVIL_YOLO,
    ),
    Reader(
        name="yolo's names",
        build=_exported("yolo", "data.yaml"),
        read=_annotations("yolo"),
        evil=EVIL_YAML,
    ),
    Reader(
        name="voc",
        build=_exported("voc", "Annotations/a.xml", "labels.txt"),
        read=_annotations("voc"),
        evil=EVIL_XML,
    ),
    Reader(
        name="voc's maps",
        build=_exported("voc", "SegmentationObject/a.png"),
        read=_annotations("voc"),
    ),
    Reader(
        name="labelme",
        build=_exported("labelme", "a.json"),
        read=_annotations("labelme"),
    ),
    Reader(name="png", build=_exported("png", "a.png"), read=_annotations("png")),
    Reader(
        name="png's names",
        build=_exported("png", "objects.json"),
        read=_annotations("png"),
    ),
    Reader(name="folder", build=_folder, read=_dataset("folder")),
    Reader(name="instances", build=_instances, read=_dataset("instances")),
    Reader(
        name="plittersdorf",
        build=_coco("test.json", "images"),
        read=_dataset("plittersdorf"),
        evil=EVIL_COCO,
    ),
    Reader(
        name="coco_mois",
        build=_coco("annotations/instances_val2017.json", "val2017"),
        read=_dataset("coco_mois"),
    ),
    Reader(name="sbd", build=_sbd, read=_dataset("sbd")),
    Reader(
        name="pascal_part",
        build=_pascal_part,
        read=_dataset("pascal_part", taken="", left_out=""),
    ),
    Reader(name="brats", build=_brats, read=_dataset("brats")),
    Reader(name="tda", build=_tda, read=_dataset("tda", subset="pd")),
    Reader(name="him2k", build=_him2k, read=_dataset("him2k")),
]

READERS: Final = [replace(reader, by_folder=True) for reader in _READERS]
