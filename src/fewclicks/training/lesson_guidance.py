"""Lesson guidance: what a lesson makes known besides clicks, and how a network is told of it.

Lessons with references, with an exemplar and with neither may share a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.datasets.exemplars import simulate_clicks
from fewclicks.methods.guidance import Reference
from fewclicks.methods.transformer.click_maps import click_disks
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.methods.transformer.refcut_network import References
from fewclicks.training.augmentation import Augmentation, augment_whole


@dataclass(frozen=True, slots=True)
class SeenReference:
    """Another picture, as the network sees it.

    Parameters
    ----------
    image : (3, h, w)
        RGB in [0, 1].
    masks : (2, h, w)
        What is meant, and what is not, in [0, 1].
    """

    image: Tensor
    masks: Tensor


@dataclass(frozen=True, slots=True)
class SeenExemplar:
    """One object of several, as the crop shows it.

    Parameters
    ----------
    mask : (1, h, w)
        1 on the object.
    clicks
        As somebody may have found it.
    """

    mask: Tensor
    clicks: tuple[Click, ...]


@dataclass(frozen=True, slots=True)
class LessonGuidance:
    """What one lesson makes known; nothing by default."""

    reference: SeenReference | None = None
    exemplar: SeenExemplar | None = None


@dataclass(frozen=True, slots=True)
class BatchGuidance:
    """What the lessons of a batch make known.

    Parameters
    ----------
    references
        As many as there are, each with the place of its lesson.
    exemplars : (b, 1, h, w)
        1 on the exemplar of each lesson; all 0 without one.
    exemplar_clicks
        Of each lesson.
    """

    references: References
    exemplars: Tensor
    exemplar_clicks: tuple[tuple[Click, ...], ...]

    def told(self, network: ClickNetwork) -> tuple[Any, ...]:
        """Give what a network takes besides picture and clicks, as its ``forward`` has it."""
        if network.takes == "references":
            return (self.references,)
        if network.takes == "exemplar":
            clicks = [network.config.shown(each) for each in self.exemplar_clicks]
            height, width = self.exemplars.shape[2:]
            disks = click_disks(clicks, (height, width))
            return (torch.cat([self.exemplars, torch.from_numpy(disks).to(self.exemplars)], 1),)
        return ()

    def moved(self, fabric: Any) -> BatchGuidance:
        """Bring it to the device of the network."""
        return BatchGuidance(
            references=References(*(fabric.to_device(each) for each in self.references)),
            exemplars=fabric.to_device(self.exemplars),
            exemplar_clicks=self.exemplar_clicks,
        )


def see_reference(
    reference: Reference,
    chance: np.random.Generator,
    augmentation: Augmentation,
    *,
    is_mirrored: bool,
) -> SeenReference:
    """Look at a reference, whole; mirrored where the picture is, so that left stays left."""
    empty = np.zeros(reference.image.shape[:2], dtype=bool)
    masks = [empty if each is None else each for each in (reference.positive, reference.negative)]
    image, shares = augment_whole(
        reference.image, np.stack(masks), chance, augmentation, is_mirrored=is_mirrored
    )
    return SeenReference(image, shares)


def see_exemplar(
    mask: BoolMask, others: BoolMask, chance: np.random.Generator, *, true_negatives: bool
) -> SeenExemplar:
    """Click an exemplar as somebody may have found it.

    Parameters
    ----------
    mask, others : (h, w)
        The object, and the others of its kind, as the crop shows them.
    true_negatives
        Whether negative clicks on the others are left out.
    """
    clicks = simulate_clicks(mask, others=others, seed=int(chance.integers(2**31)))
    if true_negatives:
        clicks = tuple(each for each in clicks if each.is_positive or not others[each.y, each.x])
    return SeenExemplar(mask=torch.from_numpy(mask[None]).float(), clicks=clicks)


def collate_guidance(lessons: Sequence[LessonGuidance], image: Tensor) -> BatchGuidance:
    """Put the guidance of lessons together; ``image`` is theirs, (b, 3, h, w)."""
    referring = [(k, each.reference) for k, each in enumerate(lessons) if each.reference]
    pictures = [each.image for _, each in referring]
    masks = [each.masks for _, each in referring]
    height, width = image.shape[2:]
    exemplars = image.new_zeros(len(lessons), 1, height, width)
    for k, each in enumerate(lessons):
        if each.exemplar is not None:
            exemplars[k] = each.exemplar.mask
    return BatchGuidance(
        references=References(
            image=torch.stack(pictures) if pictures else image.new_zeros(0, 3, height, width),
            masks=torch.stack(masks) if masks else image.new_zeros(0, 2, height, width),
            of=torch.tensor([k for k, _ in referring], dtype=torch.int64),
        ),
        exemplars=exemplars,
        exemplar_clicks=tuple(
            () if each.exemplar is None else each.exemplar.clicks for each in lessons
        ),
    )
