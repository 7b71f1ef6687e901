"""Label Studio's brush, against a plain reader of its published bit format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from drawing import BLOB, mask
from fewclicks.errors import ShapeError
from fewclicks.formats.label_studio import brush_result, encode_brush


def read_bits(packed: list[int]) -> list[int]:
    """Values of the format, read as its first author's decoder does."""
    bits = "".join(f"{byte:08b}" for byte in packed)
    place = 0

    def take(count: int) -> int:
        nonlocal place
        place += count
        return int(bits[place - count : place], 2)

    count, value_bits = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < count:
        is_run = take(1)
        length = take(sizes[take(2)]) + 1
        if is_run:
            values += [take(value_bits)] * length
        else:
            values += [take(value_bits) for _ in range(length)]
    assert len(values) == count
    assert set(bits[place:]) <= {"0"}
    assert len(bits) - place < 8
    return values


def read_mask(packed: list[int], shape: tuple[int, int]) -> np.ndarray:
    channels = np.array(read_bits(packed), dtype=np.uint8).reshape(*shape, 4)
    assert (channels == channels[..., :1]).all()
    assert set(np.unique(channels)) <= {0, 255}
    return channels[..., 3] > 0


RANDOM = np.random.default_rng(2)
MASKS = {
    "one": mask("#"),
    "none": mask("...", "..."),
    "all": mask("###", "###"),
    "corners": mask("#..#", "....", "#..#"),
    "blob": BLOB,
    "noise": RANDOM.random((23, 31)) < 0.5,
    "long runs": np.repeat(RANDOM.random((40, 1)) < 0.5, 1200, axis=1),
    "the longest run": np.ones((128, 128), dtype=bool),
    "one pixel more": np.pad(np.ones((128, 128), dtype=bool), ((0, 1), (0, 0))),
    "twice the longest run": np.ones((256, 128), dtype=bool),
}


@pytest.mark.parametrize("name", MASKS)
def test_a_plain_reader_finds_every_pixel_again(name: str):
    drawn = MASKS[name]
    packed = encode_brush(drawn)
    assert all(type(byte) is int and 0 <= byte <= 255 for byte in packed)
    np.testing.assert_array_equal(read_mask(packed, drawn.shape), drawn)


@settings(deadline=None, max_examples=60)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_a_plain_reader_finds_every_pixel_of_any_mask_again(drawn: np.ndarray):
    np.testing.assert_array_equal(read_mask(encode_brush(drawn), drawn.shape), drawn)


def test_lengths_take_the_smallest_size_that_holds_them():
    for pixels, bits in [(1, 3), (2, 3), (3, 4), (4, 4), (5, 8), (64, 8), (65, 16)]:
        packed = encode_brush(np.ones((1, pixels), dtype=bool))
        assert len(packed) == -(-(32 + 5 + 16 + 3 + bits + 8) // 8), pixels


def test_a_region_says_what_the_labelling_page_needs():
    region = brush_result(BLOB, label="dog", from_name="brush", to_name="image", id_="a1")
    assert region["type"] == "brushlabels"
    assert (region["original_height"], region["original_width"]) == BLOB.shape
    assert region["value"]["brushlabels"] == ["dog"]
    np.testing.assert_array_equal(read_mask(region["value"]["rle"], BLOB.shape), BLOB)


def test_what_is_no_mask_is_refused():
    with pytest.raises(ShapeError, match="needs"):
        encode_brush(np.zeros((2, 2, 4), dtype=bool))
    with pytest.raises(ShapeError, match="uint8"):
        encode_brush(BLOB.astype(np.uint8))  # type: ignore[arg-type]
