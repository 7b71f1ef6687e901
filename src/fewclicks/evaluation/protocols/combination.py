"""Combination: every part, every touching pair of parts, and the whole object, by a reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import cv2
import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.datasets.parts import PartedDataset, PartedObject, Partners, part_sample
from fewclicks.evaluation.protocols.guiding import (
    GuidanceConfig,
    polygon_through,
    shrunken,
    shrunken_mask,
)
from fewclicks.evaluation.protocols.target import Beginning, Combination, Opening, Target
from fewclicks.methods.guidance import Guidance, Reference

ReferenceMasks: TypeAlias = Literal["none", "positive", "negative", "both"]
"""Which masks of a reference are given."""

REFERENCE_MASKS: Final[tuple[ReferenceMasks, ...]] = get_args(ReferenceMasks)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Parts of one object that are asked for together."""

    parts: tuple[str, ...]
    combination: Combination

    def name(self, of: PartedObject) -> str:
        """Name the target within its data set."""
        return f"{of.id}:{'whole' if self.combination == 'whole' else '+'.join(self.parts)}"


def choose_parts(shown: PartedObject) -> list[Chosen]:
    """Say which parts of an object are asked for, alone and together.

    Returns
    -------
    list of Chosen
        Single parts by name, pairs whose masks overlap or touch (by a corner is enough), the
        whole object. A pair that is the whole object is asked for as that, the only part of an
        object as a single one: no mask is asked for twice.

    References
    ----------
    .. [1] RefCut, section 3.3.
    """
    chosen = [Chosen((part,), "single") for part in shown.parts]
    if len(shown.parts) > 2:
        chosen += [
            Chosen(pair, "pair")
            for pair in combinations(shown.parts, 2)
            if touch(shown.masks[pair[0]], shown.masks[pair[1]])
        ]
    if len(shown.parts) > 1:
        chosen.append(Chosen(shown.parts, "whole"))
    return chosen


def touch(one: BoolMask, other: BoolMask) -> bool:
    """Whether two masks overlap, or are neighbours by an edge or a corner."""
    grown = cv2.dilate(one.astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
    return bool((grown.astype(bool) & other).any())


_Partnered: TypeAlias = tuple[PartedObject, Chosen, PartedObject | None]


class CombinationTargets:
    """Combinations of parts, each with the reference that the protocol prescribes.

    Parameters
    ----------
    dataset
        Also gives the references: of the chosen pictures only, whatever subset is clicked.
    reference
        Which of its masks are given. The targets are the same for each, so that rows compare.
    config
        How they are degraded.
    """

    def __init__(
        self, dataset: PartedDataset, *, reference: ReferenceMasks, config: GuidanceConfig
    ) -> None:
        self._dataset = dataset
        self._reference = reference
        self._config = config
        self._last: tuple[str, list[_Partnered]] | None = None  # with its pixels, so only one

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the pictures, sorted."""
        return self._dataset.pictures

    @cached_property
    def _partners(self) -> Partners:
        return Partners(self._dataset)  # looks through all of it, so not before it is needed

    def targets(self, picture: str) -> list[Target]:
        """Give the combinations of which another file has all parts, object by object."""
        return [
            Target(
                sample=part_sample(shown, chosen.parts, name=chosen.name(shown)),
                begin=partial(self._begin, partner, chosen.parts),
                combination=chosen.combination,
            )
            for shown, chosen, partner in self._with_partners(picture)
            if partner is not None
        ]

    def skipped(self, picture: str) -> list[Combination]:
        """Give the combinations that no other file has."""
        found = self._with_partners(picture)
        return [chosen.combination for _, chosen, partner in found if partner is None]

    def files(self, picture: str) -> list[Path]:
        """Name the picture's files, and those of its references: without one none is a target."""
        partners = [partner for _, _, partner in self._with_partners(picture)]
        names = sorted({each.picture for each in partners if each is not None})
        files = [path for name in (picture, *names) for path in self._dataset.files(name)]
        return list(dict.fromkeys(files))

    def _with_partners(self, picture: str) -> list[_Partnered]:
        if self._last is None or self._last[0] != picture:
            found = [
                (shown, chosen, self._partners.after(shown, chosen.parts))
                for shown in self._dataset.parted(picture)
                for chosen in choose_parts(shown)
            ]
            self._last = picture, found
        return self._last[1]

    def _begin(self, partner: PartedObject, parts: tuple[str, ...], opening: Opening) -> Beginning:
        if self._reference == "none":
            return Beginning(session=opening.session())
        reference = make_reference(partner, parts, self._reference, self._config)
        guidance = None if reference is None else Guidance(references=(reference,))
        return Beginning(session=opening.session(guidance))


def make_reference(
    partner: PartedObject, parts: tuple[str, ...], given: ReferenceMasks, config: GuidanceConfig
) -> Reference | None:
    """Mark the parts on another picture; the rest of that object is what is not meant.

    Returns
    -------
    Reference or None
        None where none of the given masks has a pixel: nothing is left over of a whole object,
        or of a mask that was degraded too far.
    """
    marked: dict[str, BoolMask | None] = {"positive": None, "negative": None}
    if given in ("positive", "both"):
        marked["positive"] = _degraded(partner.mask(parts), config)
    if given in ("negative", "both"):
        marked["negative"] = _degraded(partner.rest(parts), config)
    if all(mask is None for mask in marked.values()):
        return None
    return Reference(image=shrunken(partner.image, config.reference_scale), **marked)


def _degraded(mask: BoolMask, config: GuidanceConfig) -> BoolMask | None:
    drawn = polygon_through(mask, config.polygon_interval)
    small = shrunken_mask(drawn, config.reference_scale)
    return small if small.any() else None
