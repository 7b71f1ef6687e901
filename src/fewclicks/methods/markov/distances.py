"""Ten ways in which a region can be far from a click."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.methods.energy.region_graph import path_distance
from fewclicks.methods.markov.regions import Regions

PATHS: Final = 3
"""The first so many distances are costs of paths."""

DISTANCES: Final = (
    "path over colour",
    "path over the plainest of colour and edge",
    "path over edges",
    "lowest barrier",
    "height of the smallest union",
    "area of the smallest union",
    "colour",
    "steps of a walk over colours",
    "steps of a walk over the backbone's features",
    "place",
)

OWN_WALK: Final = DISTANCES.index("steps of a walk over colours")

FAR: Final = np.array([60, 60, 60, 9, 8, 1, 5, 7, 7, 1], dtype=np.float64)
"""What stands for the distance from a kind of click that there is none of yet."""


def distances_from(regions: Regions, region: int) -> NDArray[np.float64]:
    """Measure from one region to all, (n, 10), in the order of `DISTANCES`.

    Heights and steps are given as ``log(1 + value)``, areas as a share of the picture.
    """
    variance_tree, barrier_tree = regions.trees
    union = variance_tree.meetings(region)
    meeting = barrier_tree.meetings(region)
    offsets = regions.places - regions.places[region]
    columns = [path_distance(steps, np.array([region])) for steps in regions.paths]
    columns += [
        barrier_tree.heights[meeting],
        np.log1p(variance_tree.heights[union]),
        regions.union_shares[0][union],
        regions.colour_distance[region].astype(np.float64),
    ]
    columns += [np.log1p(walk.saturation_steps(region)) for walk in regions.walks]
    columns.append(np.hypot(offsets[:, 0], offsets[:, 1]))
    return np.stack(columns, axis=1)
