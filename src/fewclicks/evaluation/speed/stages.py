"""Stages: the parts of a click of M2N2, each beside its plain version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, FloatMatrix, RgbImage
from fewclicks.backbones.base import Attention, Features, Grid
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.evaluation.speed import plain
from fewclicks.evaluation.speed.rows import Stage
from fewclicks.images.resizing import resize_image, resize_map
from fewclicks.methods.energy.band_cut import band_cut, contrast_pyramid
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.energy.min_cut import min_cut
from fewclicks.methods.energy.seeds import draw_seeds
from fewclicks.methods.markov.flood_fill import flood_fill
from fewclicks.methods.markov.markov_map import markov_map, start_distribution
from fewclicks.methods.markov.sinkhorn import sinkhorn, temper
from fewclicks.methods.markov.threshold import Scores, score_thresholds
from fewclicks.methods.markov.upsample import bilateral_weights

TEMPERATURES: Final = (0.1, 0.05, 0.004)
"""Of walks that take about ten, about twenty and hundreds of steps on 64x64 tokens."""

_SATURATION, _MAX_STEPS, _TOLERANCE, _ROUNDS = 0.3, 1000, 1e-4, 200
_MOST_TOKENS, _TOKEN_SIDE = 64, 7  # along a side; pixels


class SquareColours:
    """The weight-free backbone on a picture stretched to a square, as networks see it.

    Parameters
    ----------
    side
        In tokens.
    temperature
        See `ColourConfig`.

    Notes
    -----
    It remembers its last attention, so that what is timed is what the method does with it.
    """

    name: ClassVar = "colour"
    config_type: ClassVar = ColourConfig

    def __init__(self, side: int, temperature: float) -> None:
        self.config = ColourConfig(longest_side=side, temperature=temperature)
        self._backbone = ColourBackbone(self.config)
        self._seen: tuple[RgbImage, Attention] | None = None

    def features(self, image: RgbImage) -> Features:
        """Describe each token."""
        return self._backbone.features(self._square(image))

    def attention(self, image: RgbImage) -> Attention:
        """Say how the tokens attend to each other."""
        if self._seen is None or self._seen[0] is not image:
            self._seen = image, self._backbone.attention(self._square(image))
        return self._seen[1]

    def _square(self, image: RgbImage) -> RgbImage:
        side = 8 * self.config.longest_side
        return resize_image(image, height=side, width=side)


def token_side(image: RgbImage) -> int:
    """Tokens along a side: 64, fewer on a picture that is smaller than 448 pixels."""
    return max(2, min(_MOST_TOKENS, int(min(image.shape[:2])) // _TOKEN_SIDE))


def stages(image: RgbImage, clicks: list[Click]) -> Iterator[Stage]:
    """Go through the parts of a click, each with what the one before gave."""
    click = clicks[0]
    side = token_side(image)
    low: FloatMatrix = np.zeros((side, side), dtype=np.float32)
    for temperature in TEMPERATURES:
        attention = SquareColours(side, temperature).attention(image)
        kernel = temper(attention.matrix, 0.65)
        steps = yield from _walks(kernel, click, image, side, temperature == TEMPERATURES[1])
        if temperature == TEMPERATURES[1]:
            low = steps.reshape(side, side)
    # A network's attention is not the softmax of a symmetric matrix.
    noise = np.random.default_rng(0).uniform(0.5, 1.5, kernel.shape).astype(np.float32)
    yield from _walks(kernel * noise, click, image, side, False, "asymmetric ")
    yield from _over_pixels(image, low, clicks)


def _walks(
    kernel: FloatMatrix, click: Click, image: RgbImage, side: int, scale: bool, kind: str = ""
) -> Any:
    """Time the chain on one kernel, and the scaling if asked for; give the map."""
    if scale:
        yield Stage(
            name="sinkhorn",
            ours=lambda: sinkhorn(kernel, rounds=_ROUNDS, tolerance=_TOLERANCE),
            baseline="matrix rewritten each round",
            theirs=lambda: plain.scaled_matrix(kernel, _ROUNDS, _TOLERANCE),
            errors=lambda ours, theirs: compare(ours.matrix(), theirs),
        )
    transition = sinkhorn(kernel, rounds=_ROUNDS, tolerance=_TOLERANCE)
    matrix = transition.matrix()
    height, width = image.shape[:2]
    start = start_distribution(click, grid=Grid(side, side), height=height, width=width)
    steps = markov_map(transition, start)[0]
    yield Stage(
        name=f"markov map, {kind}walk of {int(np.ceil(steps.max()))} steps",
        ours=lambda: markov_map(transition, start)[0],
        baseline="every step walked",
        theirs=lambda: plain.walked_map(matrix, start[0], _SATURATION, _MAX_STEPS),
        errors=compare,
    )
    return steps


def _over_pixels(image: RgbImage, low: FloatMatrix, clicks: list[Click]) -> Iterator[Stage]:
    """Upsampling, flood fill, threshold, min cut."""
    height, width = image.shape[:2]
    grid = Grid(*low.shape)
    guide = image.astype(np.float32) / np.float32(255.0)
    yield Stage(name="upsampling: build weights", ours=lambda: bilateral_weights(guide, grid))
    weights = bilateral_weights(guide, grid)
    low = low / low.max()
    raised = resize_map(low, height=height, width=width)
    cells = height / grid.height, width / grid.width
    yield Stage(
        name="upsampling: apply",
        ours=lambda: weights.enlarge(low),
        baseline="sum over all pixels near",
        theirs=lambda: plain.bilateral_map(raised, guide, *cells, 0.1),
        errors=compare,
    )
    click = clicks[0]
    distances = weights.enlarge(low)
    cost = np.abs(distances - distances[click.y, click.x])
    yield Stage(
        name="flood fill",
        ours=lambda: flood_fill(cost, click),
        baseline="binary heap",
        theirs=lambda: plain.heap_flood(cost, click.y, click.x),
        errors=compare,
    )
    flooded = flood_fill(cost, click)
    yield _threshold(flooded / max(float(flooded.max()), 1e-6), clicks)
    yield _cut(image, distances, clicks)


def _threshold(distances: FloatMap, clicks: list[Click]) -> Stage:
    same = [click for click in clicks if click.is_positive]
    others = [click for click in clicks if not click.is_positive]
    right = cv2.Sobel(distances, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REFLECT_101)
    down = cv2.Sobel(distances, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REFLECT_101)
    steepness = np.hypot(right, down).astype(np.float32)

    def ours() -> Any:
        return score_thresholds(distances, same_class=same, other_class=others, scores=Scores())

    offered = ours().thresholds
    return Stage(
        name="threshold",
        ours=ours,
        baseline="whole picture for each threshold",
        theirs=lambda: plain.edge_scores(distances, steepness, offered, same, others, 0.4),
        errors=lambda found, expected: compare(found.scores, expected),
    )


def _cut(image: RgbImage, distances: FloatMap, clicks: list[Click]) -> Stage:
    pyramid = contrast_pyramid(lab_image(image), strength=20.0, levels=1)
    unary = (4.0 * (0.5 - distances / max(float(distances.max()), 1e-6))).astype(np.float32)
    seeds = draw_seeds(image.shape[:2], clicks)
    held, refused = seeds.positive, seeds.negative
    return Stage(
        name="min cut in a band",
        ours=lambda: band_cut(unary, pyramid, positive=held, negative=refused),
        baseline="min cut of all pixels",
        theirs=lambda: min_cut(unary, pyramid[0], positive=held, negative=refused),
    )


def compare(ours: Any, theirs: Any) -> tuple[float, float]:
    """Largest and mean difference, as shares of the largest expected value."""
    away = np.abs(np.asarray(ours, dtype=np.float64) - theirs)
    largest = max(float(np.abs(theirs).max()), 1e-12)
    return float(away.max()) / largest, float(away.mean()) / largest
