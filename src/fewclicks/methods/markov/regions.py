"""A picture as regions, with everything about them that no click changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fewclicks.arrays import FloatImage, FloatMap, FloatMatrix
from fewclicks.backbones.base import Features
from fewclicks.methods.energy.region_graph import RegionGraph, path_distance, region_graph
from fewclicks.methods.energy.region_tree import RegionTree, bottleneck_tree, ward_tree
from fewclicks.methods.energy.superpixels import Superpixels, find_superpixels
from fewclicks.methods.markov.diffusion import Diffusion, diffusion

_DESCRIPTOR_WEIGHTS: Final = np.array([0.6, 1.0, 1.0, 0.5, 0.5, 0.5, 1.0])  # Lab, spread, texture
_COLOUR_SCALE: Final = 6.0  # units of Lab, of the kernel that smooths colour models
_FEATURE_BREADTH: Final = 3.0  # of the kernel that smooths models of features, in temperatures
_WALK_SCALES: Final = (4.5, 0.08)  # units of Lab; share of the picture's diagonal
_UNION_SIZES: Final = (4, 12, 40, 120)  # regions
_MERGE_UNIT: Final = 10.0  # units of Lab that make a merge height of 1 between two mean regions


@dataclass(frozen=True, kw_only=True, slots=True)
class Regions:
    """A picture's superpixels and how they hang together; n regions, m borders.

    Parameters
    ----------
    superpixels
        The regions.
    graph
        Which of them touch.
    shares : (n,)
        Of the picture's area; they sum to 1.
    places : (n, 2)
        Mean x and y, as a share of the picture's diagonal.
    colour_distance : (n, n) float32
        Between descriptors of colour and texture, in tenths of a Lab unit.
    colour_kernel : (n, n) float32
        How alike two regions' colours are, in [0, 1].
    feature_distance : (n, n) float32
        Between the backbone's features, in units in which 1 is plainly visible.
    feature_kernel : (n, n) float32
        How alike two regions' features are, in [0, 1].
    paths
        Prices of stepping from region to region: by colour, by the plainest of colour and edge,
        by edge, by the backbone's features.
    trees
        By variance of colour (Ward), by the lowest barrier, by variance of features (Ward).
    unions
        For each tree, the smallest union around each region of at least 4, 12, 40 and 120
        regions, (n,) node numbers.
    union_shares : each (2n - 1,)
        For each tree, the area of every node as a share of the picture's.
    walks
        Over the regions' own colours, and over the backbone's features.
    border : (n,)
        Share of each region in the area of all that touch the picture's border; sums to 1.
    border_distances : (n, 4)
        From the picture's border, along each of the paths.
    edge_strength
        Mean over the picture.
    """

    superpixels: Superpixels
    graph: RegionGraph
    shares: NDArray[np.float64]
    places: NDArray[np.float64]
    colour_distance: FloatMatrix
    colour_kernel: FloatMatrix
    feature_distance: FloatMatrix
    feature_kernel: FloatMatrix
    paths: tuple[sparse.csr_matrix, ...]
    trees: tuple[RegionTree, RegionTree, RegionTree]
    unions: tuple[tuple[NDArray[np.int64], ...], ...]
    union_shares: tuple[NDArray[np.float64], ...]
    walks: tuple[Diffusion, Diffusion]
    border: NDArray[np.float64]
    border_distances: NDArray[np.float64]
    edge_strength: float

    @property
    def count(self) -> int:
        """Of regions."""
        return self.superpixels.count

    @property
    def centres(self) -> NDArray[np.float64]:
        """(n, 2) Mean x and y of the regions, in pixels."""
        return self.places * math.hypot(*self.superpixels.labels.shape)


def describe_regions(lab: FloatImage, features: Features, *, count: int) -> Regions:
    """Cut a picture into regions and work out how they hang together.

    Parameters
    ----------
    lab : (H, W, 3)
        In units of Lab.
    features
        A backbone's tokens of the same picture.
    count
        About so many regions.
    """
    height, width = lab.shape[:2]
    smooth = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), dtype=np.float32)
    superpixels = find_superpixels(smooth, count=count)
    strength = edge_strength(lab)
    graph = region_graph(superpixels, strength)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack([superpixels.mean(xs), superpixels.mean(ys)], axis=1)
    places /= math.hypot(height, width)
    descriptors = _descriptors(lab, superpixels)
    squares = squared_distance(descriptors)
    walk_scale, place_scale = _WALK_SCALES
    nearness = squared_distance(places) / (2 * place_scale**2)
    own = np.exp(-squares / (2 * walk_scale**2) - nearness).astype(np.float32)
    pooled = pool(features, superpixels) / math.sqrt(features.temperature)
    unlike = squared_distance(pooled)
    seen = np.exp(-unlike).astype(np.float32)
    barriers, paths = _paths(graph, descriptors, pooled, places)
    areas = superpixels.areas
    border = np.zeros(superpixels.count)
    border[superpixels.of_border()] = areas[superpixels.of_border()]
    trees = (
        ward_tree(graph, descriptors / _MERGE_UNIT, areas / areas.mean()),
        bottleneck_tree(graph, barriers),
        ward_tree(graph, pooled, areas / areas.mean()),
    )
    return Regions(
        superpixels=superpixels,
        graph=graph,
        shares=areas / areas.sum(),
        places=places,
        colour_distance=(np.sqrt(squares) / 10.0).astype(np.float32),
        colour_kernel=np.exp(-squares / (2 * _COLOUR_SCALE**2)).astype(np.float32),
        feature_distance=np.sqrt(unlike).astype(np.float32),
        feature_kernel=np.exp(-unlike / _FEATURE_BREADTH).astype(np.float32),
        paths=paths,
        trees=trees,
        unions=tuple(tuple(map(tree.ancestors, _UNION_SIZES)) for tree in trees),
        union_shares=tuple(tree.sums(areas / areas.sum()) for tree in trees),
        walks=(diffusion(own), diffusion(seen)),
        border=border / border.sum(),
        border_distances=np.stack(
            [path_distance(steps, superpixels.of_border()) for steps in paths], axis=1
        ),
        edge_strength=float(strength.mean()) + 1e-6,
    )


def edge_strength(lab: FloatImage) -> FloatMap:
    """Length of the colour gradient, (H, W), at a fine scale and, twice as heavy, at a coarse one.

    On a slope of one Lab unit a pixel it is 1.5.
    """
    total = np.zeros(lab.shape[:2], dtype=np.float32)
    for scale in (1.0, 2.0):
        smooth = cv2.GaussianBlur(lab, (0, 0), scale)
        right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
        down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
        total += np.float32(scale / 2) * np.sqrt((right * right + down * down).sum(axis=2))
    return total


def squared_distance(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Between all pairs of rows, (n, n), never below 0."""
    points = points.astype(np.float64) - points.mean(axis=0)
    squares = np.einsum("nc,nc->n", points, points)
    products = points @ points.T
    return np.asarray(np.maximum(squares[:, None] + squares[None, :] - 2.0 * products, 0.0))


def pool(features: Features, superpixels: Superpixels) -> NDArray[np.float64]:
    """Average the tokens under each superpixel, (n, c); a token covers its cell of the picture."""
    height, width = superpixels.labels.shape
    rows = np.arange(height) * features.grid.height // height
    columns = np.arange(width) * features.grid.width // width
    cells = rows[:, None] * features.grid.width + columns[None, :]
    pixels = np.ones(cells.size)
    overlap = sparse.csr_matrix(
        (pixels, (superpixels.labels.ravel(), cells.ravel())),
        shape=(superpixels.count, features.grid.count),
    )
    return np.asarray(overlap @ features.tokens / superpixels.areas[:, None])


def _descriptors(lab: FloatImage, superpixels: Superpixels) -> NDArray[np.float64]:
    """Mean Lab, its spread and the strength of fine texture, weighted, (n, 7)."""
    channels = [lab[..., c] for c in range(3)]
    means = np.stack([superpixels.mean(channel) for channel in channels], axis=1)
    squares = np.stack([superpixels.mean(channel * channel) for channel in channels], axis=1)
    spread = np.sqrt(np.maximum(squares - means * means, 0.0))
    fine = np.abs(lab[..., 0] - cv2.GaussianBlur(lab[..., 0], (0, 0), 2.0))
    texture = superpixels.mean(cv2.GaussianBlur(fine, (0, 0), 2.0))[:, None]
    return np.asarray(np.concatenate([means, spread, texture], axis=1) * _DESCRIPTOR_WEIGHTS)


def _paths(
    graph: RegionGraph,
    descriptors: NDArray[np.float64],
    features: NDArray[np.float64],
    places: NDArray[np.float64],
) -> tuple[NDArray[np.float64], tuple[sparse.csr_matrix, ...]]:
    """Barrier of each border, (m,), and the four ways to price a step, each about 1 on average."""

    def relative(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values / (values.mean() + 1e-6) if values.size else values

    def between(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(values[graph.first] - values[graph.second], axis=1))

    colour, edge = relative(between(descriptors)), relative(graph.strengths)
    way, seen = relative(between(places)), relative(between(features))
    prices = (
        colour + 0.1 * way,
        np.minimum(edge, colour) ** 2 + 0.05 * way,
        edge + 0.1 * way,
        seen + 0.1 * way,
    )
    return np.maximum(edge, 0.7 * colour), tuple(graph.steps(price) for price in prices)
