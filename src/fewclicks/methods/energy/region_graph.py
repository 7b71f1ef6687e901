"""The graph of regions: who touches whom, how long the border is and how plain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from fewclicks.arrays import FloatMap
from fewclicks.methods.energy.superpixels import Superpixels

FARTHEST = 1e3
"""What a path costs at the most, and what a region costs that no path reaches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionGraph:
    """Pairs of regions that touch.

    Parameters
    ----------
    count
        Of regions.
    first, second : (m,)
        The pair, ``first < second``; in ascending order, each pair once.
    lengths : (m,)
        Of their common border, in pairs of touching pixels.
    strengths : (m,)
        Mean over that border of the larger edge strength on its two sides.
    """

    count: int
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    lengths: NDArray[np.float64]
    strengths: NDArray[np.float64]

    def steps(self, costs: NDArray[np.float64]) -> sparse.csr_matrix:
        """Make a price for each border, (m,) from 0 on, a graph to walk on both ways."""
        places = (
            np.concatenate([self.first, self.second]),
            np.concatenate([self.second, self.first]),
        )
        return sparse.csr_matrix((np.tile(costs, 2), places), shape=(self.count, self.count))

    def neighbour_mean(
        self, weights: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Average the neighbours' values, (n,), each border weighing its (m,) weight."""
        sums = np.bincount(self.first, weights * values[self.second], minlength=self.count)
        sums += np.bincount(self.second, weights * values[self.first], minlength=self.count)
        total = np.bincount(self.first, weights, minlength=self.count)
        total += np.bincount(self.second, weights, minlength=self.count)
        return sums / np.maximum(total, 1e-9)


def region_graph(superpixels: Superpixels, edge_strength: FloatMap) -> RegionGraph:
    """Find which superpixels touch, side by side or above each other.

    Parameters
    ----------
    edge_strength : (H, W)
        From 0 on.
    """
    labels, count = superpixels.labels.astype(np.int64), superpixels.count
    codes, strengths = [], []
    for near, far in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        differ = labels[near] != labels[far]
        one, other = labels[near][differ], labels[far][differ]
        codes.append(np.minimum(one, other) * count + np.maximum(one, other))
        strengths.append(np.maximum(edge_strength[near][differ], edge_strength[far][differ]))
    pairs, place, lengths = np.unique(
        np.concatenate(codes), return_inverse=True, return_counts=True
    )
    sums = np.bincount(place, np.concatenate(strengths), minlength=len(pairs))
    return RegionGraph(
        count=count,
        first=pairs // count,
        second=pairs % count,
        lengths=lengths.astype(np.float64),
        strengths=sums / lengths,
    )


def path_distance(steps: sparse.csr_matrix, sources: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cost of the cheapest way from any of the sources to each region, at most `FARTHEST`."""
    found = dijkstra(steps, indices=sources, min_only=True)
    return np.asarray(np.minimum(found, FARTHEST))
