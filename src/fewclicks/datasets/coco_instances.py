"""Any data set in COCO's form: each annotation is an object, as polygons or run lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from fewclicks.datasets.base import Masks, Sample, check_min_area
from fewclicks.datasets.coco_file import CocoFile, draw, is_object
from fewclicks.datasets.layout import check_folder


@dataclass(frozen=True, kw_only=True, slots=True)
class CocoInstancesConfig:
    """Where annotations and pictures lie, and which objects count.

    Parameters
    ----------
    annotations
        File with ``images``, ``annotations`` and ``categories``, from the data set's folder.
    images
        Folder that the names of pictures in it start from.
    min_area
        In pixels, as the file says: smaller objects are left out.
    """

    annotations: str = "annotations.json"
    images: str = "images"
    min_area: float = 0.0

    def __post_init__(self) -> None:
        check_min_area(self.min_area, least=0)


class CocoInstancesDataset:
    """Objects one by one; crowds are void.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds the annotations and the folder of pictures.
    config
        Where they lie, and which objects count.

    Raises
    ------
    StorageError
        If the annotations or the pictures are not there.
    InputError
        If the annotations are not of COCO's form.
    """

    config_type = CocoInstancesConfig

    def __init__(self, name: str, folder: Path, config: CocoInstancesConfig | None = None) -> None:
        self.name = name
        self.config = config or CocoInstancesConfig()
        self._images = folder / self.config.images
        check_folder(self._images, f"{self.config.images}/* beside {self.config.annotations}")
        self._file = CocoFile(folder / self.config.annotations)

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems of the pictures with an object, sorted."""
        return tuple(stem for stem in self._file.stems if self._objects(stem))

    def files(self, picture: str) -> list[Path]:
        """Name the picture and the annotations."""
        return [self._path(picture), self._file.path]

    def samples(self, picture: str) -> list[Sample]:
        """Objects in the order of the file, called ``picture:id``."""
        crowds = [each for each in self._file.annotations(picture) if each.get("iscrowd")]
        return [
            Sample(
                id=f"{picture}:{each['id']}",
                picture=picture,
                load_image=self._file.loader(picture, self._path(picture)),
                load_masks=partial(_masks, self._file.path, each, crowds),
            )
            for each in self._objects(picture)
        ]

    def _objects(self, picture: str) -> list[Mapping[str, Any]]:
        return [
            each
            for each in self._file.annotations(picture)
            if is_object(each, min_area=self.config.min_area)
        ]

    def _path(self, picture: str) -> Path:
        return self._images / self._file.file_name(picture)


def _masks(
    file: Path,
    annotation: Mapping[str, Any],
    crowds: Sequence[Mapping[str, Any]],
    shape: tuple[int, int],
) -> Masks:
    on_object = draw(file, [annotation], shape)
    void_mask = draw(file, crowds, shape) & ~on_object if crowds else None
    return Masks(object_mask=on_object, void_mask=void_mask)
