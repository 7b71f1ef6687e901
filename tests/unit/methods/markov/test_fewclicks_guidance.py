"""What references and exemplars do to fewclicks, on drawings and on a photograph of coins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import data

from drawing import enlarge, mask, paint
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.base import Features
from fewclicks.backbones.colour import ColourBackbone, ColourConfig
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.images.masks import iou
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Exemplar, Guidance, Reference
from fewclicks.methods.markov.fewclicks import Fewclicks, RegionPicture
from fewclicks.methods.markov.fewclicks_config import FewclicksConfig
from fewclicks.methods.markov.view import View, look_at
from fewclicks.methods.registry import create_method

# A body with a head; another one elsewhere, and a bar of the head's colour.
BODY = enlarge(mask(*["." * 16] * 4, *["..########......"] * 6, *["." * 16] * 2), 5)
HEAD = enlarge(mask(*["." * 16] * 2, *["....####........"] * 2, *["." * 16] * 8), 5)
BAR = enlarge(mask(*["." * 16] * 4, *["............##.."] * 4, *["." * 16] * 4), 5)
ON_HEAD, ON_BODY = Click(x=30, y=14), Click(x=30, y=35)


class CountingBackbone(ColourBackbone):
    """Says how often it was asked."""

    asked = 0

    def features(self, image: RgbImage) -> Features:
        self.asked += 1
        return super().features(image)


def _painted(*, mirrored: bool = False) -> RgbImage:
    picture = np.where(
        BODY[..., None],
        paint(BODY, inside=(190, 70, 60)),
        paint(HEAD | BAR, inside=(200, 100, 60), outside=(40, 90, 160)),
    )
    return np.ascontiguousarray(picture[:, ::-1] if mirrored else picture)


def _method(**settings: Any) -> tuple[Fewclicks, CountingBackbone]:
    backbone = CountingBackbone(ColourConfig(longest_side=32))
    return Fewclicks(backbone, FewclicksConfig(**{"regions": 150, **settings})), backbone


def _reference(positive: BoolMask | None = HEAD, negative: BoolMask | None = None) -> Reference:
    return Reference(image=_painted(), positive=positive, negative=negative)


@pytest.fixture(scope="module")
def method() -> Fewclicks:
    return _method()[0]


@pytest.fixture(scope="module")
def prepared(method: Fewclicks) -> RegionPicture:
    return method.prepare(_painted())


def test_a_reference_makes_the_first_click_mean_the_part_it_marks():
    method, _ = _method(reference_likeness=1.5, reference_place=1.5)
    prepared = method.prepare(_painted())

    def answer(positive: BoolMask) -> BoolMask:
        guidance = Guidance(references=(_reference(positive),))
        return method.predict(method.condition(prepared, guidance), [ON_BODY]).mask

    assert iou(answer(BODY), BODY) > 0.9
    assert iou(answer(BODY | HEAD), BODY | HEAD) > 0.9


def test_what_is_marked_as_not_meant_becomes_less_likely():
    method, _ = _method(reference_likeness=1.5)
    prepared = method.prepare(_painted())
    guided = method.condition(prepared, Guidance(references=(_reference(None, HEAD),)))

    plain, told = (method.predict(each, [ON_BODY]).probability for each in (prepared, guided))
    assert told[HEAD].mean() < plain[HEAD].mean() - 0.02
    assert abs(told[BODY].mean() - plain[BODY].mean()) < 0.02


def test_without_guidance_answers_are_the_same_to_the_bit(
    method: Fewclicks, prepared: RegionPicture
):
    before = method.predict(prepared, [ON_HEAD]).probability
    guided = method.condition(prepared, Guidance(references=(_reference(),)))
    released = method.condition(guided, Guidance())

    assert not np.array_equal(method.predict(guided, [ON_HEAD]).probability, before)
    assert np.array_equal(method.predict(released, [ON_HEAD]).probability, before)
    assert (released.references, released.exemplar) == ((), None)


def test_references_of_no_weight_change_nothing():
    method, _ = _method(reference_likeness=0, reference_place=0)
    prepared = method.prepare(_painted())
    guided = method.condition(prepared, Guidance(references=(_reference(),)))

    assert np.array_equal(
        method.predict(guided, [ON_HEAD]).probability,
        method.predict(prepared, [ON_HEAD]).probability,
    )


def test_a_reference_is_looked_at_once_whatever_pictures_and_clicks_it_serves():
    method, backbone = _method()
    pictures = [method.prepare(_painted()), method.prepare(_painted(mirrored=True))]
    assert backbone.asked == 2

    for prepared in pictures:
        for _ in range(2):
            guided = method.condition(prepared, Guidance(references=(_reference(),)))
            first = method.predict(guided, [ON_HEAD])
            method.predict(guided, [ON_HEAD, Click(x=30, y=35, is_positive=False)], first)
    assert backbone.asked == 3

    method.condition(pictures[0], Guidance(references=(_reference(BODY),)))
    assert backbone.asked == 4


def test_an_exemplar_never_has_the_picture_looked_at_again():
    method, backbone = _method()
    prepared = method.prepare(_painted())
    guided = method.condition(prepared, Guidance(exemplar=Exemplar(mask=HEAD, clicks=(ON_HEAD,))))
    proposed = method.predict(guided, [])
    method.predict(guided, [Click(x=65, y=30)], proposed)

    assert backbone.asked == 1


def test_the_exemplar_is_part_of_what_is_proposed_and_excluded_pixels_are_not(
    method: Fewclicks, prepared: RegionPicture
):
    exemplar = Exemplar(mask=HEAD, clicks=(ON_HEAD,))
    guided = method.condition(prepared, Guidance(exemplar=exemplar))
    off = method.condition(prepared, Guidance(exemplar=exemplar, excluded=HEAD))

    assert (method.predict(guided, []).mask & HEAD).sum() == HEAD.sum()
    assert not (method.predict(off, []).mask & HEAD).any()


def test_objects_that_look_like_the_exemplar_are_proposed_before_any_click():
    method, _ = _method(exemplar_doubt=1.0)
    prepared = method.prepare(_painted())
    guided = method.condition(prepared, Guidance(exemplar=Exemplar(mask=HEAD)))
    proposed = method.predict(guided, []).mask

    assert iou(proposed & ~HEAD, BAR) > 0.8


def test_an_exemplar_of_no_weight_proposes_itself_alone():
    method, _ = _method(exemplar_likeness=0)
    guided = method.condition(
        method.prepare(_painted()), Guidance(exemplar=Exemplar(mask=HEAD, clicks=(ON_HEAD,)))
    )

    assert (method.predict(guided, []).mask == HEAD).all()


def test_a_click_extends_the_answer_and_leaves_the_exemplar_in_it(
    method: Fewclicks, prepared: RegionPicture
):
    guided = method.condition(prepared, Guidance(exemplar=Exemplar(mask=HEAD, clicks=(ON_HEAD,))))
    clicks = [Click(x=65, y=30)]

    answer = method.predict(guided, clicks, method.predict(guided, [])).mask

    assert iou(answer & BAR, BAR) > 0.8
    assert iou(answer & HEAD, HEAD) > 0.8
    assert (answer == method.predict(guided, clicks).mask).all()


def test_a_click_on_one_object_leaves_the_others_as_they_are(
    method: Fewclicks, prepared: RegionPicture
):
    guided = method.condition(prepared, Guidance(exemplar=Exemplar(mask=HEAD, clicks=(ON_HEAD,))))
    spoilt = HEAD.copy()
    spoilt[:12] = False  # as no method would draw it
    clicks = [Click(x=65, y=30)]
    found = method.predict(guided, clicks, Prediction.from_mask(spoilt))
    refused = method.predict(guided, [*clicks, Click(x=66, y=31, is_positive=False)], found)

    assert iou(found.mask & ~HEAD, BAR) > 0.8
    assert ((found.mask & HEAD) == spoilt).all()
    assert ((refused.mask & HEAD) == spoilt).all()
    assert (refused.mask & BAR).sum() < (found.mask & BAR).sum()


def test_a_correction_of_one_object_looks_at_it_more_closely_and_once(
    monkeypatch: pytest.MonkeyPatch,
):
    looks: list[Box] = []

    def look_and_tell(image: RgbImage, features: Features, box: Box, **more: Any) -> View:
        looks.append(box)
        return look_at(image, features, box, **more)

    monkeypatch.setattr("fewclicks.methods.markov.fewclicks.look_at", look_and_tell)
    before = HEAD.copy()
    before[:, :24] = False
    missed = Click(x=22, y=11)
    for zoom, count in ((0.0, 1), (0.4, 2)):
        method, _ = _method(exemplar_zoom=zoom)
        exemplar = Exemplar(mask=HEAD, clicks=(ON_HEAD,))
        near = method.condition(method.prepare(_painted()), Guidance(exemplar=exemplar))
        for _ in range(2):
            answer = method.predict(near, [missed], Prediction.from_mask(before))

        assert len(looks) == count
        looks.clear()
    assert iou(answer.mask, HEAD) > 0.8


def test_numbers_out_of_range_are_refused():
    with pytest.raises(InputError, match="reference_place is -1"):
        FewclicksConfig(reference_place=-1)
    with pytest.raises(InputError, match="exemplar_doubt is inf"):
        FewclicksConfig(exemplar_doubt=float("inf"))


def test_one_coin_of_a_photograph_finds_others():
    grey = data.coins()[:150, :250]
    image = np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))
    method = create_method("default")
    prepared = method.prepare(image)
    clicks = (Click(x=40, y=47),)
    coin = method.predict(prepared, clicks).mask
    guided = method.condition(prepared, Guidance(exemplar=Exemplar(mask=coin, clicks=clicks)))

    proposed = method.predict(guided, [])
    answer = method.predict(guided, [Click(x=95, y=42)], proposed).mask

    assert (proposed.mask & coin).sum() == coin.sum()
    assert answer[47, 40]
    assert answer[42, 95]
