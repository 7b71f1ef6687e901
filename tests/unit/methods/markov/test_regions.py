from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from fewclicks.arrays import RgbImage
from fewclicks.backbones.base import Features, Grid
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.energy.superpixels import Superpixels
from fewclicks.methods.markov.regions import (
    Regions,
    describe_regions,
    edge_strength,
    pool,
    squared_distance,
)


def _arrays(thing: object) -> list[NDArray[np.float64]]:
    """All arrays within a dataclass, its own dataclasses and their tuples."""
    if isinstance(thing, np.ndarray):
        return [thing]
    if isinstance(thing, tuple):
        return [array for part in thing for array in _arrays(part)]
    if dataclasses.is_dataclass(thing):
        values = [getattr(thing, field.name) for field in dataclasses.fields(thing)]
        return [array for value in values for array in _arrays(value)]
    return [np.asarray(thing.data)] if hasattr(thing, "indptr") else []


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_squared_distances_are_those_of_scipy(offset: float, precision: type):
    points = (np.random.default_rng(0).normal(size=(40, 7)) + offset).astype(precision)
    found = squared_distance(points)
    assert found.min() >= 0.0
    expected = cdist(points.astype(np.float64), points.astype(np.float64), "sqeuclidean")
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("grid", [Grid(5, 7), Grid(1, 1), Grid(12, 16), Grid(2, 16)])
def test_pooling_averages_the_token_under_each_pixel(grid: Grid):
    random = np.random.default_rng(1)
    tokens = random.normal(size=(grid.count, 3)).astype(np.float32)
    features = Features(tokens=tokens, grid=grid, temperature=1.0)
    labels = random.integers(0, 9, (12, 16)).astype(np.int32)
    superpixels = Superpixels(labels=labels, areas=np.bincount(labels.ravel()).astype(np.float64))
    sums = np.zeros((9, 3))
    for y, x in np.ndindex(labels.shape):
        row, column = math.floor(y / 12 * grid.height), math.floor(x / 16 * grid.width)
        sums[labels[y, x]] += features.tokens[row * grid.width + column]
    np.testing.assert_allclose(
        pool(features, superpixels), sums / superpixels.areas[:, None], rtol=1e-5, atol=1e-6
    )


def test_a_slope_is_half_as_strong_again_as_steep():
    """Gradients of the scales 1 and 2 weigh a half and one."""
    lab = np.zeros((40, 50, 3), dtype=np.float32)
    ys, xs = np.mgrid[:40, :50]
    lab[..., 0], lab[..., 2] = 3 * xs, 4 * ys
    np.testing.assert_allclose(edge_strength(lab)[10:-10, 10:-10], 1.5 * 5.0, rtol=1e-4)


def test_an_edge_is_as_strong_in_whichever_direction_it_runs():
    lab = np.random.default_rng(2).uniform(0, 90, (30, 40, 3)).astype(np.float32)
    strength = edge_strength(lab)
    turned = edge_strength(np.ascontiguousarray(lab.transpose(1, 0, 2)))
    np.testing.assert_allclose(turned.T, strength, rtol=1e-4)
    mirrored = edge_strength(np.ascontiguousarray(lab[:, ::-1]))
    np.testing.assert_allclose(mirrored[:, ::-1], strength, rtol=1e-4)


def test_a_flat_picture_has_no_edges():
    assert not edge_strength(np.full((9, 8, 3), 40.0, dtype=np.float32)).any()


def test_shares_and_the_border_sum_to_one(regions: Regions):
    np.testing.assert_allclose(regions.shares, regions.superpixels.areas / (48 * 64))
    assert regions.shares.sum() == pytest.approx(1.0)
    assert regions.border.sum() == pytest.approx(1.0)
    assert np.nonzero(regions.border)[0].tolist() == regions.superpixels.of_border().tolist()


def test_places_are_centres_of_mass(regions: Regions):
    labels, names = regions.superpixels.labels, range(regions.count)
    centres = ndimage.center_of_mass(np.ones_like(labels), labels, names)
    expected = np.array(centres)[:, ::-1] / math.hypot(48, 64)
    np.testing.assert_allclose(regions.places, expected, rtol=1e-5)


def test_alike_colours_are_near_and_their_kernel_is_a_gaussian(regions: Regions):
    distance, kernel = regions.colour_distance, regions.colour_kernel
    np.testing.assert_allclose(distance, distance.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(distance), 0.0, atol=1e-6)
    expected = np.exp(-((10.0 * distance.astype(np.float64)) ** 2) / (2 * 6.0**2))
    np.testing.assert_allclose(kernel, expected, atol=1e-5)


def test_colours_far_apart_are_further_than_noise(regions: Regions, picture: RgbImage):
    means = [regions.superpixels.mean(picture[..., c]) for c in range(3)]
    dominant = np.argmax(means, axis=0)  # red blob, green bar, blue ground
    is_pure = np.max(means, axis=0) > 150
    reds, blues = (np.nonzero(is_pure & (dominant == c))[0] for c in (0, 2))
    assert len(reds) > 3
    assert len(blues) > 3
    between = regions.colour_distance[np.ix_(reds, blues)].min()
    assert between > 3 * regions.colour_distance[np.ix_(blues, blues)].max()


def test_each_way_to_step_costs_something_and_the_same_both_ways(regions: Regions):
    graph = regions.graph
    assert len(regions.paths) == 4
    for steps in regions.paths:
        dense = steps.toarray()
        np.testing.assert_array_equal(dense, dense.T)
        assert (dense[graph.first, graph.second] > 0).all()
        assert np.count_nonzero(dense) == 2 * len(graph.first)


def test_a_step_over_colour_or_edges_costs_one_on_average(regions: Regions):
    for steps in (regions.paths[0], regions.paths[2], regions.paths[3]):
        assert steps.data.mean() == pytest.approx(1.0 + 0.1, rel=1e-3)  # a tenth is for the way


def test_the_plainest_path_pays_for_the_lesser_of_colour_and_edge(regions: Regions):
    graph = regions.graph
    one, other = graph.first, graph.second
    by_colour, plainest, by_edge = (
        np.asarray(steps[one, other]).ravel() for steps in regions.paths[:3]
    )
    way = np.linalg.norm(regions.places[one] - regions.places[other], axis=1)
    way /= way.mean()
    expected = (np.minimum(by_colour, by_edge) - 0.1 * way) ** 2 + 0.05 * way
    np.testing.assert_allclose(plainest, expected, rtol=1e-3, atol=1e-5)


def test_distances_from_the_border_are_those_of_the_nearest_border_region(regions: Regions):
    border = regions.superpixels.of_border()
    assert regions.border_distances.shape == (regions.count, 4)
    for k, steps in enumerate(regions.paths):
        between = shortest_path(steps, method="FW")
        np.testing.assert_allclose(regions.border_distances[:, k], between[border].min(axis=0))
    assert not regions.border_distances[border].any()


def test_all_trees_end_in_the_regions(regions: Regions):
    for tree in regions.trees:
        assert tree.leaves == regions.count
        assert tree.sums(regions.shares)[-1] == pytest.approx(1.0)


def test_a_blob_of_one_colour_merges_before_it_joins_its_ground(
    regions: Regions, picture: RgbImage
):
    is_red = regions.superpixels.mean((picture[..., 0] > 120).astype(np.float32)) > 0.9
    reds = np.nonzero(is_red)[0]
    other = int(regions.superpixels.labels[0, 0])
    for tree in regions.trees:
        meetings = tree.meetings(int(reds[0]))
        assert tree.heights[meetings[reds]].max() < tree.heights[meetings[other]]


def test_both_walks_step_from_region_to_region(regions: Regions):
    for walk in regions.walks:
        assert walk.modes.shape == (regions.count, regions.count)
        np.testing.assert_allclose(walk.spread(np.ones(regions.count), steps=1), 1.0, atol=3e-4)


def test_a_sharper_temperature_shortens_the_walk_over_features_alone(
    picture: RgbImage, features: Features, regions: Regions
):
    sharp = describe_regions(lab_image(picture), replace(features, temperature=0.002), count=60)
    np.testing.assert_array_equal(sharp.walks[0].rates, regions.walks[0].rates)
    assert sharp.walks[1].rates.sum() > regions.walks[1].rates.sum()


def test_the_same_picture_is_described_alike(
    picture: RgbImage, features: Features, regions: Regions
):
    again = describe_regions(lab_image(picture), features, count=60)
    for one, other in zip(_arrays(regions), _arrays(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_picture_that_leaves_little_to_measure_is_described_in_finite_numbers(extreme: Regions):
    assert extreme.count >= 1
    assert extreme.edge_strength > 0
    for array in _arrays(extreme):
        assert np.isfinite(array).all()
