"""Sampling: which region of a merge tree becomes the object of the next lesson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from fewclicks.errors import InputError
from fewclicks.proposals.merge_tree import MergeTree

Scheme: TypeAlias = Literal["top-down", "uniform"]

SCHEMES: Final[tuple[str, ...]] = get_args(Scheme)
LEAST_AREA: Final = 0.05
"""Share of the picture under which a region is refused."""

DRAWS: Final = 100
"""The last of them is taken as it is."""


def draw_top_down(tree: MergeTree, rng: np.random.Generator, *, alpha: float = 0.9) -> int:
    """Walk from the root to a fair child each time, with a chance that shrinks, and stop.

    Parameters
    ----------
    alpha
        What the chance of going on, 1 at first, is multiplied by at each step; in [0, 1]. At 0
        the walk stops at a child of the root, at 1 at a single token.

    Returns
    -------
    int
        A node; never the root, unless there is but one token.

    Raises
    ------
    InputError
        If alpha is outside [0, 1].

    References
    ----------
    .. [1] MIS, Algorithm 2 (arXiv:2303.13399).
    """
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}; needs a number in [0, 1].")
    leaves, node, chance = tree.grid.count, tree.root, 1.0
    while node >= leaves and rng.random() < chance:
        node = int(tree.children[node - leaves, int(rng.random() >= 0.5)])
        chance *= alpha
    return node


def draw_uniform(tree: MergeTree, rng: np.random.Generator) -> int:
    """Draw any region that arose from joining, each with the same chance; the root is one.

    References
    ----------
    .. [1] MIS, Table 5 (arXiv:2303.13399).
    """
    leaves = tree.grid.count
    return int(rng.integers(leaves, 2 * leaves - 1)) if leaves > 1 else tree.root


def draw_node(
    tree: MergeTree,
    rng: np.random.Generator,
    *,
    alpha: float = 0.9,
    scheme: Scheme = "top-down",
    least_area: float = LEAST_AREA,
) -> int:
    """Draw until a region is large enough; the hundredth draw is taken as it is.

    Raises
    ------
    InputError
        If no such scheme is known, or alpha is outside [0, 1].
    """
    check_scheme(scheme)
    draw: Callable[[], int] = (
        (lambda: draw_top_down(tree, rng, alpha=alpha))
        if scheme == "top-down"
        else (lambda: draw_uniform(tree, rng))
    )
    for _ in range(DRAWS - 1):
        node = draw()
        if tree.area(node) >= least_area:
            return node
    return draw()


def check_scheme(scheme: str) -> None:
    """Refuse a scheme that nobody knows.

    Raises
    ------
    InputError
        Naming those there are.
    """
    if scheme not in SCHEMES:
        raise InputError(f"scheme is '{scheme}'; needs one of {', '.join(SCHEMES)}.")
