"""Ward's merging: always the two clusters whose union adds the least variance.

Where only clusters that touch may merge, each edge belongs to its younger end, and a heap holds
each node's cheapest edge. So the heap never has more than n entries, and an edge whose older end
has died is found out when its turn comes: the node looks at its own short list for the next one.

Where any two may merge, chains of nearest neighbours find the same merges without a search over all
pairs. With touching clusters they would not: two neighbours' union may lie nearer to a third one
than either did.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.errors import InputError

Merges: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
Real: TypeAlias = np.floating[Any]
Reals: TypeAlias = NDArray[Real]

_SUM_IN_ANY_ORDER = {"reassoc", "contract"}  # what lets a sum run in several lanes


def merge_touching(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    means: Reals,
    masses: Reals,
) -> Merges:
    """Merge clusters along a graph until one is left.

    Parameters
    ----------
    first, second : (m,)
        The pairs that touch, each once.
    means : (n, c)
        Of the clusters, float32 or float64, in which the arithmetic is done.
    masses : (n,)
        Of the clusters, above 0.

    Returns
    -------
    children : (n - 1, 2)
        Row k makes cluster n + k; the older child stands first.
    costs : (n - 1,)
        ``m_a m_b |f_a - f_b|^2 / (m_a + m_b)``; they may fall from child to parent. Of equal costs
        the pair comes first whose younger child is older, then the one whose older child is.

    Raises
    ------
    InputError
        If the graph has several parts.

    References
    ----------
    .. [1] Ward, "Hierarchical Grouping to Optimize an Objective Function", JASA 1963.
    .. [2] MIS, Algorithm 1 and Eq. 3, 4 (arXiv:2303.13399).
    """
    kept = np.array(means, order="C")  # both are written to
    children, costs, count = _merge_touching(
        np.ascontiguousarray(first, np.int64),
        np.ascontiguousarray(second, np.int64),
        kept,
        np.array(masses, dtype=kept.dtype),
    )
    if count < len(children):
        raise InputError(
            f"The graph has {len(children) - count + 1} parts; merging needs a connected one."
        )
    return children, costs


def merge_any(means: Reals) -> Merges:
    """Merge clusters of mass 1 without any graph; see `merge_touching`.

    Returns
    -------
    children, costs
        Costs never fall; they are raised to those of the children where rounding says otherwise.

    Notes
    -----
    Keeps the n x n costs: 52 MB for 3600 clusters in float32, twice that in float64.

    References
    ----------
    .. [1] Müllner, "Modern hierarchical, agglomerative clustering algorithms", 2011,
       arXiv:1109.2378.
    """
    centred = means - means.mean(axis=0)
    squares = np.einsum("nc,nc->n", centred, centred)
    costs = centred @ centred.T
    costs *= -2.0
    costs += squares
    costs += squares[:, None]
    costs *= 0.5  # two clusters of mass 1
    np.maximum(costs, 0.0, out=costs)
    merged, heights = _follow_chains(costs)
    order = np.argsort(heights, kind="stable")
    return _number(merged, order), heights[order]


@numba.njit(cache=True, nogil=True, fastmath=_SUM_IN_ANY_ORDER)
def _cost(means: Reals, masses: Reals, a: int, b: int) -> Real:
    one, other = means[a], means[b]
    distance: Real = means.dtype.type(0)
    for c in range(len(one)):
        away = one[c] - other[c]
        distance += away * away
    distance *= masses[a] * masses[b] / (masses[a] + masses[b])
    return distance


@numba.njit(cache=True, nogil=True)
def _merge_touching(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    means: Reals,
    masses: Reals,
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Let a union live in the row of its older child; `nodes` says who lives in a row now."""
    leaves, edges = len(means), len(first)
    children = np.empty((max(leaves - 1, 0), 2), dtype=np.int64)
    costs = np.zeros(max(leaves - 1, 0))
    nodes = np.arange(leaves)
    rows = np.empty(2 * leaves, dtype=np.int64)  # of a node; -1 once it is dead
    rows[:leaves] = nodes
    names = np.arange(leaves)  # of rows: where a row that was taken over leads to
    # Neighbours as linked lists: `entries` are rows, `prices` the costs of edges to older ones.
    heads, tails = np.full(leaves, -1), np.full(leaves, -1)
    entries, links = np.empty(2 * edges, dtype=np.int64), np.full(2 * edges, -1)
    prices = np.empty(2 * edges, dtype=means.dtype)
    for edge in range(edges):
        a, b = min(first[edge], second[edge]), max(first[edge], second[edge])
        for place, row, other in ((2 * edge, b, a), (2 * edge + 1, a, b)):
            entries[place] = other
            if heads[row] < 0:
                heads[row] = place
            else:
                links[tails[row]] = place
            tails[row] = place
        prices[2 * edge] = _cost(means, masses, a, b)

    keys = np.empty(leaves, dtype=means.dtype)  # the heap: the cost, the node and its partner
    owners, partners = np.empty(leaves, dtype=np.int64), np.empty(leaves, dtype=np.int64)
    size = 0
    for row in range(leaves):
        price, partner = _cheapest(row, nodes, names, heads, links, entries, prices)
        if partner >= 0:
            _push(keys, owners, partners, size, price, row, partner)
            size += 1

    seen_by = np.full(leaves, -1)
    count = 0
    while size and count < leaves - 1:
        owner, partner, price = owners[0], partners[0], keys[0]
        row = rows[owner]
        if row < 0:
            size -= 1
            _sift_down(keys, owners, partners, size, keys[size], owners[size], partners[size])
            continue
        if rows[partner] < 0:
            price, partner = _cheapest(row, nodes, names, heads, links, entries, prices)
            if partner < 0:
                size -= 1
                price, owner, partner = keys[size], owners[size], partners[size]
            _sift_down(keys, owners, partners, size, price, owner, partner)
            continue
        node, kept = leaves + count, rows[partner]
        children[count, 0], children[count, 1], costs[count] = partner, owner, price
        count += 1
        _unite(means, masses, kept, row)
        rows[partner] = rows[owner] = -1
        rows[node], nodes[kept], names[row] = kept, node, kept
        if heads[kept] < 0:
            heads[kept], tails[kept] = heads[row], tails[row]
        elif heads[row] >= 0:
            links[tails[kept]], tails[kept] = heads[row], tails[row]
        price, partner = _price_all(
            kept, node, nodes, names, heads, tails, links, entries, prices, seen_by, means, masses
        )
        if partner >= 0:
            _sift_down(keys, owners, partners, size, price, node, partner)
        else:
            size -= 1
            _sift_down(keys, owners, partners, size, keys[size], owners[size], partners[size])
    return children, costs, count


@numba.njit(cache=True, nogil=True)
def _unite(means: Reals, masses: Reals, kept: int, row: int) -> None:
    total = masses[kept] + masses[row]
    for c in range(means.shape[1]):
        means[kept, c] = (masses[kept] * means[kept, c] + masses[row] * means[row, c]) / total
    masses[kept] = total


@numba.njit(cache=True, nogil=True)
def _name(names: NDArray[np.int64], row: int) -> int:
    while names[row] != row:
        names[row] = names[names[row]]
        row = names[row]
    return row


@numba.njit(cache=True, nogil=True)
def _cheapest(
    row: int,
    nodes: NDArray[np.int64],
    names: NDArray[np.int64],
    heads: NDArray[np.int64],
    links: NDArray[np.int64],
    entries: NDArray[np.int64],
    prices: Reals,
) -> tuple[Real, int]:
    """Find the cheapest edge of a row to an older node; those to younger ones are not its own."""
    least: Real = prices.dtype.type(0)
    partner = -1
    place = heads[row]
    while place >= 0:
        other = nodes[_name(names, entries[place])]
        if other < nodes[row] and (
            partner < 0 or prices[place] < least or (prices[place] == least and other < partner)
        ):
            least, partner = prices[place], other
        place = links[place]
    return least, partner


@numba.njit(cache=True, nogil=True)
def _price_all(
    row: int,
    node: int,
    nodes: NDArray[np.int64],
    names: NDArray[np.int64],
    heads: NDArray[np.int64],
    tails: NDArray[np.int64],
    links: NDArray[np.int64],
    entries: NDArray[np.int64],
    prices: Reals,
    seen_by: NDArray[np.int64],
    means: Reals,
    masses: Reals,
) -> tuple[Real, int]:
    """Price each neighbour of a new node, unlink repeated ones, and find the cheapest."""
    least: Real = prices.dtype.type(0)
    partner = -1
    seen_by[row] = node
    last, place = -1, heads[row]
    heads[row] = -1
    while place >= 0:
        after = links[place]
        other = _name(names, entries[place])
        if seen_by[other] != node:
            seen_by[other] = node
            price = _cost(means, masses, row, other)
            entries[place], prices[place] = other, price
            if partner < 0 or price < least or (price == least and nodes[other] < partner):
                least, partner = price, nodes[other]
            if last < 0:
                heads[row] = place
            else:
                links[last] = place
            last = place
        place = after
    if last >= 0:
        links[last] = -1
    tails[row] = last
    return least, partner


@numba.njit(cache=True, nogil=True)
def _push(
    keys: Reals,
    owners: NDArray[np.int64],
    partners: NDArray[np.int64],
    size: int,
    key: Real,
    owner: int,
    partner: int,
) -> None:
    place = size
    while place:
        above = (place - 1) // 2
        if not (key < keys[above] or (key == keys[above] and owner < owners[above])):
            break
        keys[place], owners[place], partners[place] = keys[above], owners[above], partners[above]
        place = above
    keys[place], owners[place], partners[place] = key, owner, partner


@numba.njit(cache=True, nogil=True)
def _sift_down(
    keys: Reals,
    owners: NDArray[np.int64],
    partners: NDArray[np.int64],
    size: int,
    key: Real,
    owner: int,
    partner: int,
) -> None:
    """Put an entry in the place of the heap's first one."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        right = below + 1
        if right < size and (
            keys[right] < keys[below]
            or (keys[right] == keys[below] and owners[right] < owners[below])
        ):
            below = right
        if not (keys[below] < key or (keys[below] == key and owners[below] < owner)):
            break
        keys[place], owners[place], partners[place] = keys[below], owners[below], partners[below]
        place = below
    keys[place], owners[place], partners[place] = key, owner, partner


@numba.njit(cache=True, nogil=True)
def _follow_chains(
    costs: Reals,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merge whenever two rows are nearest to each other; rows of a pair, and the pair's cost."""
    count = len(costs)
    merged = np.empty((max(count - 1, 0), 2), dtype=np.int64)
    heights = np.zeros(max(count - 1, 0))
    masses, own = np.ones(count, dtype=costs.dtype), np.zeros(count)
    for row in range(count):
        costs[row, row] = np.inf
    chain = np.empty(count, dtype=np.int64)
    length = 0
    for step in range(count - 1):
        if length == 0:
            chain[0] = np.argmax(masses)  # any that is alive: the dead have mass 0
            length = 1
        while True:
            tip = chain[length - 1]
            nearest = np.argmin(costs[tip])
            if length > 1 and costs[tip, chain[length - 2]] <= costs[tip, nearest]:
                break
            chain[length] = nearest
            length += 1
        other = chain[length - 2]
        length -= 2
        kept, gone = min(tip, other), max(tip, other)
        height = max(costs[kept, gone], own[kept], own[gone])
        merged[step, 0], merged[step, 1], heights[step] = kept, gone, height
        own[kept] = height
        _join_rows(costs, masses, kept, gone)
    return merged, heights


@numba.njit(cache=True, nogil=True)
def _join_rows(costs: Reals, masses: Reals, kept: int, gone: int) -> None:
    """Give the costs of a union from those of its parts, as Lance and Williams do."""
    between, a, b = costs[kept, gone], masses[kept], masses[gone]
    for row in range(len(costs)):
        mass = masses[row]
        if mass == 0 or row in (kept, gone):
            continue
        cost = ((a + mass) * costs[kept, row] + (b + mass) * costs[gone, row] - mass * between) / (
            a + b + mass
        )
        costs[kept, row] = costs[row, kept] = cost
        costs[row, gone] = np.inf
    costs[kept, gone] = np.inf
    masses[kept], masses[gone] = a + b, 0


@numba.njit(cache=True, nogil=True)
def _number(merged: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Name the clusters by the order in which they merge."""
    leaves = len(merged) + 1
    nodes, names = np.arange(leaves), np.arange(leaves)
    children = np.empty((leaves - 1, 2), dtype=np.int64)
    for step in range(leaves - 1):
        a, b = _name(names, merged[order[step], 0]), _name(names, merged[order[step], 1])
        children[step, 0] = min(nodes[a], nodes[b])
        children[step, 1] = max(nodes[a], nodes[b])
        names[b] = a
        nodes[a] = leaves + step
    return children
