"""The method around RefCut's network: references are looked at once, and only they."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from drawing import BLOB, paint
from fewclicks.arrays import RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, WeightsError
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.guidance import Exemplar, Guidance, Reference
from fewclicks.methods.registry import create_method
from fewclicks.methods.transformer.network_files import save_network
from fewclicks.methods.transformer.refcut_inference import RefCutInference
from fewclicks.methods.transformer.refcut_network import RefCutNetwork
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

SMALL = SimpleClickNetworkConfig(
    dim=16, depth=2, heads=2, patch=4, levels=(8, 8, 8, 8), head=8, side=32, window=4
)
PICTURE = paint(BLOB)
CLICKS = [Click(x=30, y=24), Click(x=70, y=50, is_positive=False)]


def example(shift: int = 0) -> Reference:
    on = np.roll(BLOB, shift, axis=1)
    return Reference(image=paint(on), positive=on, negative=np.roll(on, 30, axis=1) & ~on)


def save(network: SimpleClickNetwork, file: Path) -> str:
    torch.manual_seed(0)
    with torch.no_grad():
        for values in network.parameters():
            values += 0.3 * torch.randn_like(values)
        network.head.classify.weight *= 5
    save_network(network, file)
    return str(file)


@pytest.fixture
def trained(tmp_path: Path) -> str:
    return save(RefCutNetwork(SMALL), tmp_path / "refcut.safetensors")


@pytest.fixture
def base(tmp_path: Path) -> str:
    return save(SimpleClickNetwork(SMALL), tmp_path / "simpleclick.safetensors")


class Watched(RefCutInference):
    """Counts what it looks at."""

    embedded: int = 0
    represented: int = 0

    def embed(self, image: RgbImage, part):
        type(self).embedded += 1
        return super().embed(image, part)

    def represent(self, reference: Reference):
        type(self).represented += 1
        return super().represent(reference)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    Watched.embedded = Watched.represented = 0
    monkeypatch.setattr("fewclicks.methods.transformer.refcut_inference.RefCutInference", Watched)
    return Watched


def answer(method: AnyMethod, guidance: Guidance, image: RgbImage = PICTURE) -> np.ndarray:
    prepared = method.condition(method.prepare(image), guidance)
    return method.predict(prepared, CLICKS).probability


def test_a_reference_changes_the_answer_and_its_masks_mean_opposite_things(trained: str):
    method = create_method("refcut", weights=trained)
    one = example()
    turned = Reference(image=one.image, positive=one.negative, negative=one.positive)

    answers = [
        answer(method, Guidance(references=each))
        for each in ((), (one,), (turned,), (Reference(image=one.image, positive=one.positive),))
    ]

    for number, first in enumerate(answers):
        for second in answers[number + 1 :]:
            assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("references", [(), (example(),), (example(), example(9))])
def test_simpleclicks_weights_answer_as_simpleclick_whatever_is_shown(base: str, references):
    ours = answer(create_method("refcut", weights=base), Guidance(references=references))
    theirs = answer(create_method("simpleclick", weights=base), Guidance())

    assert np.array_equal(ours, theirs)


def test_one_reference_serves_a_folder_and_is_looked_at_once(trained: str, watched: type[Watched]):
    method = create_method("refcut", weights=trained, zoom=False)
    for shift in range(4):
        prepared = method.condition(
            method.prepare(paint(np.roll(BLOB, shift))), Guidance(references=(example(),))
        )
        previous = None
        for count in (1, 2):
            previous = method.predict(prepared, CLICKS[:count], previous)
        method.condition(prepared, Guidance(excluded=BLOB, references=(example(),)))

    assert watched.represented == 1
    assert watched.embedded == 4


def test_several_references_are_averaged_each_looked_at_once(trained: str, watched: type[Watched]):
    method = create_method("refcut", weights=trained)
    first, second = example(), example(11)

    both = answer(method, Guidance(references=(first, second)))
    alone = answer(method, Guidance(references=(first,)))
    twice = answer(method, Guidance(references=(first, first)))

    assert watched.represented == 2
    assert np.abs(both - alone).max() > 1e-4
    np.testing.assert_allclose(twice, alone, atol=1e-5)


def test_the_same_picture_with_other_masks_is_another_reference(
    trained: str, watched: type[Watched]
):
    method = create_method("refcut", weights=trained)
    one = example()
    for positive, negative in ((one.positive, None), (None, one.positive), (one.negative, None)):
        shown = Reference(image=one.image, positive=positive, negative=negative)
        answer(method, Guidance(references=(shown,)))

    assert watched.represented == 3


def test_guidance_without_references_takes_earlier_ones_away(trained: str):
    method = create_method("refcut", weights=trained)
    prepared = method.prepare(PICTURE)
    shown = method.condition(prepared, Guidance(references=(example(),)))

    again = method.condition(shown, Guidance())

    first, second, third = (
        method.predict(each, CLICKS).probability for each in (prepared, again, shown)
    )
    assert np.array_equal(first, second)
    assert np.abs(third - first).max() > 1e-3


def test_excluded_pixels_stay_off_beside_references(trained: str):
    method = create_method("refcut", weights=trained, threshold=0.0)
    excluded = np.roll(BLOB, 25, axis=1)

    found = answer(method, Guidance(excluded=excluded, references=(example(),)))

    assert found[excluded].max() == 0


def test_an_exemplar_is_refused(trained: str):
    method = create_method("refcut", weights=trained)
    with pytest.raises(InputError, match="takes no exemplar"):
        method.condition(method.prepare(PICTURE), Guidance(exemplar=Exemplar(mask=BLOB)))


def test_a_method_without_weights_says_so_under_its_own_name():
    with pytest.raises(WeightsError, match="'refcut' comes without weights"):
        create_method("refcut")


def test_a_reference_of_any_size_is_taken(trained: str):
    method = create_method("refcut", weights=trained)
    on = np.zeros((21, 90), dtype=bool)
    on[3:9, 10:70] = True

    found = answer(method, Guidance(references=(Reference(image=paint(on), positive=on),)))

    assert np.isfinite(found).all()
