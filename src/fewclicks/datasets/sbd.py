"""SBD: 11,355 pictures of VOC 2011, with objects and classes as label maps in MATLAB files.

The release holds ``img/<stem>.jpg``, ``inst/<stem>.mat`` (``GTinst``), ``cls/<stem>.mat``
(``GTcls``), and lists of stems, ``train.txt`` and ``val.txt``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import numpy as np

from fewclicks.arrays import BoolMask, LabelMap
from fewclicks.datasets.base import Masks, Sample
from fewclicks.datasets.folder import objects_of, split_label
from fewclicks.datasets.layout import check_folder, read_names
from fewclicks.datasets.matlab import matlab_file
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.images.reading import read_image

_MASKS: Final = {"instances": ("inst", "GTinst"), "classes": ("cls", "GTcls")}


@dataclass(frozen=True, kw_only=True, slots=True)
class SbdConfig:
    """Which pictures, and which masks.

    Parameters
    ----------
    split
        ``"val"`` or ``"train"``: the list of pictures.
    masks
        ``"instances"``: each object by itself. ``"classes"``: all objects of a class as one.
    min_fill
        Masks that fill a smaller share of their bounding box are left out; 0.08 for training, none
        where it is measured.
    """

    split: str = "val"
    masks: str = "instances"
    min_fill: float = 0.0

    def __post_init__(self) -> None:
        if self.masks not in _MASKS:
            raise InputError(f"masks is '{self.masks}'; needs 'instances' or 'classes'.")
        if not 0 <= self.min_fill < 1:
            raise InputError(f"min_fill is {self.min_fill}; needs a share, 0 to below 1.")


class SbdDataset:
    """Objects of 20 classes.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``img``, ``inst`` or ``cls``, and the lists.
    config
        Which pictures, and which masks.

    Raises
    ------
    StorageError
        If a folder or the list is missing.
    InputError
        If the list names no picture.

    References
    ----------
    .. [1] Hariharan et al., "Semantic contours from inverse detectors", ICCV 2011. The least share
       of the box is that of RITM's training (arXiv:2102.06583, in its code).
    """

    config_type = SbdConfig

    def __init__(self, name: str, folder: Path, config: SbdConfig | None = None) -> None:
        self.name = name
        self.config = config or SbdConfig()
        part, self._variable = _MASKS[self.config.masks]
        self._images, self._masks = folder / "img", folder / part
        for each in (self._images, self._masks):
            check_folder(each, f"img/<stem>.jpg beside {part}/<stem>.mat, and lists of stems")
        self._list = folder / f"{self.config.split}.txt"
        self._known: dict[str, list[int]] = {}

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems of the list, sorted."""
        names = tuple(sorted(set(read_names(self._list))))
        if not names:
            raise InputError(f"{self._list} names no picture.")
        return names

    def files(self, picture: str) -> list[Path]:
        """Name the picture and its masks."""
        return [self._images / f"{picture}.jpg", self._masks / f"{picture}.mat"]

    def samples(self, picture: str) -> list[Sample]:
        """Objects, or classes, called ``picture:label``, in the order of the labels."""
        image, masks = self.files(picture)
        if picture not in self._known:
            labels = self._read(masks)
            self._known[picture] = [
                label
                for label in objects_of(labels, voids=[])
                if self.config.min_fill == 0 or _fill(labels == label) >= self.config.min_fill
            ]
        return [
            Sample(
                id=f"{picture}:{label}",
                picture=picture,
                load_image=partial(read_image, image),
                load_masks=partial(self._load, masks, label),
            )
            for label in self._known[picture]
        ]

    def _load(self, path: Path, label: int, shape: tuple[int, int]) -> Masks:
        labels = self._read(path)
        if labels.shape != shape:
            raise ShapeError.differs(f"{path}", labels.shape, needed=shape, of="its picture")
        return split_label(labels, label, voids=[])

    def _read(self, path: Path) -> LabelMap:
        with matlab_file(path, "annotation of SBD") as content:
            labels = np.asarray(content[self._variable]["Segmentation"])
            if labels.ndim != 2 or labels.dtype.kind not in "iu":
                raise InputError(f"{path} holds no map of labels.")
            return labels.astype(np.int32)


def _fill(mask: BoolMask) -> float:
    return float(Box.around(mask).crop(mask).mean())
