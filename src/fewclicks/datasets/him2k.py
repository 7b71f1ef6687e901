"""HIM2K: people on photographs, each with an alpha matte of its own.

The release holds ``images/<subset>/<stem>.jpg`` and ``alphas/<subset>/<stem>/00.png``, ``01.png``,
one matte for each person; subsets are ``natural`` (320 pictures, 830 people) and ``comp``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from fewclicks.datasets.base import Sample
from fewclicks.datasets.kinds import LEAST_OBJECTS, Kind, KindMasks, object_samples
from fewclicks.datasets.layout import check_folder
from fewclicks.errors import InputError
from fewclicks.images.folders import IMAGE_SUFFIXES
from fewclicks.images.reading import read_image, read_mask

_PERSON: Final = "person"


@dataclass(frozen=True, kw_only=True, slots=True)
class Him2kConfig:
    """Which subset, and where a matte is a person.

    Parameters
    ----------
    subset
        ``"natural"`` or ``"comp"``.
    threshold
        A person is where the matte is above it, on a scale to 255.
    """

    subset: str = "natural"
    threshold: int = 127

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 255:
            raise InputError(f"threshold is {self.threshold}; needs a matte's value, 0 to 254.")


class Him2kDataset:
    """Pictures of two people or more, each picture one kind.

    Where an exemplar is given for nothing, the other people are asked for.

    Parameters
    ----------
    name
        Of the data set, for results.
    folder
        Holds ``images`` and ``alphas``.
    config
        Which subset, and where a matte is a person.

    Raises
    ------
    StorageError
        If a folder is missing.
    InputError
        If a picture has no mattes.

    References
    ----------
    .. [1] Sun et al., "Human Instance Matting via Mutual Guidance and Multi-Instance Refinement",
       CVPR 2022; the rule of the exemplar is that of iCMFormer++, section 4.1.1.
    """

    config_type = Him2kConfig

    def __init__(self, name: str, folder: Path, config: Him2kConfig | None = None) -> None:
        self.name = name
        self.config = config or Him2kConfig()
        subset = self.config.subset
        images, alphas = folder / "images" / subset, folder / "alphas" / subset
        for part in (images, alphas):
            check_folder(part, f"images/{subset}/<stem>.jpg beside alphas/{subset}/<stem>/00.png")
        self._images = {
            path.stem: path
            for path in sorted(images.iterdir())
            if path.suffix.lower() in IMAGE_SUFFIXES
        }
        self._mattes = {stem: sorted((alphas / stem).glob("*.png")) for stem in self._images}
        empty = [stem for stem, mattes in self._mattes.items() if not mattes]
        if empty or not self._images:
            missing = f"picture '{empty[0]}' has no matte" if empty else "there is no picture"
            raise InputError(f"In {folder}, {missing}; needs alphas/{subset}/<stem>/00.png.")

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Stems of the pictures with two people or more, sorted."""
        return tuple(stem for stem, mattes in self._mattes.items() if len(mattes) >= LEAST_OBJECTS)

    def files(self, picture: str) -> list[Path]:
        """Name the picture and its mattes."""
        return [self._images[picture], *self._mattes[picture]]

    def samples(self, picture: str) -> list[Sample]:
        """Give the people one by one, called ``picture:matte``."""
        return object_samples(self.kinds(picture)[0])

    def kinds(self, picture: str) -> list[Kind]:
        """Give the people of a picture."""
        mattes = self._mattes[picture]
        return [
            Kind(
                id=f"{picture}:{_PERSON}",
                picture=picture,
                category=_PERSON,
                names=tuple(f"{picture}:{matte.stem}" for matte in mattes),
                load_image=partial(read_image, self._images[picture]),
                load_masks=partial(_masks, mattes, self.config.threshold),
                exemplar_is_asked=False,
            )
        ]


def _masks(mattes: Sequence[Path], threshold: int, shape: tuple[int, int]) -> KindMasks:
    return KindMasks(
        objects=tuple(read_mask(matte, shape=shape, threshold=threshold) for matte in mattes)
    )
