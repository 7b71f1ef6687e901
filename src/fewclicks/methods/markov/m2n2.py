"""M2N2: the nearest click, as a random walk over a frozen network's attention sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, get_args

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.backbones.base import Backbone, Grid
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError
from fewclicks.methods.base import Guidance, Prediction, Prepared, check_image, exclude
from fewclicks.methods.markov.flood_fill import flood_fill
from fewclicks.methods.markov.markov_map import Start, markov_map, start_distribution
from fewclicks.methods.markov.sinkhorn import Transition, sinkhorn, temper
from fewclicks.methods.markov.threshold import Scores, ThresholdCandidates, score_thresholds
from fewclicks.methods.markov.upsample import BilateralWeights, bilateral_weights
from fewclicks.methods.memo import Memo
from fewclicks.methods.one_thread import on_one_thread

_SHORTEST_SIDE: Final = 1024  # of the picture that is worked on, as in the paper
_MOST_PIXELS: Final = 1 << 21  # of it too: each costs 64 bytes
_MAPS_KEPT: Final = 20


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
    """A picture with its walk.

    Parameters
    ----------
    height_inside, width_inside
        Size of the picture that was worked on, no larger than the picture.
    grid
        Of the tokens.
    transition
        Doubly stochastic, over the tokens.
    upsampling
        From the tokens to the picture that was worked on.
    maps
        Of the latest clicks.
    """

    height_inside: int
    width_inside: int
    grid: Grid
    transition: Transition
    upsampling: BilateralWeights
    maps: Memo[tuple[int, int], FloatMap] = field(
        default_factory=lambda: Memo(_MAPS_KEPT), compare=False
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
        self.config = config or M2N2Config()

    @on_one_thread
    def prepare(self, image: RgbImage) -> M2N2Prepared:
        """Look at the picture once: attention, its doubly stochastic form, upsampling weights.

        Raises
        ------
        InputError
            If it is no (H, W, 3) uint8 picture.
        """
        check_image(image)
        config = self.config
        attention = self.backbone.attention(image)
        transition = sinkhorn(
            temper(attention.matrix, config.temperature),
            rounds=config.sinkhorn_rounds,
            tolerance=config.sinkhorn_tolerance,
        )
        inside = _shrink(image)
        upsampling = bilateral_weights(
            inside.astype(np.float32) / np.float32(255.0),
            attention.grid,
            sigma_space=config.sigma_space,
            sigma_range=config.sigma_range,
        )
        return M2N2Prepared(
            image=image,
            height_inside=inside.shape[0],
            width_inside=inside.shape[1],
            grid=attention.grid,
            transition=transition,
            upsampling=upsampling,
        )

    def condition(self, prepared: M2N2Prepared, guidance: Guidance) -> M2N2Prepared:
        """Keep off excluded pixels."""
        return exclude(prepared, guidance)

    @on_one_thread
    def predict(
        self,
        prepared: M2N2Prepared,
        clicks: Sequence[Click],
        previous: Prediction | None = None,  # noqa: ARG002 (all clicks are answered anew)
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
            return Prediction(probability=np.zeros(prepared.image.shape[:2], dtype=np.float32))
        inside = [_click_inside(prepared, click) for click in clicks]
        distances = [self.distances(prepared, click) for click in inside]
        thresholds = [
            self.candidates(each, click, inside).best
            for each, click in zip(distances, inside, strict=True)
        ]
        probability = truncated_nearest_neighbour(distances, thresholds, inside)
        probability = _enlarge(probability, prepared.height, prepared.width)
        for click in clicks:
            probability[click.y, click.x] = 1.0 if click.is_positive else 0.0
        if prepared.excluded is not None:
            probability[prepared.excluded] = 0.0
        return Prediction(probability=probability)

    def distances(self, prepared: M2N2Prepared, click: Click) -> FloatMap:
        """Map of one click, whatever its class: how far each pixel is, in [0, 1].

        Parameters
        ----------
        click
            In pixels of the picture that was worked on.

        Returns
        -------
        (height_inside, width_inside) float32, read-only
        """
        place = (click.x, click.y)
        return prepared.maps.get(place, lambda _: self._compute_distances(prepared, click))

    def candidates(
        self, distances: FloatMap, click: Click, clicks: Sequence[Click]
    ) -> ThresholdCandidates:
        """Score the segments that the map of ``click`` offers in the presence of all clicks."""
        same = [other for other in clicks if other.is_positive == click.is_positive]
        others = [other for other in clicks if other.is_positive != click.is_positive]
        return score_thresholds(
            distances, same_class=same, other_class=others, scores=self.config.scores
        )

    def _compute_distances(self, prepared: M2N2Prepared, click: Click) -> FloatMap:
        config = self.config
        start = start_distribution(
            click,
            grid=prepared.grid,
            height=prepared.height_inside,
            width=prepared.width_inside,
            start=config.start,
        )
        steps = markov_map(
            prepared.transition, start, saturation=config.saturation, max_steps=config.max_steps
        )
        distances = _over_largest(prepared.upsampling.enlarge(steps[0]))
        if config.flood_fill:
            cost = np.abs(distances - distances[click.y, click.x])
            distances = _over_largest(flood_fill(cost, click))
        distances.setflags(write=False)  # remembered, and handed to more than one caller
        return distances


def truncated_nearest_neighbour(
    distances: Sequence[FloatMap], thresholds: Sequence[float], clicks: Sequence[Click]
) -> FloatMap:
    """Give each pixel the class of its nearest click, if that is nearer than its threshold.

    Parameters
    ----------
    distances : each (H, W)
        Map of each click, not negative.
    thresholds
        Above 0; a click reaches as far as its threshold.
    clicks
        Of each map; only the class is read. Ties go to the earlier click.

    Returns
    -------
    (H, W) float32
        Above 0.5 exactly where the nearest click is positive and reaches the pixel; how far above
        or below tells how much nearer the positive clicks are than the negative ones, or than
        their own reach.

    References
    ----------
    .. [1] M2N2, Eq. 1, 2, 10 and 11 (arXiv:2411.10411).
    """
    to_positive = np.full(distances[0].shape, np.inf, dtype=np.float32)
    to_negative = np.ones_like(to_positive)  # nothing reaches further than its threshold
    nearest = np.full_like(to_positive, np.inf)
    is_object = np.zeros(nearest.shape, dtype=bool)
    for each, threshold, click in zip(distances, thresholds, clicks, strict=True):
        scaled = each / np.float32(threshold)
        nearer = scaled < nearest
        is_object[nearer] = click.is_positive
        np.minimum(nearest, scaled, out=nearest)
        to_class = to_positive if click.is_positive else to_negative
        np.minimum(to_class, scaled, out=to_class)
    is_object &= nearest <= 1.0
    both = to_positive + to_negative
    probability = np.divide(to_negative, both, out=np.full_like(both, 0.5), where=both > 0.0)
    just_above = np.nextafter(np.float32(0.5), np.float32(1.0))
    limited: FloatMap = np.where(
        is_object, np.maximum(probability, just_above), np.minimum(probability, np.float32(0.5))
    )
    return limited


def _over_largest(values: FloatMap) -> FloatMap:
    largest = values.max()
    return values / largest if largest > 0.0 else values


def _shrink(image: RgbImage) -> RgbImage:
    """Bring a large picture to the size that is worked on."""
    height, width = image.shape[:2]
    scale = min(_SHORTEST_SIDE / min(height, width), math.sqrt(_MOST_PIXELS / (height * width)))
    if scale >= 1.0:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _enlarge(probability: FloatMap, height: int, width: int) -> FloatMap:
    if probability.shape == (height, width):
        return probability
    enlarged = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR)
    return enlarged.astype(np.float32, copy=False)


def _click_inside(prepared: M2N2Prepared, click: Click) -> Click:
    """Bring a click to the picture that was worked on."""
    return Click(
        x=click.x * prepared.width_inside // prepared.width,
        y=click.y * prepared.height_inside // prepared.height,
        is_positive=click.is_positive,
    )
