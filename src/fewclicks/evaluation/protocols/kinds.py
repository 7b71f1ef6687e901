"""Several objects of one category: clicked one by one, together, or after an exemplar."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.datasets.exemplars import choose_exemplar, deepest_object, simulate_clicks
from fewclicks.datasets.kinds import Kind, KindsDataset, object_samples, union_sample
from fewclicks.errors import StorageError
from fewclicks.evaluation.protocols.guiding import GuidanceConfig
from fewclicks.evaluation.protocols.objects import MIDDLE, file_name
from fewclicks.evaluation.protocols.target import Beginning, Combination, Opening, Target
from fewclicks.images.masks import iou
from fewclicks.images.reading import read_mask
from fewclicks.methods.guidance import Exemplar, Guidance
from fewclicks.session.clicks_file import read_clicks
from fewclicks.session.session import Session

ExemplarSource: TypeAlias = Literal["none", "golden", "automatic"]
"""Where an exemplar comes from: the truth with simulated clicks, or clicks of the run itself."""

EXEMPLAR_SOURCES: Final[tuple[ExemplarSource, ...]] = get_args(ExemplarSource)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An exemplar, and what it took.

    Parameters
    ----------
    mask : (H, W)
        May be empty, where clicks found nothing.
    clicks
        All of them.
    ious
        With the whole kind, after each click that counts.
    click_seconds
        For all clicks together.
    """

    mask: BoolMask
    clicks: tuple[Click, ...]
    ious: tuple[float, ...] = ()
    click_seconds: float = 0.0


class KindTargets:
    """All objects of a kind as one target; without an exemplar, each by itself as well.

    Parameters
    ----------
    dataset
        Has kinds.
    exemplar
        Where one object of each kind comes from; which one, `GuidanceConfig.shown` says.
    counts_exemplar
        Whether its clicks count: ``collective``. If not, an exemplar is given for nothing, and
        only further clicks count: ``additional``.
    takes_exemplar
        Whether the method does; to another, an exemplar is a mask to go on from.
    seed
        Of the choice, and of simulated clicks.
    config
        How exemplars are made and passed on.

    Raises
    ------
    StorageError
        If there is no folder of real exemplars where they are wanted.

    References
    ----------
    .. [1] iCMFormer++, section 4.4.2.
    """

    def __init__(
        self,
        dataset: KindsDataset,
        *,
        exemplar: ExemplarSource,
        counts_exemplar: bool,
        takes_exemplar: bool,
        seed: int,
        config: GuidanceConfig,
    ) -> None:
        if config.real and not Path(config.real).is_dir():
            raise StorageError(
                f"There is no folder {config.real}; needs <kind>.png and .json files."
            )
        self._dataset = dataset
        self._exemplar = exemplar
        self._counts = counts_exemplar
        self._takes = takes_exemplar
        self._seed = seed
        self._config = config

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the pictures, sorted."""
        return self._dataset.pictures

    def targets(self, picture: str) -> list[Target]:
        """Each kind, followed by its objects where they are clicked one by one."""
        targets = []
        for kind in self._dataset.kinds(picture):
            targets.append(self._whole(kind))
            if self._exemplar == "none" and self._counts:
                targets += [
                    Target(sample=sample, part_of=kind.id) for sample in object_samples(kind)
                ]
        return targets

    def skipped(self, _picture: str) -> list[Combination]:
        """Nothing is."""
        return []

    def files(self, picture: str) -> list[Path]:
        """Name the picture's own files, and those of exemplars that people made."""
        files = self._dataset.files(picture)
        if self._config.real:
            for kind in self._dataset.kinds(picture):
                files += _real_files(kind, Path(self._config.real))
        return files

    def _whole(self, kind: Kind) -> Target:
        without = None if kind.exemplar_is_asked or self._counts else self._choose(kind)
        sample = union_sample(kind, without=without)
        objects = len(kind.names) - (without is not None)
        if self._exemplar == "none":
            return Target(sample=sample, objects=objects)
        begin = partial(self._begin, kind, without)
        return Target(sample=sample, begin=begin, objects=objects)

    def _choose(self, kind: Kind) -> int:
        if not self._config.real:
            is_random = self._config.shown == "random"
            return choose_exemplar(kind, self._seed) if is_random else deepest_object(kind)
        shown = read_real(kind, Path(self._config.real)).mask
        return int(np.argmax([np.count_nonzero(mask & shown) for mask in kind.masks]))

    def _begin(self, kind: Kind, without: int | None, opening: Opening) -> Beginning:
        number = self._choose(kind) if without is None else without
        found = self._find(kind, number, opening)
        clicks, seconds = (found.clicks, found.click_seconds) if self._counts else ((), 0.0)
        ious = found.ious if self._counts else ()
        session = self._show(kind, found, without is not None, opening)
        return Beginning(session=session, clicks=clicks, ious=ious, click_seconds=seconds)

    def _find(self, kind: Kind, number: int, opening: Opening) -> Found:
        if self._exemplar == "automatic":
            return segment_exemplar(kind, number, opening, self._config)
        if self._config.real:
            return read_real(kind, Path(self._config.real))
        others = kind.union & ~kind.masks[number]
        clicks = simulate_clicks(
            kind.masks[number], others=others, name=kind.names[number], seed=self._seed
        )
        return Found(mask=kind.masks[number], clicks=clicks)

    def _show(self, kind: Kind, found: Found, keeps_off: bool, opening: Opening) -> Session:
        """Sit down with the exemplar at hand, and have the others proposed."""
        if not found.mask.any():
            return opening.session()
        excluded = found.mask if keeps_off else None
        if not self._takes:
            guidance = None if excluded is None else Guidance(excluded=excluded)
            return opening.session(guidance, initial_mask=None if keeps_off else found.mask)
        exemplar = Exemplar(mask=found.mask, clicks=passed_on(found.clicks, kind, self._config))
        prepared = opening.guided(Guidance(excluded=excluded, exemplar=exemplar))
        shown = found.mask
        if self._config.first_answer == "proposal":
            shown = opening.method.predict(prepared, ()).mask
        return Session(opening.method, prepared, initial_mask=shown if shown.any() else None)


def read_real(kind: Kind, folder: Path) -> Found:
    """Read an exemplar that a person made.

    Raises
    ------
    StorageError, ShapeError, InputError
        If one of its files is missing, of another size, or no clicks.
    """
    mask, clicks = _real_files(kind, folder)
    shape = kind.image.shape[:2]
    return Found(
        mask=read_mask(mask, shape=(shape[0], shape[1]), threshold=MIDDLE),
        clicks=tuple(read_clicks(clicks, picture=kind.picture)),
    )


def _real_files(kind: Kind, folder: Path) -> tuple[Path, Path]:
    name = file_name(kind.id)
    return folder / f"{name}.png", folder / f"{name}.json"


def segment_exemplar(kind: Kind, number: int, opening: Opening, config: GuidanceConfig) -> Found:
    """Click one object of a kind, as somebody does who has not said that there are more.

    At most `GuidanceConfig.most_clicks` clicks; one that gains less than
    `GuidanceConfig.least_gain` is the last, and counts.
    """
    truth, void = kind.masks[number], kind.void_mask
    session = opening.session()
    ious: list[float] = []
    own = seconds = 0.0
    while len(ious) < min(config.most_clicks, opening.max_clicks):
        click = opening.user.next_click(
            truth, session.mask, void=void, clicked=session.clicks, object_id=kind.names[number]
        )
        if click is None:
            break
        asked = time.perf_counter()
        session.click(click.x, click.y, is_positive=click.is_positive)
        seconds += time.perf_counter() - asked
        ious.append(iou(session.mask, kind.union, void=kind.union_void_mask))
        before, own = own, iou(session.mask, truth, void=void)
        if own - before < config.least_gain or own >= config.satisfied:
            break
    return Found(mask=session.mask, clicks=session.clicks, ious=tuple(ious), click_seconds=seconds)


def passed_on(clicks: tuple[Click, ...], kind: Kind, config: GuidanceConfig) -> tuple[Click, ...]:
    """Choose which clicks on an exemplar the method is told of.

    Negative ones on others of the kind said "not this one", which is no longer meant.

    References
    ----------
    .. [1] iCMFormer++, section 3.5, and Table 7.
    """
    positive = [click for click in clicks if click.is_positive]
    if config.positives == "first":
        positive = positive[:1]
    union = kind.union
    return tuple(
        click
        for click in clicks
        if (click in positive if click.is_positive else _is_kept(click, union, config.negatives))
    )


def _is_kept(click: Click, union: BoolMask, negatives: str) -> bool:
    return negatives == "all" or (negatives == "true" and not union[click.y, click.x])
