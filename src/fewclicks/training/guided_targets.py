"""Guided targets: objects to learn that another object says something about.

Parts of an object, with the same parts of another one as the reference; and all objects of a
category, with one of them as the exemplar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np

from fewclicks.datasets.kinds import KindsDataset
from fewclicks.datasets.parts import PartedDataset, PartedObject, Partners
from fewclicks.errors import InputError
from fewclicks.methods.guidance import Reference
from fewclicks.training.target import Target, TargetSource, check_shares, open_below

_DRAWS: Final = 20  # of parts, until another object has them too


@dataclass(frozen=True, kw_only=True, slots=True)
class PartTargets:
    """Some parts of an object, and the same parts of another object of its class.

    Parameters
    ----------
    dataset, dataset_settings
        As for `fewclicks.datasets.registry.open_dataset`; its objects must have parts.
    folder
        Of the data set: a path, or a name below the folder of data sets.
    most_parts
        At most so many are drawn; 0 for all.
    single_probability
        That only one of the reference's two masks is given, either as often as the other.
    none_probability
        That there is no reference.
    share
        Of all targets, beside those of other sources.

    Notes
    -----
    From one part to `most_parts` are drawn, as often each number, again until another picture
    shows an object that has them too; where none is found there is no reference. The target is
    drawn the same whatever the probabilities of references are.

    References
    ----------
    .. [1] RefCut, sections 3.3 and 4.1 (arXiv:2503.17820). How often there is no reference, and
       which mask is left out, are ours.
    """

    kind: ClassVar[str] = "parts"
    dataset: str
    dataset_settings: Mapping[str, Any] = field(default_factory=dict)
    folder: str | None = None
    most_parts: int = 0
    single_probability: float = 0.25
    none_probability: float = 0.05
    share: float = 1.0

    def __post_init__(self) -> None:
        shares = (self.single_probability, self.none_probability)
        if min(shares) < 0 or sum(shares) > 1:
            raise InputError(
                f"single_probability and none_probability are {shares[0]} and {shares[1]}; both "
                "need 0 or more, at most 1 together."
            )
        if self.most_parts < 0:
            raise InputError(f"most_parts is {self.most_parts}; needs 0 or more.")
        check_shares(self.share)

    def open(self, data: str | None) -> TargetSource:
        """Find the pictures, and look through their objects for partners."""
        dataset = open_below(data, self.dataset, self.folder, self.dataset_settings)
        if not isinstance(dataset, PartedDataset):
            raise InputError(f"Objects of data set '{self.dataset}' have no parts; choose another.")
        return _Parts(self, dataset)


@dataclass(frozen=True, kw_only=True, slots=True)
class KindTargets:
    """All objects of a category in one picture, of which one is known already.

    Parameters
    ----------
    dataset, dataset_settings
        As for `fewclicks.datasets.registry.open_dataset`; its pictures must show several objects
        of one category.
    folder
        Of the data set: a path, or a name below the folder of data sets.
    none_probability
        That none is known.
    unclicked_probability
        That, where one is known, the others are to be found before the first click on them.
    true_negatives
        Whether the exemplar's negative clicks on the others are left out; they said "not this
        one", which is no longer meant.
    share
        Of all targets, beside those of other sources.

    References
    ----------
    .. [1] iCMFormer++, sections 3.5 and 4.1.2, Algorithm 1. Lessons without a click are ours.
    """

    kind: ClassVar[str] = "kinds"
    dataset: str
    dataset_settings: Mapping[str, Any] = field(default_factory=dict)
    folder: str | None = None
    none_probability: float = 0.0
    unclicked_probability: float = 0.0
    true_negatives: bool = True
    share: float = 1.0

    def __post_init__(self) -> None:
        for name in ("none_probability", "unclicked_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs 0 to 1.")
        check_shares(self.share)

    def open(self, data: str | None) -> TargetSource:
        """Find the pictures with several objects of one category."""
        dataset = open_below(data, self.dataset, self.folder, self.dataset_settings)
        if not isinstance(dataset, KindsDataset):
            raise InputError(
                f"Data set '{self.dataset}' knows no categories of its objects; choose another."
            )
        return _Kinds(self, dataset)


class _Parts:
    def __init__(self, settings: PartTargets, dataset: PartedDataset) -> None:
        self._settings, self._dataset = settings, dataset
        self._partners = Partners(dataset)

    @property
    def pictures(self) -> Sequence[str]:
        return self._dataset.pictures

    def draw(self, picture: str, chance: np.random.Generator) -> Target | None:
        # Its own, so that the target and its crop are the same with references and without.
        for_reference = chance.spawn(1)[0]
        objects = [each for each in self._dataset.parted(picture) if each.parts]
        if not objects:
            return None
        shown = objects[int(chance.integers(len(objects)))]
        most = min(self._settings.most_parts or len(shown.parts), len(shown.parts))
        for _ in range(_DRAWS):
            count = 1 + int(chance.integers(most))
            parts = [shown.parts[k] for k in chance.choice(len(shown.parts), count, replace=False)]
            partners = [
                each
                for each in self._partners.having(shown.category, parts)
                if each.picture != picture
            ]
            if partners:
                break
        others = shown.rest(parts)
        return Target(
            image=shown.image,
            parts=(shown.mask(parts),),
            others=others if others.any() else None,
            void=shown.void_mask,
            reference=self._refer(partners, parts, for_reference),
        )

    def _refer(
        self, partners: Sequence[PartedObject], parts: Sequence[str], chance: np.random.Generator
    ) -> Reference | None:
        none, single = self._settings.none_probability, self._settings.single_probability
        drawn = chance.random()
        if not partners or drawn < none:
            return None
        partner = partners[int(chance.integers(len(partners)))]
        masks = {"positive": partner.mask(parts), "negative": partner.rest(parts)}
        if drawn < none + single:
            del masks["positive" if chance.random() < 0.5 else "negative"]
        given = {name: mask for name, mask in masks.items() if mask.any()}
        return Reference(image=partner.image, **given) if given else None


class _Kinds:
    def __init__(self, settings: KindTargets, dataset: KindsDataset) -> None:
        self._settings, self._dataset = settings, dataset
        self._places = {
            kind.id: (picture, number)
            for picture in dataset.pictures
            for number, kind in enumerate(dataset.kinds(picture))
        }
        if not self._places:
            raise InputError(
                f"Data set '{settings.dataset}' has no picture with several objects of a category."
            )

    @cached_property
    def pictures(self) -> Sequence[str]:
        return tuple(self._places)

    def draw(self, picture: str, chance: np.random.Generator) -> Target | None:
        for_exemplar = chance.spawn(1)[0]
        named, number = self._places[picture]
        kind = self._dataset.kinds(named)[number]
        target = Target(image=kind.image, parts=(kind.union,), void=kind.union_void_mask)
        if for_exemplar.random() < self._settings.none_probability:
            return target
        return replace(
            target,
            exemplar=kind.masks[int(for_exemplar.integers(len(kind.masks)))],
            true_negatives=self._settings.true_negatives,
            is_clicked=bool(for_exemplar.random() >= self._settings.unclicked_probability),
        )
