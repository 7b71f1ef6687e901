"""Merge trees of a picture's tokens: every region that arises while the most alike are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, LabelMap
from fewclicks.backbones.base import Grid
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.energy.ward import Reals, merge_any, merge_touching


def build_merge_tree(
    features: NDArray[np.floating[Any]],
    grid_shape: tuple[int, int],
    *,
    connectivity: bool = True,
    exact: bool = False,
) -> NDArray[np.int32]:
    """Join the two regions whose union adds the least variance, until one region is left.

    Parameters
    ----------
    features : (n, c)
        Of the tokens, row-major over the grid.
    grid_shape
        Rows and columns; ``n = rows * columns``.
    connectivity
        Whether only regions that touch along a side of tokens may join; else any two may, which
        takes tens of times as long and n x n numbers of memory.
    exact
        Reckon in float64, not in float32, which is twice as fast.

    Returns
    -------
    (n - 1, 2)
        Row k holds the children of node ``n + k``, the older first; nodes 0 to n - 1 are the
        tokens. Exact costs tie as `fewclicks.methods.energy.ward.merge_touching` says.

    Raises
    ------
    ShapeError
        If features and grid do not fit.
    InputError
        If a feature is not finite.

    References
    ----------
    .. [1] MIS, Algorithm 1 (arXiv:2303.13399).

    Examples
    --------
    >>> build_merge_tree(np.array([[0.0], [0.1], [5.0], [5.3]]), (1, 4))
    array([[0, 1],
           [2, 3],
           [4, 5]], dtype=int32)
    """
    grid = Grid(*grid_shape)
    if features.ndim != 2 or len(features) != grid.count or not features.size:
        raise ShapeError(
            f"features has shape {features.shape}; needs ({grid.count}, channels) for a grid of "
            f"{grid.height} x {grid.width}."
        )
    if not np.isfinite(features).all():
        raise InputError("features holds numbers that are not finite; needs finite ones.")
    means: Reals = features.astype(np.float64 if exact else np.float32, copy=False)
    if connectivity:
        first, second = _touching(grid)
        children, _ = merge_touching(first, second, means, np.ones(grid.count))
    else:
        children, _ = merge_any(means)
    return children.astype(np.int32)


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeTree:
    """A merge tree, laid out so that each node's tokens are one slice.

    Parameters
    ----------
    children : (n - 1, 2)
        As `build_merge_tree` gives them.
    grid
        Of the n tokens.
    sizes : (2n - 1,)
        Tokens of each node.
    starts : (2n - 1,)
        Where each node's tokens begin in ``order``.
    order : (n,)
        Tokens, as a walk from the root meets them.
    """

    children: NDArray[np.int32]
    grid: Grid
    sizes: NDArray[np.int32]
    starts: NDArray[np.int32]
    order: NDArray[np.int32]

    @classmethod
    def from_children(cls, children: NDArray[np.integer[Any]], grid: Grid) -> MergeTree:
        """Lay a tree out.

        Raises
        ------
        InputError
            If the children make no tree over the grid.
        """
        own = np.ascontiguousarray(children, dtype=np.int32).reshape(-1, 2)
        if len(own) != grid.count - 1:
            raise InputError(
                f"children has {len(own)} rows; a grid of {grid.height} x {grid.width} needs "
                f"{grid.count - 1}."
            )
        is_tree, sizes, starts, order = _lay_out(own)
        if not is_tree:
            raise InputError("children make no tree: a node is missing, or stands twice.")
        return cls(children=own, grid=grid, sizes=sizes, starts=starts, order=order)

    @property
    def root(self) -> int:
        """The node of the whole picture."""
        return 2 * self.grid.count - 2

    def area(self, node: int) -> float:
        """Share of the picture that a node covers, in (0, 1]."""
        return float(self.sizes[node]) / self.grid.count

    def region(self, node: int) -> BoolMask:
        """Draw a node on the grid, (h, w)."""
        mask = np.zeros(self.grid.count, dtype=np.bool_)
        start = self.starts[node]
        mask[self.order[start : start + self.sizes[node]]] = True
        return mask.reshape(self.grid.height, self.grid.width)

    def cut(self, count: int) -> LabelMap:
        """Split the picture into so many regions, those that were left when so many were, (h, w).

        Raises
        ------
        InputError
            If there are not so many tokens.
        """
        leaves = self.grid.count
        if not 1 <= count <= leaves:
            raise InputError(f"A cut into {count} regions needs a number from 1 to {leaves}.")
        left = self.root + 2 - count  # the first node that is taken apart
        taken_apart = self.children[left - leaves :]
        nodes = [int(node) for node in taken_apart.ravel() if node < left] or [self.root]
        labels = np.zeros(leaves, dtype=np.int32)
        for label, node in enumerate(sorted(nodes, key=lambda node: int(self.starts[node])), 1):
            start = self.starts[node]
            labels[self.order[start : start + self.sizes[node]]] = label
        return labels.reshape(self.grid.height, self.grid.width)


def _touching(grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of tokens that share a side."""
    places = np.arange(grid.count).reshape(grid.height, grid.width)
    first = np.concatenate([places[:, :-1].ravel(), places[:-1].ravel()])
    second = np.concatenate([places[:, 1:].ravel(), places[1:].ravel()])
    return first, second


@numba.njit(cache=True, nogil=True)
def _lay_out(
    children: NDArray[np.int32],
) -> tuple[bool, NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Count tokens from below, then hand out slices from above."""
    leaves = len(children) + 1
    sizes = np.ones(2 * leaves - 1, dtype=np.int32)
    starts = np.zeros(2 * leaves - 1, dtype=np.int32)
    order = np.zeros(leaves, dtype=np.int32)
    has_parent = np.zeros(2 * leaves - 1, dtype=np.bool_)
    for step in range(leaves - 1):
        node = leaves + step
        for child in children[step]:
            if child < 0 or child >= node or has_parent[child]:
                return False, sizes, starts, order
            has_parent[child] = True
        sizes[node] = sizes[children[step, 0]] + sizes[children[step, 1]]
    for step in range(leaves - 2, -1, -1):
        one, other = children[step]
        starts[one] = starts[leaves + step]
        starts[other] = starts[one] + sizes[one]
    for leaf in range(leaves):
        order[starts[leaf]] = leaf
    return True, sizes, starts, order
