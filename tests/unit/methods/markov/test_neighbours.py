from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import rel_entr

from drawing import BLOB, enlarge, mask, paint
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.methods.markov.compact_matrix import PlainMatrix
from fewclicks.methods.markov.m2n2 import M2N2
from fewclicks.methods.markov.neighbours import AttentionNN, KlNN, M2N2NoFloodFill
from fewclicks.methods.markov.sinkhorn import Transition
from fewclicks.methods.markov.token_maps import (
    AttentionDistance,
    DivergenceDistance,
    MarkovWalk,
    normalise_rows,
)

COARSE = ColourBackbone(ColourConfig(longest_side=16))


@pytest.fixture
def attention() -> NDArray[np.float32]:
    return normalise_rows(np.random.default_rng(0).random((9, 9), dtype=np.float32) + 0.05)


@pytest.fixture
def start() -> NDArray[np.float32]:
    shares = np.zeros((1, 9), dtype=np.float32)
    shares[0, [3, 4]] = 1.0, 0.25
    return shares


def test_attention_is_read_as_nearness(attention: NDArray[np.float32], start: NDArray[np.float32]):
    row = (attention[3] + 0.25 * attention[4]) / 1.25
    found = AttentionDistance(attention=attention).distances(start)
    np.testing.assert_allclose(found, 1 - row / row.max(), atol=1e-6)
    assert found.min() == 0.0


def test_divergence_is_the_symmetric_sum_over_tokens(
    attention: NDArray[np.float32], start: NDArray[np.float32]
):
    row = (attention[3] + 0.25 * attention[4]) / 1.25
    expected = [(rel_entr(row, each).sum() + rel_entr(each, row).sum()) / 2 for each in attention]
    found = DivergenceDistance(attention).distances(start)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_token_does_not_diverge_from_itself(attention: NDArray[np.float32]):
    found = DivergenceDistance(attention).distances(np.eye(1, 9, 4, dtype=np.float32))
    assert found[4] == pytest.approx(0.0, abs=1e-6)
    assert (found >= 0.0).all()
    assert found.argmin() == 4


def test_the_walk_shows_the_attention_as_it_was_before_it_was_tempered(
    attention: NDArray[np.float32], start: NDArray[np.float32]
):
    kernel = (attention / attention.max(axis=1, keepdims=True)) ** np.float32(1 / 0.65)
    ones = np.ones(9, dtype=np.float32)
    transition = Transition(
        kernel=kernel,
        products=PlainMatrix(matrix=kernel),
        rows=ones,
        columns=ones,
        is_symmetric=False,
        error=0.0,
        rounds=0,
    )
    walk = MarkovWalk(transition=transition, temperature=0.65, saturation=0.3, max_steps=10)
    stages = walk.stages(start)
    row = (attention[3] + 0.25 * attention[4]) / 1.25
    np.testing.assert_allclose(stages["attention"], row, rtol=1e-4)
    np.testing.assert_array_equal(stages["markov"], walk.distances(start))


@pytest.mark.parametrize("method", [AttentionNN(COARSE), KlNN(COARSE)], ids=["attention", "kl"])
def test_a_neighbour_has_the_frame_of_m2n2_and_distances_of_its_own(method: M2N2):
    picture, click = paint(BLOB), Click(x=30, y=24)
    own, walk = method.prepare(picture), M2N2(COARSE).prepare(picture)
    assert own.guide.grid == walk.guide.grid
    drawn = method.map_of(own, click)
    assert drawn.distances[click.y, click.x] == 0.0
    assert not np.array_equal(drawn.upsampled, M2N2(COARSE).map_of(walk, click).upsampled)
    assert method.predict(own, [click]).mask[click.y, click.x]


def test_without_flood_fill_a_click_reaches_what_is_alike_but_apart():
    on = enlarge(mask("........", ".##..##.", ".##..##.", "........"), 10)
    config = M2N2NoFloodFill.config_type(temperature=3.0)
    method = M2N2NoFloodFill(COARSE, config)
    assert method.predict(method.prepare(paint(on)), [Click(x=20, y=20)]).mask[20, 60]
