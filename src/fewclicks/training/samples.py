"""Samples: what a network of clicks is shown, by its number alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.training.augmentation import Seen, augment
from fewclicks.training.chance import Purpose, chance_of
from fewclicks.training.click_sampling import sample_clicks
from fewclicks.training.lesson_guidance import (
    BatchGuidance,
    LessonGuidance,
    collate_guidance,
    see_exemplar,
    see_reference,
)
from fewclicks.training.plan import TrainingPlan
from fewclicks.training.target import Target, TargetSource

_TRIES: Final = 10  # cuts of one target
_DRAWS: Final = 100  # targets, before a training gives up


@dataclass(frozen=True, slots=True)
class Sample:
    """One lesson.

    Parameters
    ----------
    number
        Counts all lessons of a training, from 0.
    image : (3, h, w)
        RGB in [0, 1].
    target, judged : (1, h, w)
        1 on the object; 1 where it is known.
    clicks
        The first ones.
    guidance
        What is known besides; most lessons have none.
    """

    number: int
    image: Tensor
    target: Tensor
    judged: Tensor
    clicks: tuple[Click, ...]
    guidance: LessonGuidance = field(default_factory=LessonGuidance)


@dataclass(frozen=True, slots=True)
class Batch:
    """Several lessons: (b, ...) each."""

    numbers: tuple[int, ...]
    image: Tensor
    target: Tensor
    judged: Tensor
    clicks: tuple[tuple[Click, ...], ...]
    guidance: BatchGuidance


def collate(samples: Sequence[Sample]) -> Batch:
    """Put lessons into one batch; some may have guidance, others none."""
    image = torch.stack([each.image for each in samples])
    return Batch(
        numbers=tuple(each.number for each in samples),
        image=image,
        target=torch.stack([each.target for each in samples]),
        judged=torch.stack([each.judged for each in samples]),
        clicks=tuple(each.clicks for each in samples),
        guidance=collate_guidance([each.guidance for each in samples], image),
    )


class Samples:
    """All lessons of a training; lesson ``n`` is the same whoever asks for it, and when.

    Parameters
    ----------
    plan
        What is trained.
    sources
        Opened targets, by the names that the plan has for them.
    """

    def __init__(self, plan: TrainingPlan, sources: Mapping[str, TargetSource]) -> None:
        self._plan = plan
        self._sources = [sources[name] for name in plan.targets]
        shares = np.array([each.share for each in plan.targets.values()])
        self._shares: NDArray[np.float64] = shares / shares.sum()

    @property
    def pictures(self) -> int:
        """Of all sources."""
        return sum(len(source.pictures) for source in self._sources)

    def __getitem__(self, number: int) -> Sample:
        """Make a lesson.

        Raises
        ------
        InputError
            If no target of a hundred is large enough.
        """
        step, place = divmod(number, self._plan.run.batch)
        chance = chance_of(Purpose.TARGET, self._plan.run.seed, step, place)
        for draw in range(_DRAWS):
            target = self._draw(number, draw, chance)
            sample = None if target is None else self._cut(number, target, chance)
            if sample is not None:
                return sample
        raise InputError(
            f"None of {_DRAWS} targets has {self._plan.run.least_pixels} pixels in its crop; "
            "look at the targets, or lower run.least_pixels."
        )

    def _draw(self, number: int, draw: int, chance: np.random.Generator) -> Target | None:
        seed = self._plan.run.seed
        which = int(
            chance_of(Purpose.SOURCE, seed, number).choice(len(self._shares), p=self._shares)
        )
        source = self._sources[which]
        pictures = source.pictures
        if draw == 0:
            # Each picture has its turn once before any has another.
            epoch, index = divmod(number, len(pictures))
            index = int(_order(len(pictures), seed, which, epoch)[index])
        else:
            index = int(chance.integers(len(pictures)))
        return source.draw(pictures[index], chance)

    def _cut(self, number: int, target: Target, chance: np.random.Generator) -> Sample | None:
        known = {"others": target.others, "exemplar": target.exemplar, "void": target.void}
        there = {name: mask for name, mask in known.items() if mask is not None}
        layers = np.stack([*target.parts, *there.values()])
        for _ in range(_TRIES):
            seen = augment(target.image, layers, chance, self._plan.augmentation)
            parts = [seen.masks[k] for k in range(len(target.parts))]
            named = dict(zip(there, seen.masks[len(parts) :], strict=True))
            needed = [*parts, named["exemplar"]] if "exemplar" in named else parts
            if all(each.sum() >= self._plan.run.least_pixels for each in needed):
                break
        else:
            return None
        clicks = sample_clicks(parts, chance, self._plan.clicks, others=named.get("others"))
        whole = np.logical_or.reduce(parts)
        void = named.get("void", np.zeros_like(whole))
        return Sample(
            number=number,
            image=seen.image,
            target=torch.from_numpy(whole[None]).float(),
            judged=torch.from_numpy(~void[None]).float(),
            clicks=tuple(clicks) if target.is_clicked else (),
            guidance=self._guide(number, target, seen, whole, named.get("exemplar")),
        )

    def _guide(
        self, number: int, target: Target, seen: Seen, whole: BoolMask, exemplar: BoolMask | None
    ) -> LessonGuidance:
        # Its own chance, so that lessons are cut and clicked the same without guidance.
        chance = chance_of(Purpose.GUIDANCE, self._plan.run.seed, number)
        reference, shown = None, None
        if target.reference is not None:
            reference = see_reference(
                target.reference,
                chance,
                self._plan.augmentation,
                is_mirrored=seen.is_mirrored,
            )
        if exemplar is not None:
            shown = see_exemplar(
                exemplar, whole & ~exemplar, chance, true_negatives=target.true_negatives
            )
        return LessonGuidance(reference=reference, exemplar=shown)


@lru_cache(maxsize=8)
def _order(count: int, seed: int, source: int, epoch: int) -> NDArray[np.int64]:
    return chance_of(Purpose.ORDER, seed, source, epoch).permutation(count)
