"""Fifteen ways in which a region can be far from a click."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.methods.energy.region_graph import path_distance
from fewclicks.methods.markov.regions import Regions

PATHS: Final = 4
"""The first so many distances are costs of paths."""

DISTANCES: Final = (
    "path over colour",
    "path over the plainest of colour and edge",
    "path over edges",
    "path over the backbone's features",
    "lowest barrier",
    "height of the smallest union by colour",
    "area of the smallest union by colour",
    "height of the smallest union by features",
    "area of the smallest union by features",
    "colour",
    "the backbone's features",
    "steps of a walk over colours",
    "steps of a walk over the backbone's features",
    "steps of a walk over the backbone's tokens",
    "place",
)

OWN_WALK: Final = DISTANCES.index("steps of a walk over colours")
FEATURE_WALK: Final = DISTANCES.index("steps of a walk over the backbone's features")
TOKEN_WALK: Final = DISTANCES.index("steps of a walk over the backbone's tokens")

FAR: Final = np.array([60, 60, 60, 60, 9, 8, 1, 8, 1, 5, 6, 7, 7, 7, 1], dtype=np.float64)
"""What stands for the distance from a kind of click that there is none of yet."""


def distances_from(
    regions: Regions, region: int, *, log_steps: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Measure from one region to all, (n, 15), in the order of `DISTANCES`.

    Heights and steps are given as ``log(1 + value)``, areas as a share of the picture.

    Parameters
    ----------
    log_steps : (n,), optional
        Of the walk over tokens, which regions alone cannot tell; all are as `FAR` without it.
    """
    colour_tree, barrier_tree, feature_tree = regions.trees
    offsets = regions.places - regions.places[region]
    columns = [path_distance(steps, np.array([region])) for steps in regions.paths]
    columns.append(barrier_tree.heights[barrier_tree.meetings(region)])
    for tree, shares in zip((colour_tree, feature_tree), regions.union_shares[::2], strict=True):
        union = tree.meetings(region)
        columns += [np.log1p(tree.heights[union]), shares[union]]
    for matrix in (regions.colour_distance, regions.feature_distance):
        columns.append(matrix[region].astype(np.float64))
    columns += [np.log1p(walk.saturation_steps(region)) for walk in regions.walks]
    columns.append(np.full(regions.count, FAR[TOKEN_WALK]) if log_steps is None else log_steps)
    columns.append(np.hypot(offsets[:, 0], offsets[:, 1]))
    return np.stack(columns, axis=1)
