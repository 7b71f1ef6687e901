"""Target: an object to learn on its picture, and what is made known of it besides clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.datasets.base import Dataset
from fewclicks.datasets.registry import open_dataset
from fewclicks.errors import InputError
from fewclicks.methods.guidance import Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An object to learn, on its picture.

    Parameters
    ----------
    image : (H, W, 3)
    parts : (H, W) each
        One object, or two that count as one.
    others, void : (H, W), optional
        The picture's other objects; pixels that are not judged.
    reference, optional
        Another picture, on which the same is marked.
    exemplar : (H, W), optional
        One of the objects that the target unites, which is known already.
    true_negatives
        Whether the exemplar's negative clicks on the others are left out.
    is_clicked
        False where the first clicks are left out, so that guidance alone says what is meant.
    """

    image: RgbImage
    parts: tuple[BoolMask, ...]
    others: BoolMask | None = None
    void: BoolMask | None = None
    reference: Reference | None = None
    exemplar: BoolMask | None = None
    true_negatives: bool = True
    is_clicked: bool = True


class TargetSource(Protocol):
    """Pictures in a fixed order, each good for many targets."""

    @property
    def pictures(self) -> Sequence[str]:
        """Their names; or of what else is drawn from as often as any other."""
        ...

    def draw(self, picture: str, chance: np.random.Generator) -> Target | None:
        """Draw an object of a picture; None where it has none."""
        ...


def open_below(
    data: str | None, dataset: str, folder: str | None, settings: Mapping[str, Any]
) -> Dataset:
    """Open a data set: in its own folder, or below the folder of data sets.

    Parameters
    ----------
    data
        Folder of data sets.
    dataset, settings
        As for `fewclicks.datasets.registry.open_dataset`.
    folder
        Of the data set: a path, or a name below ``data``; None where it has its own name.
    """
    place = data
    if folder is not None:
        below = Path(data or ".") / folder
        place = str(below if below.is_dir() else Path(folder).expanduser())
    return open_dataset(dataset, place, **{key: str(value) for key, value in settings.items()})


def check_shares(share: float, least_area: float = 0.0) -> None:
    """Refuse shares that are none.

    Raises
    ------
    InputError
        If a source would have no share of the targets, or all regions would be too small.
    """
    if not share > 0:
        raise InputError(f"share is {share}; needs a number above 0.")
    if not 0 <= least_area < 1:
        raise InputError(f"least_area is {least_area}; needs 0 up to 1.")
