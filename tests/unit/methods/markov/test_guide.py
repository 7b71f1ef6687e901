from __future__ import annotations

import heapq

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fewclicks.backbones.base import Grid
from fewclicks.clicks import Click
from fewclicks.methods.markov.guide import Guide

Map = NDArray[np.float32]

GRID = Grid(5, 7)
CLICK = Click(x=20, y=9)


def _guide() -> Guide:
    noise = np.random.default_rng(0).random((20, 28, 3)).astype(np.float32)
    blots = cv2.GaussianBlur(noise, (0, 0), 2.0)
    colours = (255 * (blots - blots.min()) / np.ptp(blots)).astype(np.uint8)
    return Guide(colours=colours, grid=GRID, sigma_space=1.0, sigma_range=0.1, flood_fill=True)


def _tokens() -> Map:
    return np.random.default_rng(1).random(GRID.count, dtype=np.float32)


def _depth() -> Map:
    noise = np.random.default_rng(2).random((20, 28)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def _slow_upsampling(guide: Guide, depth: Map | None, tokens: Map) -> Map:
    """The published sum over pixels, with depth as a fourth colour."""
    channels = guide.colours.astype(np.float64) / 255
    if depth is not None:
        channels = np.dstack([channels, depth])
    height, width = channels.shape[:2]
    low = tokens.reshape(GRID.height, GRID.width)
    raised = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR)
    rows = np.arange(height)[:, None] * GRID.height / height
    columns = np.arange(width)[None, :] * GRID.width / width
    filtered = np.empty((height, width), dtype=np.float32)
    for y, x in np.ndindex(filtered.shape):
        space = (rows - rows[y]) ** 2 + (columns - columns[:, x]) ** 2
        colour = ((channels - channels[y, x]) ** 2).sum(axis=-1)
        weights = np.exp(-space / 2 - colour / (2 * 0.1**2)) * (space <= 9)
        filtered[y, x] = (weights * raised).sum() / weights.sum()
    return filtered / filtered.max()


def _slow_flood(distances: Map, depth: Map | None, click: Click) -> Map:
    """Dijkstra's algorithm over pairs of map and depth."""
    pairs = distances[..., None] if depth is None else np.dstack([distances, depth])
    climb = np.linalg.norm(pairs - pairs[click.y, click.x], axis=-1)
    flooded = np.full(climb.shape, np.inf)
    water = [(float(climb[click.y, click.x]), click.y, click.x)]
    while water:
        level, y, x = heapq.heappop(water)
        if level >= flooded[y, x]:
            continue
        flooded[y, x] = level
        for other_y, other_x in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= other_y < climb.shape[0] and 0 <= other_x < climb.shape[1]:
                rise = max(level, float(climb[other_y, other_x]))
                heapq.heappush(water, (rise, other_y, other_x))
    return np.asarray(flooded / flooded.max(), dtype=np.float32)


@pytest.mark.parametrize("with_depth", [False, True])
def test_both_steps_follow_colour_and_depth_as_published(with_depth: bool):
    guide, depth = _guide(), _depth() if with_depth else None
    if depth is not None:
        guide = guide.along(depth, upsampling=True, flood=True)
    drawn = guide.map_of(CLICK, _tokens)
    expected = _slow_upsampling(guide, depth, _tokens())
    np.testing.assert_allclose(drawn.upsampled, expected, atol=5e-3)
    expected = _slow_flood(drawn.upsampled, depth, CLICK)
    np.testing.assert_allclose(drawn.distances, expected, atol=1e-4)
    assert not drawn.distances.flags.writeable


def test_depth_changes_the_step_that_it_guides_and_no_other():
    plain = _guide().map_of(CLICK, _tokens)
    upsampling = _guide().along(_depth(), upsampling=True, flood=False).map_of(CLICK, _tokens)
    flood = _guide().along(_depth(), upsampling=False, flood=True).map_of(CLICK, _tokens)
    assert not np.array_equal(upsampling.upsampled, plain.upsampled)
    np.testing.assert_array_equal(flood.upsampled, plain.upsampled)
    assert not np.array_equal(flood.distances, plain.distances)


def test_a_guide_along_a_known_depth_is_the_one_that_was_made_for_it():
    guide = _guide()
    other = guide.along(_depth(), upsampling=True, flood=True)
    assert guide.along(_depth(), upsampling=True, flood=True) is other
    assert other.origin is guide
    assert guide.origin is guide
    assert guide.along(1 - _depth(), upsampling=True, flood=True) is not other


def test_depth_of_another_size_is_brought_to_the_guides():
    large = cv2.resize(_depth(), (56, 40), interpolation=cv2.INTER_NEAREST)
    guide = _guide().along(np.asarray(large), upsampling=True, flood=True)
    np.testing.assert_allclose(guide.depth, _depth(), atol=1e-6)
