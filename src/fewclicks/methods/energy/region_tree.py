"""Merge trees of regions: which regions join when, from single ones up to the whole picture.

Nodes ``0 .. n-1`` are the regions, later ones are unions of two earlier ones, so children always
stand before their parent. A picture's graph is connected, so a tree has 2n - 1 nodes and one root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.methods.energy.region_graph import RegionGraph
from fewclicks.methods.energy.ward import merge_touching


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionTree:
    """A merge tree.

    Parameters
    ----------
    parents : (2n - 1,)
        -1 for the root.
    heights : (2n - 1,)
        At which a node's two children merged; 0 for single regions, never falling upwards.
    """

    parents: NDArray[np.int64]
    heights: NDArray[np.float64]

    @property
    def leaves(self) -> int:
        """Number of regions."""
        return (len(self.parents) + 1) // 2

    def meetings(self, leaf: int) -> NDArray[np.int64]:
        """Find for each region the smallest node that holds it and the given one, (n,)."""
        return _meetings(self.parents, self.leaves, leaf)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add the regions' values, (n,), up the tree, (2n - 1,)."""
        return _sums(self.parents, self.leaves, values)

    def ancestors(self, least: float) -> NDArray[np.int64]:
        """Find for each region the smallest node around it with at least so many regions, (n,)."""
        counts = self.sums(np.ones(self.leaves))
        return _ancestors(self.parents, counts, self.leaves, least)


def ward_tree(
    graph: RegionGraph, descriptors: NDArray[np.float64], masses: NDArray[np.float64]
) -> RegionTree:
    """Merge touching regions, always the pair whose union adds the least variance.

    Parameters
    ----------
    descriptors : (n, c)
        Of the regions, in units in which distance means unlikeness.
    masses : (n,)
        Of the regions, above 0; their areas say.

    Notes
    -----
    The height is the cost ``m_a m_b |f_a - f_b|^2 / (m_a + m_b)``, raised to that of the
    children where it falls below.

    References
    ----------
    .. [1] Ward, "Hierarchical Grouping to Optimize an Objective Function", JASA 1963.
    """
    means = np.asarray(descriptors, np.float64)
    parents, heights = _rising(*merge_touching(graph.first, graph.second, means, masses))
    return RegionTree(parents=parents, heights=heights)


def bottleneck_tree(graph: RegionGraph, barriers: NDArray[np.float64]) -> RegionTree:
    """Merge touching regions in the order of the barriers, (m,), between them.

    Two regions meet at the height of the lowest barrier that every way between them must cross.
    """
    order = np.argsort(barriers, kind="stable")
    parents, edges = _kruskal(graph.count, graph.first, graph.second, order)
    heights = np.concatenate([np.zeros(graph.count), barriers[edges]])
    return RegionTree(parents=parents, heights=heights)


@numba.njit(cache=True, nogil=True)
def _rising(
    children: NDArray[np.int64], costs: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Parents, and costs raised to those of the children."""
    leaves = len(children) + 1
    parents = np.full(2 * leaves - 1, -1, dtype=np.int64)
    heights = np.zeros(2 * leaves - 1)
    for step in range(leaves - 1):
        a, b = children[step]
        parents[a] = parents[b] = leaves + step
        heights[leaves + step] = max(costs[step], heights[a], heights[b])
    return parents, heights


@numba.njit(cache=True, nogil=True)
def _kruskal(
    leaves: int, first: NDArray[np.int64], second: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    parents = np.full(2 * leaves - 1, -1, dtype=np.int64)
    roots = np.arange(2 * leaves - 1)
    edges = np.empty(leaves - 1, dtype=np.int64)
    node = leaves
    for edge in order:
        a, b = _root(roots, first[edge]), _root(roots, second[edge])
        if a == b:
            continue
        parents[a] = parents[b] = roots[a] = roots[b] = node
        edges[node - leaves] = edge
        node += 1
    return parents, edges


@numba.njit(cache=True, nogil=True)
def _root(roots: NDArray[np.int64], node: int) -> int:
    while roots[node] != node:
        roots[node] = roots[roots[node]]
        node = roots[node]
    return node


@numba.njit(cache=True, nogil=True)
def _meetings(parents: NDArray[np.int64], leaves: int, leaf: int) -> NDArray[np.int64]:
    meeting = np.full(len(parents), -1, dtype=np.int64)
    node = leaf
    while node >= 0:
        meeting[node] = node
        node = parents[node]
    for node in range(len(parents) - 1, -1, -1):
        if meeting[node] < 0:
            meeting[node] = meeting[parents[node]]
    return meeting[:leaves]


@numba.njit(cache=True, nogil=True)
def _sums(
    parents: NDArray[np.int64], leaves: int, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    sums = np.zeros(len(parents))
    sums[:leaves] = values
    for node in range(len(parents) - 1):
        sums[parents[node]] += sums[node]
    return sums


@numba.njit(cache=True, nogil=True)
def _ancestors(
    parents: NDArray[np.int64], counts: NDArray[np.float64], leaves: int, least: float
) -> NDArray[np.int64]:
    found = np.empty(leaves, dtype=np.int64)
    for leaf in range(leaves):
        node = leaf
        while parents[node] >= 0 and counts[node] < least:
            node = parents[node]
        found[leaf] = node
    return found
