"""M2N2: the nearest click, as a random walk over a frozen network's attention sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, get_args

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, FloatMatrix, RgbImage
from fewclicks.backbones.base import Attention, Backbone
from fewclicks.backbones.mirror import mirrored_attention
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError
from fewclicks.methods.base import Prediction, Prepared, check_image, exclude
from fewclicks.methods.energy.full_size import refine_at_full_size
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.maps import ClickMaps, Levels
from fewclicks.methods.markov.guide import ClickMap, Guide
from fewclicks.methods.markov.levels import offer_levels
from fewclicks.methods.markov.markov_map import Start, start_distribution
from fewclicks.methods.markov.nearest_neighbour import truncated_nearest_neighbour
from fewclicks.methods.markov.sinkhorn import sinkhorn, temper
from fewclicks.methods.markov.threshold import Scores, ThresholdCandidates
from fewclicks.methods.markov.token_maps import MarkovWalk, TokenMap
from fewclicks.methods.one_thread import on_one_thread

_SHORTEST_SIDE: Final = 1024  # of the picture that is worked on, as in the paper
_MOST_PIXELS: Final = 1 << 21  # of it too: each costs 128 bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class M2N2Config:
    """The published settings.

    Parameters
    ----------
    temperature
        Of the attention, above 0; lower is sharper, and the walk slower.
    sinkhorn_rounds, sinkhorn_tolerance
        When the doubly stochastic scaling stops: after so many rounds, or once no row or column
        sums to something further from 1.
    saturation
        Share in (0, 1) of the largest probability at which the walk has reached a token.
    max_steps
        Of the walk.
    start
        ``"splat"`` shares a click among the tokens around it, ``"one-hot"`` is the paper's text.
    sigma_space, sigma_range
        Of the upsampling, in tokens and in units of the picture's [0, 1].
    flood_fill
        Whether a click reaches only what is joined to it.
    max_segment_area
        Share in (0, 1] of the picture that one click may claim.
    prior_score, edge_score, same_class_score, other_class_score
        Whether the threshold looks at a segment's area, at the map's gradient along its border, at
        the clicks of the same class inside, at those of the other class inside.
    flip
        Whether the attention is the mean over the picture and its mirror image; twice the work.
    """

    temperature: float = 0.65
    sinkhorn_rounds: int = 200
    sinkhorn_tolerance: float = 1e-4
    saturation: float = 0.3
    max_steps: int = 1000
    start: Start = "splat"
    sigma_space: float = 1.0
    sigma_range: float = 0.1
    flood_fill: bool = True
    max_segment_area: float = 0.4
    prior_score: bool = True
    edge_score: bool = True
    same_class_score: bool = True
    other_class_score: bool = True
    flip: bool = False

    def __post_init__(self) -> None:
        for name in ("temperature", "sinkhorn_tolerance", "sigma_space", "sigma_range"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number above 0.")
        for name in ("sinkhorn_rounds", "max_steps"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least 1.")
        if not 0 < self.saturation < 1:
            raise InputError(f"saturation is {self.saturation}; needs a number between 0 and 1.")
        if not 0 < self.max_segment_area <= 1:
            raise InputError(
                f"max_segment_area is {self.max_segment_area}; needs a share above 0, at most 1."
            )
        if self.start not in get_args(Start):
            raise InputError(
                f"start is '{self.start}'; needs one of: {', '.join(get_args(Start))}."
            )

    @property
    def scores(self) -> Scores:
        """What the threshold looks at."""
        return Scores(
            prior=self.prior_score,
            edge=self.edge_score,
            same_class=self.same_class_score,
            other_class=self.other_class_score,
            max_segment_area=self.max_segment_area,
        )


@dataclass(frozen=True, kw_only=True)
class M2N2Prepared(Prepared):
    """A picture, how far its tokens are from each other, and how they are drawn to pixels.

    Parameters
    ----------
    tokens
        Over the grid of the guide.
    guide
        At the size that is worked on.
    """

    tokens: TokenMap
    guide: Guide

    @property
    def pixel_area(self) -> float:
        """Pixels of the picture to a pixel of the size that is worked on."""
        return self.height * self.width / (self.guide.height * self.guide.width)

    def inside(self, click: Click) -> Click:
        """Bring a click to the picture that is worked on."""
        return replace(
            click,
            x=click.x * self.guide.width // self.width,
            y=click.y * self.guide.height // self.height,
        )


class M2N2:
    """Markov-map nearest neighbour: pure, complete, as published.

    Parameters
    ----------
    backbone
        Whose attention the walk follows.
    config
        The published settings if left out.

    References
    ----------
    .. [1] Karmann & Urfalioglu, "Repurposing Stable Diffusion Attention for Training-Free
       Unsupervised Interactive Segmentation", CVPR 2025, arXiv:2411.10411.
    """

    config_type: ClassVar = M2N2Config

    def __init__(self, backbone: Backbone, config: M2N2Config | None = None) -> None:
        self.backbone = backbone
        self.config: M2N2Config = config or self.config_type()

    @on_one_thread
    def prepare(self, image: RgbImage) -> M2N2Prepared:
        """Look at the picture once: attention, its doubly stochastic form, upsampling weights.

        Raises
        ------
        InputError
            If it is no (H, W, 3) uint8 picture.
        """
        tokens, guide = self._look(image)
        guide.collapse()
        return M2N2Prepared(image=image, tokens=tokens, guide=guide)

    def condition(self, prepared: M2N2Prepared, guidance: Guidance) -> M2N2Prepared:
        """Keep off excluded pixels."""
        return exclude(prepared, guidance)

    @on_one_thread
    def predict(
        self,
        prepared: M2N2Prepared,
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Give each pixel the class of its nearest click, or background if none is near.

        Returns
        -------
        Prediction
            The probability is above 0.5 exactly on the mask, and falls from 1 at a positive click
            to 0 at a negative one or far away. Without a click the mask is empty.
        """
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        if not clicks:
            return nothing_clicked(prepared)
        distances = [self.map_of(prepared, click).distances for click in clicks]
        thresholds = self.thresholds(prepared, clicks, previous)
        nearest = truncated_nearest_neighbour(distances, thresholds, clicks)
        return Prediction(probability=finish(prepared, nearest.probability, clicks))

    @on_one_thread
    def maps(
        self, prepared: M2N2Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> list[ClickMaps]:
        """Show attention, Markov map, upsampled map and flooded map of each click."""
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        shown = []
        for click, threshold in zip(
            clicks, self.thresholds(prepared, clicks, previous), strict=True
        ):
            grid = prepared.guide.grid
            stages = {
                name: values.reshape(grid.height, grid.width)
                for name, values in prepared.tokens.stages(self._start(prepared, click)).items()
            }
            drawn = self.map_of(prepared, click)
            stages["upsampled"] = drawn.upsampled
            if prepared.guide.flood_fill:
                stages["flooded"] = drawn.distances
            depth = prepared.guide.depth
            shown.append(ClickMaps(click=click, stages=stages, threshold=threshold, depth=depth))
        return shown

    @on_one_thread
    def levels(
        self, prepared: M2N2Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Levels:
        """Offer segments of the newest click's map.

        Raises
        ------
        InputError
            If there is no click.
        """
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        if not clicks:
            raise InputError("There is no click that could have levels; click first.")
        *earlier, newest = clicks
        unchosen = [*earlier, replace(newest, level=None)]
        return offer_levels(
            self.map_of(prepared, newest).distances,
            prepared.inside(newest),
            automatic=self.thresholds(prepared, unchosen, previous)[-1],
            pixel_area=prepared.pixel_area,
        )

    def token_map(self, attention: Attention) -> TokenMap:
        """Make of the attention what tells how far tokens are from a click."""
        config = self.config
        transition = sinkhorn(
            temper(attention.matrix, config.temperature),
            rounds=config.sinkhorn_rounds,
            tolerance=config.sinkhorn_tolerance,
        )
        return MarkovWalk(
            transition=transition,
            temperature=config.temperature,
            saturation=config.saturation,
            max_steps=config.max_steps,
        )

    def map_of(self, prepared: M2N2Prepared, click: Click) -> ClickMap:
        """Draw how far each pixel is from a click, whatever the click's class."""
        return prepared.guide.map_of(
            prepared.inside(click),
            lambda: prepared.tokens.distances(self._start(prepared, click)),
        )

    def thresholds(
        self,
        prepared: M2N2Prepared,
        clicks: Sequence[Click],
        previous: Prediction | None = None,  # noqa: ARG002 (all clicks are answered anew)
    ) -> list[float]:
        """How far each click reaches on its map: its level if a person chose one, else the best."""
        inside = [prepared.inside(click) for click in clicks]
        return [
            self._candidates(self.map_of(prepared, click), click, inside).best
            if click.level is None
            else click.level
            for click in clicks
        ]

    def _candidates(
        self, drawn: ClickMap, click: Click, clicks: Sequence[Click]
    ) -> ThresholdCandidates:
        """Score the segments of a click's map in the presence of clicks, its own among them."""
        return drawn.segments.score(
            same_class=[one for one in clicks if one.is_positive == click.is_positive],
            other_class=[one for one in clicks if one.is_positive != click.is_positive],
            scores=self.config.scores,
        )

    def _look(self, image: RgbImage) -> tuple[TokenMap, Guide]:
        """Ask the backbone; nothing is drawn to pixels yet."""
        check_image(image)
        config = self.config
        attention = (
            mirrored_attention(self.backbone, image)
            if config.flip
            else self.backbone.attention(image)
        )
        guide = Guide(
            colours=_shrink(image),
            grid=attention.grid,
            sigma_space=config.sigma_space,
            sigma_range=config.sigma_range,
            flood_fill=config.flood_fill,
        )
        return self.token_map(attention), guide

    def _start(self, prepared: M2N2Prepared, click: Click) -> FloatMatrix:
        return start_distribution(
            prepared.inside(click),
            grid=prepared.guide.grid,
            height=prepared.guide.height,
            width=prepared.guide.width,
            start=self.config.start,
        )


def nothing_clicked(prepared: Prepared) -> Prediction:
    """Answer no click."""
    return Prediction(probability=np.zeros(prepared.image.shape[:2], dtype=np.float32))


def finish(prepared: Prepared, probability: FloatMap, clicks: Sequence[Click]) -> FloatMap:
    """Bring a probability to the picture's size; clicked and excluded pixels have their class."""
    if probability.shape != prepared.image.shape[:2]:
        probability = refine_at_full_size(prepared.image, probability)
    for click in clicks:
        probability[click.y, click.x] = 1.0 if click.is_positive else 0.0
    if prepared.excluded is not None:
        probability[prepared.excluded] = 0.0
    return probability


def _shrink(image: RgbImage) -> RgbImage:
    """Bring a large picture to the size that is worked on."""
    height, width = image.shape[:2]
    scale = min(_SHORTEST_SIDE / min(height, width), math.sqrt(_MOST_PIXELS / (height * width)))
    if scale >= 1.0:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
