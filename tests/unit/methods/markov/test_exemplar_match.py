from __future__ import annotations

import math

import numpy as np

from drawing import BLOB, enlarge, mask, paint
from fewclicks.backbones.base import Features, Grid
from fewclicks.backbones.registry import create_backbone
from fewclicks.clicks import Click
from fewclicks.methods.guidance import Exemplar, Guidance
from fewclicks.methods.markov.exemplar_match import match_exemplar
from fewclicks.methods.markov.fewclicks import Fewclicks

SHAPE = mask("......", ".##...", ".##...", "......")


def _features() -> Features:
    tokens = np.random.default_rng(3).normal(size=(24, 5)).astype(np.float32)
    return Features(tokens=tokens, grid=Grid(4, 6), temperature=3.0)


def test_likeness_is_the_ratio_of_mean_votes_without_the_exemplars_rarity():
    features, on = _features(), SHAPE.ravel()
    match = match_exemplar(Exemplar(mask=SHAPE), features, weight=0.5, doubt=2.0)

    for token, found in zip(features.tokens, match.likeness.ravel(), strict=True):
        kernel = np.exp(-((features.tokens - token) ** 2).sum(axis=1) / 3.0)
        bounded = np.clip(math.log(kernel[on].sum() / kernel[~on].sum()), -6, 6)
        rarity = math.log((~on).sum() / on.sum())
        assert abs(found - (0.5 * (bounded + rarity) - 2.0)) < 1e-2


def test_an_exemplar_without_a_positive_click_is_clicked_on_its_middle():
    off = Click(x=5, y=0, is_positive=False)
    bare = match_exemplar(Exemplar(mask=SHAPE, clicks=(off,)), _features(), weight=1, doubt=0)
    clicked = match_exemplar(
        Exemplar(mask=SHAPE, clicks=(Click(x=2, y=2),)), _features(), weight=1, doubt=0
    )

    assert bare.clicks == (Click(x=1, y=1), off)
    assert clicked.clicks == (Click(x=2, y=2),)
    assert bare.depth == clicked.depth == 1


def test_an_exemplar_that_is_the_whole_picture_is_like_every_place():
    match = match_exemplar(Exemplar(mask=np.ones_like(SHAPE)), _features(), weight=0.5, doubt=2.0)

    assert np.isfinite(match.likeness).all()


def test_an_exemplar_that_is_shown_again_is_not_compared_again():
    on = enlarge(BLOB, 2)
    method = Fewclicks(create_backbone("colour"))
    shown = method.condition(method.prepare(paint(on)), Guidance(exemplar=Exemplar(mask=on)))
    again = Guidance(exemplar=Exemplar(mask=on.copy()), excluded=on)
    other = Guidance(exemplar=Exemplar(mask=on, clicks=(Click(x=0, y=0, is_positive=False),)))

    assert method.condition(shown, again).kind is shown.kind
    assert method.condition(shown, other).kind is not shown.kind
    assert method.condition(shown, Guidance()).kind is None
