"""Evidence: what speaks for and against each region belonging to the object.

`gather_evidence` puts into numbers how far each region lies from the clicks, from the picture's
border and from the previous mask; `gather_context` adds, once a first opinion of every region
exists, what its neighbours, its unions and its colour's other regions are held to be. A small
network weighs the numbers (`evidence_network`). Columns keep their order: the weights depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix
from fewclicks.methods.markov.distances import (
    DISTANCES,
    FAR,
    FEATURE_WALK,
    OWN_WALK,
    PATHS,
    TOKEN_WALK,
)
from fewclicks.methods.markov.regions import Regions

_REACH: Final = 3.0  # path cost over which a click's colour stops speaking for the object
_LEVEL_DISTANCES: Final = (0, 2, OWN_WALK, FEATURE_WALK, TOKEN_WALK)
_PLACE: Final = DISTANCES.index("place")
_LEAST_AREA, _MOST_AREA = 0.002, 0.5  # shares of the picture that a first segment may have
_SPREAD_STEPS: Final = (3, 20)
_MOST_LOG_ODDS: Final = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionClick:
    """A click, as the regions see it.

    Parameters
    ----------
    region
        That was clicked.
    is_positive
        As the click.
    distances : (n, 15)
        From that region; see `distances_from`.
    """

    region: int
    is_positive: bool
    distances: NDArray[np.float64]


def gather_evidence(
    regions: Regions, clicks: Sequence[RegionClick], previous: NDArray[np.float64] | None
) -> NDArray[np.float32]:
    """Put into numbers what the clicks say of each region, (n, 106).

    Parameters
    ----------
    clicks
        At least one.
    previous : (n,), optional
        Share of each region that the mask before the newest click covers.
    """
    near = _nearest(clicks, is_positive=True)
    off = _nearest(clicks, is_positive=False)
    positives = [click for click in clicks if click.is_positive]
    negatives = [click for click in clicks if not click.is_positive]
    newest, count = clicks[-1], regions.count
    facts = (
        min(len(positives), 8) / 4,
        min(len(negatives), 8) / 4,
        1.0 if newest.is_positive else -1.0,
        0.0 if previous is None else 1.0,
    )
    columns = [
        _logged(near),
        _logged(off),
        _ratio(near, off),
        np.log1p(regions.border_distances),
        _ratio(near[:, :PATHS], regions.border_distances),
        _odds(regions, regions.colour_kernel, near, off if negatives else None),
        _odds(regions, regions.feature_kernel, near, off if negatives else None),
        _levels(regions, near, positives[0].region if positives else None),
        np.tile(facts, (count, 1)),
        (np.zeros(count) if previous is None else 2.0 * previous - 1.0)[:, None],
        _logged(newest.distances),
        _reach(regions, newest, previous)[:, None],
        np.tile(np.log1p(regions.border_distances[clicks[0].region]), (count, 1)),
        np.log(regions.shares * count)[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def gather_context(
    regions: Regions,
    evidence: NDArray[np.float32],
    log_odds: NDArray[np.float32],
    previous: NDArray[np.float64] | None,
) -> NDArray[np.float32]:
    """Add what a first opinion of all regions says of each, (n, 130).

    Parameters
    ----------
    evidence : (n, 106)
        From `gather_evidence`.
    log_odds : (n,)
        The first opinion.
    previous
        As of `gather_evidence`.
    """
    bounded = np.clip(log_odds, -_MOST_LOG_ODDS, _MOST_LOG_ODDS).astype(np.float64)
    odds = 1.0 / (1.0 + np.exp(-bounded))
    mass, count = regions.shares * odds, regions.count
    total = mass.sum() + 1e-6
    columns = [bounded]
    for tree, unions, areas in zip(
        regions.trees, regions.unions, regions.union_shares, strict=True
    ):
        shares = tree.sums(mass) / areas
        columns += [shares[union] for union in unions]
    for kernel in (regions.colour_kernel, regions.feature_kernel):
        columns.append(_likelihood_ratio(kernel, mass, regions.shares - mass))
    for walk in regions.walks:
        columns += [walk.spread(odds, steps=steps) for steps in _SPREAD_STEPS]
    openness = np.exp(-regions.graph.strengths / regions.edge_strength) * regions.graph.lengths
    columns.append(regions.graph.neighbour_mean(openness, odds))
    offset = regions.places - mass @ regions.places / total
    columns.append(np.hypot(offset[:, 0], offset[:, 1]) / np.sqrt(total))
    changed = -0.5 if previous is None else (regions.shares * np.abs(odds - previous)).sum() / total
    for fact in (np.sqrt(total), regions.border @ odds, changed):
        columns.append(np.full(count, fact))
    return np.concatenate([evidence, np.stack(columns, axis=1)], axis=1).astype(np.float32)


def _nearest(clicks: Sequence[RegionClick], *, is_positive: bool) -> NDArray[np.float64]:
    """Least distance from any click of one kind, (n, 15)."""
    found = [click.distances for click in clicks if click.is_positive == is_positive]
    return np.minimum.reduce(found) if found else np.broadcast_to(FAR, clicks[0].distances.shape)


def _logged(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Path costs as ``log(1 + cost)``; the others are of that kind already."""
    logged = distances.copy()
    logged[:, :PATHS] = np.log1p(logged[:, :PATHS])
    return logged


def _ratio(near: NDArray[np.float64], off: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(near / (near + off + 1e-3))


def _reach(
    regions: Regions, newest: RegionClick, previous: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Distance from the newest click over the click's own distance to what it corrects, (n,).

    People click the middle of what is wrong: the error reaches about as far around the click as
    the previous mask's outline is away. As a logarithm; 0 if there is no mask.
    """
    if previous is None:
        return np.zeros(regions.count)
    away = newest.distances[:, _PLACE]
    others = (previous > 0.5) == newest.is_positive
    edge = away[others].min() if others.any() else 1.0
    return np.asarray(np.log((away + 0.01) / (edge + 0.01)))


def _odds(
    regions: Regions,
    kernel: FloatMatrix,
    near: NDArray[np.float64],
    off: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Likelihood ratio of each region's colour, (n, 1), as the clicks' surroundings have it."""
    positive = np.exp(-near[:, 0] / _REACH) * regions.shares
    negative = regions.border
    if off is not None:
        negative = np.exp(-off[:, 0] / _REACH) * regions.shares + 0.02 * regions.border
    return _likelihood_ratio(kernel, positive, negative)[:, None]


def _likelihood_ratio(
    kernel: FloatMatrix, positive: NDArray[np.float64], negative: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithm of how much likelier colours are under one weighting of regions, (n,)."""

    def density(mass: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(kernel @ (mass / (mass.sum() + 1e-6)).astype(np.float32) + 1e-3)

    return np.log(density(positive) / density(negative))


def _levels(regions: Regions, near: NDArray[np.float64], first: int | None) -> NDArray[np.float64]:
    """Describe, for each of five distances, the segment that ends at each region, (n, 25)."""
    if first is None:
        return np.zeros((regions.count, 5 * len(_LEVEL_DISTANCES)))
    return np.concatenate(
        [_segments_by_level(regions, near[:, k], first) for k in _LEVEL_DISTANCES], axis=1
    )


def _segments_by_level(
    regions: Regions, distance: NDArray[np.float64], first: int
) -> NDArray[np.float64]:
    """Describe the segment of all regions up to i in the order of distance, for each i, (n, 5).

    Equally distant regions enter together.

    Side length (root of its area), edge strength along its outline, how far its centre lies from
    the first click, the distance relative to the level that looks most like an object, and that
    level's side length. People click the middle of what they mean.
    """
    graph, shares = regions.graph, regions.shares
    order = np.argsort(distance, kind="stable")
    rank = np.searchsorted(distance[order], distance, side="right") - 1
    area = np.cumsum(shares[order])
    centre = np.cumsum((shares[:, None] * regions.places)[order], axis=0) / area[:, None]
    off_centre = np.linalg.norm(centre - regions.places[first], axis=1) / np.sqrt(area)
    inner = np.minimum(rank[graph.first], rank[graph.second])
    outer = np.maximum(rank[graph.first], rank[graph.second])

    def on_outline(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        # A border lies on the outline of every segment that holds one of its two regions.
        enters = np.bincount(inner, weights, minlength=regions.count)
        leaves = np.bincount(outer, weights, minlength=regions.count)
        return np.cumsum(enters - leaves)

    edge = on_outline(graph.lengths * graph.strengths)
    edge = edge / np.maximum(on_outline(graph.lengths), 1e-3)
    edge[-1] = 0.0
    likely = edge * np.exp(-0.7 * off_centre)
    likely[:-1][np.diff(distance[order]) == 0] = 0.0  # a segment holds all that are equally near
    likely[(area < _LEAST_AREA) | (area >= _MOST_AREA)] = 0.0
    best = int(likely.argmax())
    relative = np.log((distance + 1e-3) / (distance[order[best]] + 1e-3))
    columns = [
        np.sqrt(area)[rank],
        edge[rank] / regions.edge_strength,
        off_centre[rank],
        np.clip(relative, -4.0, 4.0),
        np.full(regions.count, np.sqrt(area[best])),
    ]
    return np.stack(columns, axis=1)
