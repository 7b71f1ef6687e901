"""Names open data sets. Reading the table imports no loader."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fewclicks.datasets.base import Dataset
from fewclicks.datasets.facts import FACTS, Facts
from fewclicks.datasets.layout import found_in
from fewclicks.errors import InputError, StorageError, UnknownEntryError
from fewclicks.settings import read_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetEntry:
    """One data set, as the table knows it.

    Parameters
    ----------
    name
        What a user types; also the folder looked for below the folder of data sets.
    target
        ``"module:Class"``, imported when the data set is opened; built from name, folder, config.
    summary
        One line for people.
    settings
        Of the loader's configuration, as the data set asks.
    settings_by_rule
        What a click rule reads differently in this data set.
    needs_folder
        False for a data set that comes with the package; its loader's folder is None.
    holds
        What its own folder has one of, by which the folder is known; empty for anything.
    """

    name: str
    target: str
    summary: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_by_rule: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    needs_folder: bool = True
    holds: tuple[str, ...] = ("images",)

    @property
    def facts(self) -> Facts:
        """Where it comes from, and how much there is of it."""
        return FACTS[self.name]

    def settings_of(self, rule: str) -> dict[str, Any]:
        """Give the loader's settings under a click rule."""
        return {**self.settings, **self.settings_by_rule.get(rule, {})}

    def void(self, rule: str) -> str:
        """Say what becomes of unjudged pixels: ``left out``, ``object``; empty if it has none."""
        value = self.settings_of(rule).get("void")
        return "" if value is None else "left out" if value >= 0 else "object"


_FOLDER: Final = "fewclicks.datasets.folder:FolderDataset"
_INSTANCES: Final = "fewclicks.datasets.instances:InstancesDataset"
_COCO: Final = "fewclicks.datasets.coco_instances:CocoInstancesDataset"
_SLICES: Final = "fewclicks.datasets.slices:SlicesDataset"
_BAND_IS_OBJECT: Final = {"threshold": 0, "void": -1}
_AT_MOST_1024: Final = {"shortest": 1024}
_THIN: Final = "thin_object_detection"

DATASETS: Final = (
    DatasetEntry(
        name="folder",
        target=_FOLDER,
        summary="your own: images/<stem>.jpg|png beside masks/<stem>.png",
    ),
    DatasetEntry(
        name="grabcut",
        target=_FOLDER,
        summary="50 pictures; mask above 128 is the object, 128 is void",
        settings={
            "threshold": 128,
            "void": 128,
            "places": "images:masks | data_GT:boundary_GT",
        },
        settings_by_rule={"m2n2": _BAND_IS_OBJECT, "random": _BAND_IS_OBJECT},
        holds=("images", "data_GT"),
    ),
    DatasetEntry(
        name="berkeley",
        target=_FOLDER,
        summary="100 objects on 96 pictures; mask above 128 is the object",
        settings={"threshold": 128},
    ),
    DatasetEntry(
        name="davis",
        target=_FOLDER,
        summary="345 frames of 50 videos; all objects of a frame count as one",
        settings={
            "places": "images:masks | img:gt | JPEGImages/480p/*:Annotations/480p/*",
        },
        holds=("images", "img", "JPEGImages"),
    ),
    DatasetEntry(
        name="davis_dev",
        target=_FOLDER,
        summary="115 frames: every third of DAVIS's 345, in the order of their names",
    ),
    DatasetEntry(
        name="hqseg44k",
        target=_FOLDER,
        summary="1537 pictures of fine things; mask above 128 is the object",
        settings={
            "threshold": 128,
            "places": "images:masks | DIS5K/DIS-VD/im:DIS5K/DIS-VD/gt "
            f"{_THIN}/ThinObject5K/images_test:{_THIN}/ThinObject5K/masks_test "
            f"{_THIN}/COIFT/images:{_THIN}/COIFT/masks "
            f"{_THIN}/HRSOD/images:{_THIN}/HRSOD/masks_max255",
        },
        settings_by_rule={"m2n2": _AT_MOST_1024, "random": _AT_MOST_1024},
        holds=("images", "DIS5K"),
    ),
    DatasetEntry(
        name="sbd",
        target="fewclicks.datasets.sbd:SbdDataset",
        summary="6671 objects on 2857 pictures of VOC; masks=instances or classes",
        holds=("img",),
    ),
    DatasetEntry(
        name="pascal_voc",
        target=_FOLDER,
        summary="3427 objects on VOC 2012's 1449 pictures for validation; outlines are void",
        settings={
            "masks": "labels",
            "void": 255,
            "void_too": 220,
            "places": "JPEGImages:SegmentationObject",
            "listed": "ImageSets/Segmentation/val.txt",
        },
        holds=("SegmentationObject",),
    ),
    DatasetEntry(
        name="coco_mval",
        target=_FOLDER,
        summary="800 pictures of COCO, ten of each category, one object on each",
        settings={"places": "img:gt | images:masks"},
        holds=("img", "images"),
    ),
    DatasetEntry(
        name="plittersdorf",
        target=_COCO,
        summary="151 animals on 50 grey pictures of a camera trap",
        settings={"annotations": "test.json"},
        holds=("test.json",),
    ),
    DatasetEntry(
        name="trashcan",
        target=_COCO,
        summary="2588 objects on 1147 pictures from under water",
        settings={
            "annotations": "instance_version/instances_val_trashcan.json",
            "images": "instance_version/val",
        },
        holds=("instance_version",),
    ),
    DatasetEntry(
        name="dram",
        target=_FOLDER,
        summary="718 paintings, 1179 regions of a class; the background is none",
        settings={"masks": "labels", "void": 255, "places": "test/*/*:labels/*/*"},
        holds=("labels",),
    ),
    DatasetEntry(
        name="oaizib",
        target=_SLICES,
        summary="a slice of each of 150 scans of knees: bone and cartilage",
        settings={
            "images": "images/{case}",
            "masks": "segmentation/segmentation_masks/{case}.segmentation_masks",
            "plane": "sagittal",
        },
        holds=("segmentation",),
    ),
    DatasetEntry(
        name="brats",
        target=_SLICES,
        summary="a slice of each of 369 scans of brains: tumours",
        settings={"images": "{case}/{case}_flair", "masks": "{case}/{case}_seg"},
        holds=(),
    ),
    DatasetEntry(
        name="instances",
        target=_INSTANCES,
        summary="your own with categories or parts: images, label masks, instances.json",
    ),
    DatasetEntry(
        name="partimagenet",
        target="fewclicks.datasets.part_image_net:PartImageNetDataset",
        summary="158 classes of ImageNet with 2 to 5 parts; split=train, val or test",
    ),
    DatasetEntry(
        name="pascal_part",
        target="fewclicks.datasets.pascal_part:PascalPartDataset",
        summary="20 classes of VOC 2010 with many small parts; what SBD trains on left out",
        holds=("Annotations_Part",),
    ),
    DatasetEntry(
        name="tda",
        target="fewclicks.datasets.tda:TdaDataset",
        summary="400 pictures of things that come apart (PD) or are held together (OD)",
        holds=("TDA-PD", "TDA-OD"),
    ),
    DatasetEntry(
        name="coco_mois",
        target="fewclicks.datasets.coco_mois:CocoMoisDataset",
        summary="objects of one category on COCO 2017; split=val2017 or train2017",
        holds=("annotations",),
    ),
    DatasetEntry(
        name="him2k",
        target="fewclicks.datasets.him2k:Him2kDataset",
        summary="320 photographs of two to ten people; the others are asked for",
    ),
    DatasetEntry(
        name="carparts",
        target=_INSTANCES,
        summary="500 cars of 18 parts; stems train_* and test_*",
        settings={"parts_of": "car"},
    ),
    DatasetEntry(
        name="coco_tiny",
        target=_INSTANCES,
        summary="352 COCO pictures, objects from 32x32 pixels on, crowds void; by split",
        settings={"void": 65535, "min_area": 1024},
    ),
    DatasetEntry(
        name="demonstration",
        target="fewclicks.datasets.demonstration:DemonstrationDataset",
        summary="12 objects on 6 photographs of scikit-image and scikit-learn, outlined by hand",
        needs_folder=False,
    ),
)

_BY_NAME: Final = {entry.name: entry for entry in DATASETS}


def find_dataset(name: str) -> DatasetEntry:
    """Look a data set up.

    Raises
    ------
    UnknownEntryError
        With near misses, if there is none of that name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownEntryError("data set", name, _BY_NAME) from None


def open_dataset(
    name: str, data: str | Path | None, *, rule: str = "ritm", **settings: Any
) -> Dataset:
    """Open a data set by name; pixels are read when a sample is asked for them.

    Parameters
    ----------
    name
        As listed by ``fewclicks datasets list``.
    data
        The data set's own folder, or the folder of data sets that holds it under its name.
    rule
        The click rule that will be used; some data sets are read differently under some rules.
    **settings
        Fields of the loader's configuration, over those of the data set. Text is read as the
        field's type, so that a command line can pass what was typed.

    Raises
    ------
    UnknownEntryError
        For a data set or setting that does not exist.
    StorageError
        If the folder is missing.
    InputError
        For a setting out of its range, or a folder whose pictures and masks do not pair up.
    """
    entry = find_dataset(name)
    module, _, class_name = entry.target.partition(":")
    loader = getattr(importlib.import_module(module), class_name)
    chosen = entry.settings_of(rule)
    chosen |= read_settings(loader.config_type, settings, owner=f"data set '{name}'")
    folder = _locate(entry, data) if entry.needs_folder else None
    dataset: Dataset = loader(name, folder, loader.config_type(**chosen))
    return dataset


def _locate(entry: DatasetEntry, data: str | Path | None) -> Path:
    name = entry.name
    if data is None:
        raise InputError(
            f"Data set '{name}' needs a folder: give --data DIR, or set FEWCLICKS_DATA to the "
            "folder of data sets."
        )
    folder = Path(data)
    if not folder.is_dir():
        raise StorageError(f"There is no folder {folder}; needs data set '{name}' or its parent.")
    if any((folder / part).exists() for part in entry.holds):
        return folder
    if (folder / name).is_dir():
        return folder / name
    if entry.holds:
        raise StorageError(
            f"{folder} holds neither a folder '{name}' nor the data set itself; needs "
            f"{entry.facts.layout}; found {found_in(folder)}."
        )
    return folder
