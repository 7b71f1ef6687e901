"""Facts: where each data set comes from, under which terms, and how much there is of it.

What is not known here is left empty: a licence that was not read, a checksum that was not taken.
Every result names the files it was measured on by its ``data_sha256``, and ``fewclicks datasets
check`` prints the same number for a folder, so that two people can tell whether they have the same
data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of a data set as its usual settings take it.

    Parameters
    ----------
    home
        Page that it is had from.
    licence
        Terms of use; empty where they are not known here, so that its page has to be asked.
    pictures, objects, kinds
        How many there are; None where no count is known. Kinds are categories of which a picture
        shows several objects.
    layout
        How its files lie.
    reading
        What the click rules, or we, make of its masks.
    sha256
        The ``data_sha256`` of results on all of it; empty where it is not known here.
    """

    home: str = ""
    licence: str = ""
    pictures: int | None = None
    objects: int | None = None
    kinds: int | None = None
    layout: str = ""
    reading: str = ""
    sha256: str = ""


_PACKAGE: Final = "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/tag/v1.0"
_COCO: Final = "https://cocodataset.org"
_OF_COCO: Final = "annotations CC BY 4.0; pictures by Flickr's terms, each its own"
_BSDS: Final = "non-commercial research and education"
_VOC_LIST: Final = "ImageSets/Segmentation/val.txt"

FACTS: Final = {
    "grabcut": Facts(
        home=_PACKAGE,
        pictures=50,
        objects=50,
        layout="images/* beside masks/*, or data_GT/* beside boundary_GT/*",
        reading="128 is void; under rules m2n2 and random it is object",
    ),
    "berkeley": Facts(
        home=_PACKAGE,
        licence=_BSDS,
        pictures=100,
        objects=100,
        layout="images/* beside masks/*",
        reading="above 128 is object; 96 photographs, some under two names for two objects",
    ),
    "davis": Facts(
        home=f"{_PACKAGE} (345 frames); https://davischallenge.org (videos)",
        licence="CC BY 4.0 if not stated differently",
        pictures=345,
        objects=345,
        layout="images/* beside masks/*, img/* beside gt/*, or JPEGImages/480p/<video>/* beside "
        "Annotations/480p/<video>/*",
        reading="all objects of a frame as one; of videos all frames, or those of listed=FILE",
    ),
    "davis_dev": Facts(
        home=f"{_PACKAGE} (every third frame)",
        licence="CC BY 4.0 if not stated differently",
        pictures=115,
        objects=115,
        layout="images/* beside masks/*",
        reading="all objects of a frame as one",
    ),
    "hqseg44k": Facts(
        home="https://github.com/SysCV/sam-hq",
        pictures=1537,
        objects=1537,
        layout="DIS5K/DIS-VD/{im,gt}, thin_object_detection/ThinObject5K/{images,masks}_test, "
        "thin_object_detection/COIFT/{images,masks}, thin_object_detection/HRSOD/images and "
        "masks_max255; or images/* beside masks/*",
        reading="above 128 is object; under rules m2n2 and random at most 1024 pixels on the "
        "shorter side",
    ),
    "sbd": Facts(
        home="http://home.bharathh.info/pubs/codes/SBD/download.html",
        pictures=2857,
        objects=6671,
        layout="img/<stem>.jpg, inst/<stem>.mat, cls/<stem>.mat, val.txt, train.txt",
        reading="each instance, whatever its size; masks=classes for whole classes, as M2N2's "
        "release reads it",
    ),
    "pascal_voc": Facts(
        home="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
        pictures=1449,
        objects=3427,
        layout=f"JPEGImages/<stem>.jpg beside SegmentationObject/<stem>.png, {_VOC_LIST}",
        reading="255 is void, and 220, as it stands in masks that were made grey",
    ),
    "coco_mval": Facts(
        home=_PACKAGE,
        licence=_OF_COCO,
        pictures=800,
        objects=800,
        layout="img/* beside gt/*, or images/* beside masks/*",
        reading="one object a file",
    ),
    "plittersdorf": Facts(
        home="https://doi.org/10.3390/s22239082",
        pictures=50,
        objects=151,
        layout="test.json beside images/*",
        reading="each instance; crowds are void",
    ),
    "trashcan": Facts(
        home="https://hdl.handle.net/11299/214865",
        licence="academic teaching and research; else ask JAMSTEC",
        pictures=1147,
        objects=2588,
        layout="instance_version/instances_val_trashcan.json beside instance_version/val/*",
        reading="each instance; crowds are void",
    ),
    "dram": Facts(
        home="https://faculty.runi.ac.il/arik/site/artseg/Dram-Dataset.html",
        pictures=718,
        objects=1179,
        layout="test/<movement>/<artist>/*.jpg beside labels/<movement>/<artist>/*.png",
        reading="each class of a painting but the background; 255 is void",
    ),
    "oaizib": Facts(
        home="https://pubdata.zib.de (labels); https://nda.nih.gov/oai/ (scans)",
        pictures=150,
        objects=150,
        layout="segmentation/segmentation_masks/<scan>.segmentation_masks.mhd beside "
        "images/<scan>.nii.gz|.mhd, which the scans have to be turned into",
        reading="one sagittal slice a scan, that with most of the object; all labels are one",
    ),
    "brats": Facts(
        home="https://www.med.upenn.edu/cbica/brats2020/data.html",
        pictures=369,
        objects=369,
        layout="<scan>/<scan>_flair.nii.gz beside <scan>/<scan>_seg.nii.gz",
        reading="one axial slice a scan, that with most of the tumour; all labels are one",
    ),
    "partimagenet": Facts(
        home="https://github.com/TACJu/PartImageNet",
        licence="CC BY 4.0, as RefCut has it; pictures of ImageNet",
        pictures=2408,
        layout="images/<split>/*.JPEG, annotations/<split>/<split>.json and *.png",
        reading="14,495 targets under protocol combination",
    ),
    "pascal_part": Facts(
        home="https://roozbehm.info/pascal-parts/pascal-parts.html",
        licence="CC BY 4.0, as RefCut has it; pictures of VOC 2010",
        layout="Annotations_Part/<stem>.mat, JPEGImages/<stem>.jpg, lists of stems",
        reading="106,699 targets under protocol combination",
    ),
    "tda": Facts(
        home="https://www.lin-zheng.com/refcut",
        pictures=400,
        objects=400,
        layout="TDA-PD/<category>/<stem>.jpg beside <stem>.png, and TDA-OD likewise",
        reading="1,336 targets under protocol combination",
    ),
    "coco_mois": Facts(
        home=_COCO,
        licence=_OF_COCO,
        pictures=3249,
        kinds=4777,
        layout="val2017/*.jpg beside annotations/instances_val2017.json",
        reading="crowds are void",
    ),
    "him2k": Facts(
        home="https://github.com/nowsyn/InstMatt",
        pictures=320,
        objects=830,
        kinds=320,
        layout="images/natural/<stem>.jpg, alphas/natural/<stem>/00.png ...",
        reading="a person is where the matte is above the middle",
    ),
    "carparts": Facts(
        home="https://github.com/dsmlr/Car-Parts-Segmentation",
        pictures=500,
        objects=3884,
        layout="images/*, masks/* and instances.json",
        reading="each part of a car",
    ),
    "coco_tiny": Facts(
        home=_COCO,
        licence=_OF_COCO,
        pictures=352,
        layout="images/*, masks/* and instances.json",
        reading="objects from 32x32 pixels on; crowds are void",
    ),
    "demonstration": Facts(
        home="comes with scikit-image and scikit-learn",
        licence="of each photograph: fewclicks demo names it",
        pictures=6,
        objects=12,
        layout="in the installed packages",
        reading="outlined by hand",
    ),
    "folder": Facts(layout="images/* beside masks/*, or places=IMAGES:MASKS"),
    "instances": Facts(layout="images/*, masks/* and instances.json"),
}
"""By the name of the data set."""
