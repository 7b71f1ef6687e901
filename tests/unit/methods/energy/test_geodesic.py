"""Geodesic distance against SciPy's Dijkstra and scikit-image's minimal paths."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph
from skimage.graph import MCP_Geometric

from drawing import mask
from fewclicks.errors import ShapeError
from fewclicks.methods.energy.edges import LENGTHS, NEIGHBOURS, step_lengths
from fewclicks.methods.energy.geodesic import WAYS, geodesic_distance, geodesic_forest


def dijkstra(steps, sources):
    """Distance by SciPy over the same edges."""
    _, height, width = steps.shape
    number = np.arange(height * width).reshape(height, width)
    begin, end, length = [], [], []
    for k, (down, right) in enumerate(NEIGHBOURS):
        for y, x in np.ndindex(height, width):
            if y + down < height and 0 <= x + right < width:
                begin.append(number[y, x])
                end.append(number[y + down, x + right])
                length.append(steps[k, y, x])
    graph = sparse.csr_array((length, (begin, end)), shape=(number.size, number.size))
    distances = csgraph.dijkstra(graph, directed=False, indices=number[sources], min_only=True)
    return distances.reshape(height, width)


def steps_over(cost):
    """Length of each step where every pixel has a price: the mean of both ends', for its way."""
    steps = np.zeros((4, *cost.shape), dtype=np.float32)
    for k, (down, right) in enumerate(NEIGHBOURS):
        for y, x in np.ndindex(cost.shape):
            if y + down < cost.shape[0] and 0 <= x + right < cost.shape[1]:
                steps[k, y, x] = LENGTHS[k] * (cost[y, x] + cost[y + down, x + right]) / 2
    return steps


@pytest.mark.parametrize("seed", range(8))
def test_distances_are_those_of_dijkstra(seed):
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 30, 2))
    # Cubed, so that a few dear steps make paths wind.
    steps = step_lengths((random.random((*shape, 2)) ** 3).astype(np.float32), spatial=0.01)
    sources = np.zeros(shape, dtype=bool)
    sources[tuple(random.integers(0, shape, (3, 2)).T)] = True

    assert geodesic_distance(steps, sources) == pytest.approx(dijkstra(steps, sources), rel=1e-5)


def test_distances_over_a_cost_are_those_of_scikit_image():
    cost = (np.random.default_rng(1).random((40, 60)) ** 2 + 0.01).astype(np.float32)
    sources = np.zeros(cost.shape, dtype=bool)
    sources[5, 7] = sources[30, 50] = True

    expected, _ = MCP_Geometric(cost).find_costs(np.argwhere(sources))

    assert geodesic_distance(steps_over(cost), sources) == pytest.approx(expected, rel=1e-5)


def test_a_path_goes_round_a_wall_if_that_is_shorter():
    walls = mask(
        ".......",
        ".#####.",
        ".#...#.",
        ".#.#.#.",
        "...#...",
    )
    sources = np.zeros(walls.shape, dtype=bool)
    sources[2, 3] = True
    steps = steps_over(np.where(walls, np.float32(100), np.float32(1)))

    distance = geodesic_distance(steps, sources)

    assert distance[0, 3] < 16  # down, out, up and over, instead of through
    assert distance[0, 3] == pytest.approx(dijkstra(steps, sources)[0, 3])


@pytest.mark.parametrize("spatial", [0.0, 0.5])
def test_following_the_parents_costs_the_distance_and_ends_at_a_source(spatial):
    random = np.random.default_rng(5)
    # Few levels, so that many steps are free and many paths tie.
    picture = random.integers(0, 3, (20, 25, 1)).astype(np.float32)
    steps = step_lengths(picture, spatial=spatial)
    sources = random.random((20, 25)) < 0.01

    distance, parents = geodesic_forest(steps, sources)

    assert np.array_equal(parents < 0, sources)
    for y, x in np.ndindex(20, 25):
        length, place = 0.0, (y, x)
        for _ in range(20 * 25):
            way = parents[place]
            if way < 0:
                break
            after = (place[0] + WAYS[way][0], place[1] + WAYS[way][1])
            length += steps[way][place] if way < 4 else steps[way - 4][after]
            place = after
        assert sources[place]
        assert length == pytest.approx(distance[y, x], abs=1e-4)


def test_without_a_source_everything_is_infinitely_far():
    steps = step_lengths(np.zeros((3, 4, 1), dtype=np.float32), spatial=1.0)

    distance, parents = geodesic_forest(steps, np.zeros((3, 4), dtype=bool))

    assert np.isinf(distance).all()
    assert (parents == -1).all()


def test_sources_of_another_size_are_refused():
    steps = step_lengths(np.zeros((3, 4, 1), dtype=np.float32))

    with pytest.raises(ShapeError, match=r"sources has shape \(4, 3\); needs .* \(3, 4\)"):
        geodesic_distance(steps, np.zeros((4, 3), dtype=bool))
