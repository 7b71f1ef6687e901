from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.guidance import Exemplar, Guidance, GuidanceKind, Reference

IMAGE = np.zeros((4, 6, 3), np.uint8)
PART = np.zeros((4, 6), bool)
PART[1, 1:3] = True
NOTHING = np.zeros((4, 6), bool)
GIVEN: dict[GuidanceKind, Guidance] = {
    "depth": Guidance(depth=np.zeros((4, 6), np.float32)),
    "references": Guidance(references=(Reference(image=IMAGE, positive=PART),)),
    "exemplar": Guidance(exemplar=Exemplar(mask=PART, clicks=(Click(x=1, y=1),))),
}


def test_a_reference_that_marks_nothing_is_refused():
    for masks in ({}, {"positive": NOTHING}, {"positive": NOTHING, "negative": NOTHING}):
        with pytest.raises(InputError, match="marks no pixel"):
            Reference(image=IMAGE, **masks)


def test_a_reference_may_say_only_what_is_not_meant():
    assert Reference(image=IMAGE, positive=NOTHING, negative=PART).negative is PART


@pytest.mark.parametrize("name", ["positive", "negative"])
def test_a_reference_mask_of_another_size_is_refused(name: str):
    with pytest.raises(ShapeError, match=rf"reference {name} mask has shape \(6, 4\)"):
        Reference(image=IMAGE, **{name: PART.T})


def test_an_empty_exemplar_is_refused():
    with pytest.raises(InputError, match="exemplar has no pixel"):
        Exemplar(mask=NOTHING)


def test_an_exemplar_click_outside_the_picture_is_refused():
    with pytest.raises(InputError, match="outside the image"):
        Exemplar(mask=PART, clicks=(Click(x=6, y=0),))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Reference(image=IMAGE, positive=PART * np.uint8(255)), "positive mask .* uint8"),
        (lambda: Reference(image=IMAGE, negative=PART.tolist()), "negative mask .* list"),
        (lambda: Reference(image="door.jpg", positive=PART), "image .* str; .*read_image"),
        (lambda: Reference(image=IMAGE / 255, positive=PART), "image .* float64"),
        (lambda: Reference(image=IMAGE[..., 0], positive=PART), r"image has shape \(4, 6\)"),
        (lambda: Exemplar(mask=PART * np.uint8(255)), "exemplar mask .* uint8; .*read_mask"),
    ],
)
def test_what_is_no_picture_or_no_mask_is_refused(made: Callable[[], object], said: str):
    with pytest.raises(InputError, match=said):
        made()


@pytest.mark.parametrize("kind", list(GIVEN))
def test_a_method_refuses_guidance_it_has_no_use_for_and_says_who_has(kind: GuidanceKind):
    with pytest.raises(InputError, match=r"takes no .*choose a method that takes it"):
        GIVEN[kind].check((4, 6))
    GIVEN[kind].check((4, 6), takes=[kind])


@pytest.mark.parametrize("kind", ["depth", "exemplar"])
def test_guidance_of_another_size_is_refused(kind: GuidanceKind):
    with pytest.raises(ShapeError, match="needs the shape of the image"):
        GIVEN[kind].check((6, 4), takes=[kind])


def test_a_reference_may_have_any_size():
    GIVEN["references"].check((40, 60), takes=["references"])
