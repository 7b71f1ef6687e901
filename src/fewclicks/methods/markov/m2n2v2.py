"""M2N2V2: M2N2 guided by depth, whose answers may not change more than a click means them to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.backbones.base import Backbone, Depth, DepthSource
from fewclicks.backbones.mirror import mirrored_depth
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.resizing import resize_map, resize_mask
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.markov.depth_fit import depth_fit
from fewclicks.methods.markov.guide import Guide
from fewclicks.methods.markov.m2n2 import (
    M2N2,
    M2N2Config,
    M2N2Prepared,
    finish,
    nothing_clicked,
)
from fewclicks.methods.markov.nearest_neighbour import NearestNeighbour
from fewclicks.methods.markov.threshold import Scores
from fewclicks.methods.one_thread import on_one_thread


@dataclass(frozen=True, kw_only=True, slots=True)
class M2N2V2Config(M2N2Config):
    """The published settings: those of M2N2, and the following.

    Parameters
    ----------
    guided_upsampling, guided_flood_fill
        Whether depth, where there is one, has a say in either.
    weigh_depth
        Whether depth says the less the worse its edges fit the picture's; not published.
    adaptive_score
        Whether the threshold looks at how much the whole answer changes, instead of at the
        segment's area alone (the prior score).
    adaptive_reach
        How many times as wide as its distance to its class a click's change may be, above 0.
    leave_out
        Whether a click that changes the answer by more is kept from the older clicks' scores.
    flip
        Whether attention, and depth from the method's own source, are means over the picture and
        its mirror image; twice the work.
    """

    guided_upsampling: bool = True
    guided_flood_fill: bool = True
    weigh_depth: bool = False
    adaptive_score: bool = True
    adaptive_reach: float = 6.0
    leave_out: bool = True
    flip: bool = True

    def __post_init__(self) -> None:
        M2N2Config.__post_init__(self)
        if not self.adaptive_reach > 0:
            raise InputError(f"adaptive_reach is {self.adaptive_reach}; needs a number above 0.")

    @property
    def scores(self) -> Scores:
        """What the threshold looks at besides the adaptive score, which takes the prior's place."""
        scores = super(M2N2V2Config, self).scores
        # A limit that every candidate keeps, so that there are candidates whatever is switched off.
        return replace(scores, prior=True, max_segment_area=1.0) if self.adaptive_score else scores


@dataclass(frozen=True, slots=True)
class ClickRecord:
    """What was known when a click came, and what it led to.

    Parameters
    ----------
    click
        In pixels of the picture.
    area_before
        Of the answer before it, in pixels.
    limit
        How many pixels it may change; infinite where nothing had its class yet.
    threshold
        How far it reaches on its map, in the newest answer.
    is_left_out
        Whether older clicks do not see it.
    """

    click: Click
    area_before: int
    limit: float
    threshold: float = math.nan
    is_left_out: bool = False


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The clicks so far, each with its moment: the state of a prediction."""

    records: tuple[ClickRecord, ...]

    def begins(self, clicks: Sequence[Click]) -> bool:
        """Whether these clicks are its own, or go on from them."""
        own = [record.click for record in self.records]
        return own == list(clicks[: len(own)])


class M2N2V2(M2N2):
    """Markov-map nearest neighbour with depth and a sense of what a click is meant to change.

    Parameters
    ----------
    backbone
        Whose attention the walk follows; ``"none"`` leaves depth alone.
    config
        The published settings if left out.
    depth
        Where depth comes from; without one, and where guidance has none, colour alone guides.

    Notes
    -----
    A click is answered as a step from the answer before it. Several clicks at once, without a
    previous answer, are answered one after another, which gives what clicking them gives.

    References
    ----------
    .. [1] Karmann et al., "M2N2V2: Multi-Modal Unsupervised and Training-free Interactive
       Segmentation", 2025, arXiv:2503.16254.
    """

    config_type: ClassVar = M2N2V2Config
    config: M2N2V2Config

    def __init__(
        self,
        backbone: Backbone,
        config: M2N2V2Config | None = None,
        depth: DepthSource | None = None,
    ) -> None:
        super().__init__(backbone, config)
        self.depth = depth

    @on_one_thread
    def prepare(self, image: RgbImage) -> M2N2Prepared:
        """Look at the picture once: attention, depth, upsampling weights.

        Raises
        ------
        InputError
            If it is no (H, W, 3) uint8 picture.
        """
        tokens, guide = self._look(image)
        if self.depth is not None:
            seen = mirrored_depth if self.config.flip else _depth
            guide = replace(self._guided(guide, seen(self.depth, image).values), replaces=None)
        guide.collapse()
        return M2N2Prepared(image=image, tokens=tokens, guide=guide)

    def condition(self, prepared: M2N2Prepared, guidance: Guidance) -> M2N2Prepared:
        """Keep off excluded pixels, and follow a depth.

        What depends on a new depth is worked out at the next click.

        Raises
        ------
        ShapeError
            If an array is not of the picture's size.
        """
        guidance.check(prepared.shape, takes=["depth"])
        own = prepared.guide.origin
        guide = own if guidance.depth is None else self._guided(own, guidance.depth)
        return replace(prepared, excluded=guidance.excluded, depth=guidance.depth, guide=guide)

    @on_one_thread
    def predict(
        self, prepared: M2N2Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Give each pixel the class of its nearest click, or background if none is near.

        Parameters
        ----------
        previous
            The answer to all clicks but the newest, or to fewer. A person's mask stands for the
            answer before the newest click.

        Raises
        ------
        InputError
            If a click is outside the image.
        ShapeError
            If the previous mask is not of the image's size.
        """
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        if not clicks:
            return nothing_clicked(prepared)
        answer = self._begin(prepared, clicks, previous)
        records = _records(answer)
        if len(records) == len(clicks):  # they are known, but perhaps not what is excluded now
            return self._combine(prepared, records)
        for click in clicks[len(records) :]:
            answer = self._step(prepared, click, answer)
        return answer

    def thresholds(
        self, prepared: M2N2Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> list[float]:
        """How far each click reaches on its map."""
        return [record.threshold for record in _records(self.predict(prepared, clicks, previous))]

    def _begin(
        self, prepared: M2N2Prepared, clicks: Sequence[Click], previous: Prediction | None
    ) -> Prediction:
        """Find the answer to go on from: the previous one, if it belongs to these clicks."""
        if previous is None:
            return nothing_clicked(prepared)
        shape = prepared.image.shape[:2]
        if previous.probability.shape != shape:
            raise ShapeError.differs(
                "previous", previous.probability.shape, needed=shape, of="the image"
            )
        if isinstance(previous.state, Dialogue) and previous.state.begins(clicks):
            return previous
        return replace(previous, state=self.predict(prepared, clicks[:-1]).state)

    def _step(self, prepared: M2N2Prepared, click: Click, before: Prediction) -> Prediction:
        """Answer one more click, and see to it that it does not turn the older ones round."""
        mask = before.mask
        record = ClickRecord(click, int(np.count_nonzero(mask)), self._limit(mask, click))
        records = (*_records(before), record)
        answer = self._combine(prepared, records)
        change = abs(int(np.count_nonzero(answer.mask)) - record.area_before)
        if self.config.leave_out and change > record.limit:
            records = (*records[:-1], replace(record, is_left_out=True))
            answer = self._combine(prepared, records)
        return answer

    def _limit(self, mask: BoolMask, click: Click) -> float:
        """How many pixels a click may change, seen from how deep in the other class it is."""
        same = mask == click.is_positive
        if not same.any():
            return math.inf
        down, right = (np.arange(extent, dtype=np.int64) for extent in mask.shape)
        squares = ((down - click.y) ** 2)[:, None] + (right - click.x) ** 2
        return math.pi * self.config.adaptive_reach**2 * float(squares[same].min())

    def _combine(self, prepared: M2N2Prepared, records: Sequence[ClickRecord]) -> Prediction:
        """Settle how far each click reaches, from old to new, and lay their maps together."""
        height, width = prepared.guide.height, prepared.guide.width
        excluded = prepared.excluded
        if excluded is not None:
            excluded = resize_mask(excluded, height=height, width=width)
        nearest = NearestNeighbour((height, width))
        settled: list[ClickRecord] = []
        for number, record in enumerate(records):
            click = record.click
            drawn = self.map_of(prepared, click)
            distances = drawn.distances
            threshold = click.level
            if threshold is None:
                newer = [other for other in records[number + 1 :] if not other.is_left_out]
                seen = [prepared.inside(one.click) for one in (*records[: number + 1], *newer)]
                candidates = self._candidates(drawn, click, seen)
                if self.config.adaptive_score and math.isfinite(record.limit):
                    areas = prepared.pixel_area * nearest.areas_with(
                        distances,
                        candidates.thresholds,
                        is_positive=click.is_positive,
                        excluded=excluded,
                    )
                    is_meant = np.abs(areas - record.area_before) < record.limit
                    candidates = replace(candidates, scores=candidates.scores * is_meant)
                threshold = candidates.best
            nearest.take(distances, threshold, is_positive=click.is_positive)
            settled.append(replace(record, threshold=threshold))
        probability = finish(prepared, nearest.probability, [one.click for one in records])
        return Prediction(probability=probability, state=Dialogue(tuple(settled)))

    def _guided(self, guide: Guide, depth: FloatMap) -> Guide:
        if self.config.weigh_depth:
            depth = resize_map(depth, height=guide.height, width=guide.width)
            depth = depth * np.float32(depth_fit(guide.colours, depth))
        return guide.along(
            depth,
            upsampling=self.config.guided_upsampling,
            flood=self.config.guided_flood_fill,
        )


def _depth(source: DepthSource, image: RgbImage) -> Depth:
    return source.depth(image)


def _records(answer: Prediction) -> tuple[ClickRecord, ...]:
    return answer.state.records if isinstance(answer.state, Dialogue) else ()
