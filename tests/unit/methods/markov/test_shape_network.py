from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from fewclicks.backbones.colour import ColourBackbone
from fewclicks.clicks import Click
from fewclicks.errors import WeightsError
from fewclicks.methods.markov.fewclicks import Fewclicks
from fewclicks.methods.markov.fewclicks_config import FewclicksConfig
from fewclicks.methods.markov.shape_network import ShapeNetwork, shape_network
from fewclicks.methods.markov.view import View


@pytest.fixture(scope="module")
def view() -> View:
    config = FewclicksConfig(regions=300, longest_side=256)
    return Fewclicks(ColourBackbone(), config).prepare(astronaut()).whole


def test_only_regions_near_the_answer_are_corrected(view: View):
    opinion = np.where(np.hypot(*(view.places - 0.25).T) < 0.1, 3.0, -3.0)
    change = shape_network().correction(view, opinion, [Click(x=64, y=64)], None)
    assert change.shape == opinion.shape
    assert np.isfinite(change).all()
    is_far = (view.places > 0.6).any(axis=1)
    assert not change[is_far].any()
    assert np.abs(change[~is_far]).max() > 0.05


def test_the_same_question_has_the_same_answer(view: View):
    opinion = np.linspace(-4, 4, len(view.places))
    clicks = [Click(x=200, y=100), Click(x=20, y=30, is_positive=False)]
    before = np.zeros(view.shape, dtype=bool)
    before[80:120] = True
    once, again = (shape_network().correction(view, opinion, clicks, before) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    other = shape_network().correction(view, opinion, clicks, None)
    assert np.abs(once - other).max() > 0


def test_the_network_is_not_asked_where_it_weighs_nothing(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("asked all the same")

    monkeypatch.setattr(ShapeNetwork, "correction", refuse)
    config = FewclicksConfig(regions=300, longest_side=256, shape=0.0)
    method = Fewclicks(ColourBackbone(), config)
    assert method.predict(method.prepare(astronaut()), [Click(x=200, y=100)]).mask.any()


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, view: View):
    file = tmp_path / "shape.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(
        WeightsError, match=r"shape\.onnx is no network .*; install fewclicks again"
    ):
        ShapeNetwork(file).correction(view, np.zeros(len(view.places)), [Click(x=1, y=1)], None)
