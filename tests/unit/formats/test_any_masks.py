"""Any masks under any names come back to the pixel; Label Studio's through a plain reader."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from fewclicks.arrays import BoolMask
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations
from fewclicks.formats.registry import FORMATS, export, read_annotations

READABLE = [entry.name for entry in FORMATS if entry.reader]
SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=9)

# XML has no way to write control characters, and a list of names in lines none to write their ends.
LABELS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=8)


@st.composite
def drawn_objects(draw: st.DrawFn) -> list[tuple[str, BoolMask]]:
    """Objects that share no pixel, each with one or more: what every format can hold."""
    numbers = draw(arrays(np.uint8, draw(SHAPES), elements=st.integers(0, 3)))
    present = [number for number in (1, 2, 3) if (numbers == number).any()]
    names = draw(st.lists(LABELS, min_size=len(present), max_size=len(present)))
    return [(name, numbers == number) for name, number in zip(names, present, strict=True)] or [
        ("all", np.ones(numbers.shape, dtype=bool))
    ]


@pytest.mark.parametrize("name", READABLE)
@settings(deadline=None, max_examples=40)
@given(drawn=drawn_objects())
def test_any_objects_are_read_again_as_they_were_written(
    name: str, drawn: list[tuple[str, BoolMask]]
):
    height, width = drawn[0][1].shape
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        images.mkdir()
        Image.new("RGB", (width, height)).save(images / "a.png")
        picture = AnnotatedPicture(
            name="a.png",
            height=height,
            width=width,
            objects=tuple(AnnotatedObject.of(label, found) for label, found in drawn),
            path=images / "a.png",
        )
        export(Annotations(pictures=[picture]), name, Path(folder) / "out")
        (again,) = read_annotations(name, Path(folder) / "out", images=images).pictures

    assert (again.height, again.width) == (height, width)
    assert [one.label for one in again.objects] == [label for label, _ in drawn]
    for one, (_, found) in zip(again.objects, drawn, strict=True):
        np.testing.assert_array_equal(one.mask, found)
