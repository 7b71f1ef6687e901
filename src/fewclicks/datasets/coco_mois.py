"""COCO MOIS: several objects of one category on a picture of COCO 2017, built from its file.

One sample for each picture and category with two objects or more. The exemplar, one of them at
random, and its simulated clicks depend on a seed alone; see `fewclicks.datasets.exemplars`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from fewclicks.datasets.base import Sample, check_min_area
from fewclicks.datasets.coco_file import CocoFile, draw, is_object
from fewclicks.datasets.kinds import LEAST_OBJECTS, Kind, KindMasks, object_samples
from fewclicks.datasets.layout import check_folder


@dataclass(frozen=True, kw_only=True, slots=True)
class CocoMoisConfig:
    """Which pictures, and which objects count.

    Parameters
    ----------
    split
        ``"val2017"`` or ``"train2017"``.
    min_area
        In pixels, as the file says: smaller objects of a kind are void.
    """

    split: str = "val2017"
    min_area: float = 0.0

    def __post_init__(self) -> None:
        check_min_area(self.min_area, least=0)


class CocoMoisDataset:
    """Kinds on COCO's pictures.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``annotations/instances_<split>.json`` and ``<split>/*.jpg``, as COCO is released.
    config
        Which pictures, and which objects count.

    Raises
    ------
    StorageError
        If the annotations or the pictures are not there.
    InputError
        If the annotations are not of COCO's form.

    Notes
    -----
    A crowd is no object; of the category that is asked for it is void, of another background. An
    outline without a pixel is left out, and what is left must be two objects. Objects of a kind
    may overlap.

    References
    ----------
    .. [1] iCMFormer++, section 4.1.2 and algorithm 1 (arXiv:2406.11472): 4,777 samples of 3,249
       pictures of val2017, 111,362 of 76,110 of train2017.
    """

    config_type = CocoMoisConfig

    def __init__(self, name: str, folder: Path, config: CocoMoisConfig | None = None) -> None:
        self.name = name
        self.config = config or CocoMoisConfig()
        split = self.config.split
        self._images = folder / split
        check_folder(self._images, f"{split}/*.jpg beside annotations/instances_{split}.json")
        self._file = CocoFile(folder / "annotations" / f"instances_{split}.json")

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems of the pictures with a kind, sorted."""
        return tuple(stem for stem in self._file.stems if self._by_category(stem))

    def files(self, picture: str) -> list[Path]:
        """Name the picture and the annotations."""
        return [self._path(picture), self._file.path]

    def samples(self, picture: str) -> list[Sample]:
        """Objects of the kinds, one by one, called ``picture:id``."""
        return [sample for kind in self.kinds(picture) for sample in object_samples(kind)]

    def kinds(self, picture: str) -> list[Kind]:
        """Categories with two objects or more, by name."""
        crowds: dict[str, list[Mapping[str, Any]]] = {}
        for annotation in self._file.annotations(picture):
            if not self._counts(annotation):
                crowds.setdefault(self._name(annotation), []).append(annotation)
        return [
            Kind(
                id=f"{picture}:{category}",
                picture=picture,
                category=category,
                names=tuple(f"{picture}:{each['id']}" for each in objects),
                load_image=self._file.loader(picture, self._path(picture)),
                load_masks=partial(_masks, self._file.path, objects, crowds.get(category, [])),
            )
            for category, objects in sorted(self._by_category(picture).items())
        ]

    def _by_category(self, picture: str) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for annotation in self._file.annotations(picture):
            if self._counts(annotation):
                found.setdefault(self._name(annotation), []).append(annotation)
        return {name: each for name, each in found.items() if len(each) >= LEAST_OBJECTS}

    def _counts(self, annotation: Mapping[str, Any]) -> bool:
        return is_object(annotation, min_area=max(1.0, self.config.min_area))

    def _name(self, annotation: Mapping[str, Any]) -> str:
        return str(self._file.category(annotation)["name"])

    def _path(self, picture: str) -> Path:
        return self._images / self._file.file_name(picture)


def _masks(
    file: Path,
    objects: Sequence[Mapping[str, Any]],
    uncounted: Sequence[Mapping[str, Any]],
    shape: tuple[int, int],
) -> KindMasks:
    crowd = [each for each in uncounted if each.get("iscrowd")]
    small = [each for each in uncounted if not each.get("iscrowd")]
    return KindMasks(
        objects=tuple(draw(file, [each], shape) for each in objects),
        void_mask=draw(file, crowd, shape) if crowd else None,
        small_mask=draw(file, small, shape) if small else None,
    )
