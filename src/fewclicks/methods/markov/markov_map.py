"""Markov map: after how many steps a walk that starts at the click is at home everywhere."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import FloatMatrix
from fewclicks.backbones.base import Grid
from fewclicks.clicks import Click
from fewclicks.methods.markov.sinkhorn import AnyTransition, Transition

Start: TypeAlias = Literal["splat", "one-hot"]
"""How a click becomes a distribution over tokens."""

_Vector: TypeAlias = NDArray[np.float32]

_EXACT_STEPS = 8  # walks that mix quickly are done by then
_STEPS_AT_A_TIME = 64  # at most, before looking whether all tokens are saturated
_KRYLOV_GROWTH, _KRYLOV_LIMIT = 4, 96  # vectors, at least and at most
_LEFT_AT_MOST = 1e-4  # of a state's length outside the space, before the space grows
_NOTHING_NEW = 1e-6  # a new vector shorter than this is rounding: the space is closed


def start_distribution(
    click: Click, *, grid: Grid, height: int, width: int, start: Start = "splat"
) -> FloatMatrix:
    """Put a click of a picture on the grid of tokens.

    Parameters
    ----------
    click
        Inside the picture of ``height`` rows and ``width`` columns.
    start
        ``"splat"`` shares the click among the four tokens around the token coordinate
        ``(grid.width - 1) * x / width`` (same for y), scaled so that the largest share is 1;
        ``"one-hot"`` gives 1 to the token whose cell holds the click.

    Returns
    -------
    (1, n) float32
    """
    shares = np.zeros((grid.height, grid.width), dtype=np.float32)
    if start == "one-hot":
        shares[click.y * grid.height // height, click.x * grid.width // width] = 1.0
    else:
        row, down = divmod((grid.height - 1) * click.y / height, 1.0)
        column, right = divmod((grid.width - 1) * click.x / width, 1.0)
        for y, share_y in ((int(row), 1.0 - down), (int(row) + 1, down)):
            for x, share_x in ((int(column), 1.0 - right), (int(column) + 1, right)):
                if share_x * share_y > 0.0:
                    shares[y, x] = share_x * share_y
        shares /= shares.max()
    return shares.reshape(1, -1)


def markov_map(
    transition: AnyTransition,
    start: FloatMatrix,
    *,
    saturation: float = 0.3,
    max_steps: int = 1000,
) -> FloatMatrix:
    """Count the steps until each token saturates when a walk starts at a click.

    Parameters
    ----------
    transition
        Of n tokens, on the processor or on a device.
    start : (k, n)
        One start distribution for each click; a factor does not matter.
    saturation
        A token is saturated once its probability is above this share of the largest one.
    max_steps
        Tokens that are not saturated by then get this number.

    Returns
    -------
    (k, n) float32
        In steps, interpolated between the last step below and the first above, in
        [0, max_steps]; smaller is more alike, 0 is where the walk started.

    Notes
    -----
    The first 8 steps are walked. All later ones are combinations of the few vectors of a Krylov
    space that starts there, so a thousand steps cost 8 products with the matrix and one for each
    vector: 4 where the walk mixes quickly, at most 96 where it does not.

    References
    ----------
    .. [1] M2N2, Eq. 6 (arXiv:2411.10411).
    .. [2] Saad, "Analysis of some Krylov subspace approximations to the matrix exponential
       operator", SIAM Journal on Numerical Analysis 29, 1992.
    """
    if not isinstance(transition, Transition):
        from fewclicks.methods.markov import torch_chain

        return torch_chain.markov_map(transition, start, saturation=saturation, max_steps=max_steps)
    maps = np.empty(start.shape, dtype=np.float32)
    for each, place in zip(maps, start, strict=True):
        each[:] = _saturation_times(transition, place, saturation, max_steps)
    return maps


def _saturation_times(
    transition: Transition, start: _Vector, saturation: float, max_steps: int
) -> _Vector:
    """Of one click: first step by step, then through a Krylov space."""
    place = (start / start.max()).astype(np.float32)
    times = np.full(place.shape, np.inf, dtype=np.float32)
    times[place > saturation] = 0.0
    before = place.copy()
    step = 0
    while step < min(_EXACT_STEPS, max_steps):
        step += 1
        place = transition.step(place)
        if _note_crossings(times, before, place[None], step, saturation):
            return times
    if step < max_steps:
        _extrapolate(times, before, _KrylovSpace(transition, place), saturation, step, max_steps)
    return np.minimum(times, np.float32(max_steps))


def _extrapolate(
    times: _Vector,
    before: _Vector,
    space: _KrylovSpace,
    saturation: float,
    step: int,
    max_steps: int,
) -> None:
    """Note the crossings after ``step``, in a space that grows when it is left too much."""
    begun = step
    space.grow()
    while step < max_steps:
        many = min(step, _STEPS_AT_A_TIME, max_steps - step)
        inside, left = space.walk(step - begun, many)
        if left > _LEFT_AT_MOST and space.grow():
            continue
        if _note_crossings(times, before, inside @ space.basis, step + 1, saturation):
            return
        step += many


class _KrylovSpace:
    """Span of start, start P, start P^2 ..., and the walk in it.

    Arnoldi's method with the Gram-Schmidt step done twice; for a symmetric walk, Lanczos's with
    full re-orthogonalisation.
    """

    def __init__(self, transition: Transition, start: _Vector) -> None:
        self._transition = transition
        self._next = start / np.linalg.norm(start)
        self._leak = 1.0  # what a step loses along the direction to come
        self.basis = np.empty((0, len(start)), dtype=np.float32)
        self.moves = np.zeros((0, 0))
        self._rewind()

    def grow(self) -> bool:
        """Add vectors; False if there are as many as there may be, or all there are."""
        old = len(self.basis)
        size = min(old + max(_KRYLOV_GROWTH, old // 4), _KRYLOV_LIMIT, self._transition.count)
        if size == old or self._leak < _NOTHING_NEW:
            return False
        basis = np.empty((size, self.basis.shape[1]), dtype=np.float32)
        basis[:old] = self.basis
        moves = np.zeros((size, size))
        moves[:old, :old] = self.moves
        for index in range(old, size):
            if index:
                moves[index, index - 1] = self._leak
            basis[index] = self._next
            moved = self._transition.step(basis[index])
            known = basis[: index + 1]
            # Of a symmetric walk all but the last two vectors are orthogonal but for rounding.
            for some in (known[-2:] if self._transition.is_symmetric else known, known):
                shares = some @ moved
                moved -= shares @ some
                moves[index + 1 - len(some) : index + 1, index] += shares
            self._leak = float(np.linalg.norm(moved))
            if self._leak < _NOTHING_NEW:
                size = index + 1
                break
            self._next = moved / np.float32(self._leak)
        self.basis, self.moves = basis[:size], moves[:size, :size]
        self._rewind()
        return True

    def _rewind(self) -> None:
        self._taken = 0
        self._state = np.eye(1, len(self.basis))[0]
        self._lost = 0.0

    def walk(self, skip: int, many: int) -> tuple[FloatMatrix, float]:
        """Coordinates (many, m) of the states after skip + 1, skip + 2 ... steps.

        Also how much of the last may lie outside the space, relative to its length. Steps are
        taken onwards only, until the space grows.
        """
        states = np.empty((many, len(self.basis)), dtype=np.float32)
        for step in range(self._taken - skip, many):
            self._lost += self._leak * abs(self._state[-1])
            self._state = self.moves @ self._state
            if step >= 0:
                states[step] = self._state
        self._taken = skip + many
        return states, self._lost / float(np.linalg.norm(self._state))


@numba.njit(cache=True, nogil=True)
def _note_crossings(
    times: _Vector, before: _Vector, places: FloatMatrix, first_step: int, saturation: float
) -> bool:
    """Write down which tokens saturate in these steps, and leave the last relative state.

    ``times`` is inf where a token has not saturated; ``before`` is the state before the first of
    ``places``, relative to its largest entry. Both are changed. True if all are saturated.
    """
    remaining = 0
    for index in range(times.size):
        if np.isinf(times[index]):
            remaining += 1
    for row in range(places.shape[0]):
        if remaining == 0:
            break
        scale = np.float32(1.0) / places[row].max()
        for index in range(times.size):
            now = places[row, index] * scale
            if now > saturation and np.isinf(times[index]):
                rise = now - before[index]
                times[index] = first_step + row - (now - saturation) / rise
                remaining -= 1
            before[index] = now
    return remaining == 0
