"""Random walker against the Dirichlet problem solved plainly."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask, paint
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.classical.random_walker import RandomWalker, RandomWalkerConfig


def dirichlet(lab, positive, negative, beta):
    """Probability of meeting a positive seed first, by dense algebra over the 4-neighbours."""
    height, width = positive.shape
    number = np.arange(height * width).reshape(height, width)
    weights = np.zeros((height * width, height * width))
    for y, x in np.ndindex(height, width):
        for v, u in ((y, x + 1), (y + 1, x)):
            if v < height and u < width:
                square = ((lab[y, x].astype(float) - lab[v, u]) ** 2).sum()
                # scikit-image scales by the spread of the data and by the channels' number.
                scale = beta / (10 * lab.std() * np.sqrt(lab.shape[-1]))
                weight = np.exp(-scale * square) + 1e-10
                weights[number[y, x], number[v, u]] = weights[number[v, u], number[y, x]] = weight
    laplacian = np.diag(weights.sum(axis=1)) - weights
    free = ~(positive | negative).ravel()
    probability = positive.ravel().astype(float)
    probability[free] = np.linalg.solve(
        laplacian[np.ix_(free, free)], -laplacian[np.ix_(free, ~free)] @ probability[~free]
    )
    return probability.reshape(height, width)


def test_probabilities_solve_the_dirichlet_problem():
    method = RandomWalker(RandomWalkerConfig(radius=0, beta=0.3))
    prepared = method.prepare(
        paint(enlarge(mask("....", ".##.", "...."), 4), inside=(90, 80, 80), outside=(80, 90, 80))
    )
    positive, negative = np.zeros((2, 12, 16), dtype=bool)
    positive[6, 8], negative[1, 1] = True, True

    answer = method.predict(prepared, [Click(x=8, y=6), Click(x=1, y=1, is_positive=False)])

    expected = dirichlet(prepared.lab, positive, negative, 0.3)
    assert answer.probability == pytest.approx(expected, abs=1e-4)
    assert 0.01 < np.median(answer.probability) < 0.99


def test_a_large_picture_is_solved_small():
    picture = paint(enlarge(mask("....", ".##.", "...."), 100))
    method = RandomWalker(RandomWalkerConfig(longest_side=100))

    prepared = method.prepare(picture)

    assert prepared.lab.shape == (75, 100, 3)
    assert method.predict(prepared, [Click(x=200, y=150)]).probability.shape == (300, 400)


def test_a_negative_beta_is_refused():
    with pytest.raises(InputError, match=r"beta is -1.0; needs a number from 0 on"):
        RandomWalkerConfig(beta=-1.0)
