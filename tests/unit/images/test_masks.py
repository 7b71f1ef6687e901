from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco
from scipy import ndimage

from drawing import enlarge, mask
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.masks import boundary, components_with, decode_rle, encode_rle, iou

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


def plain_iou(prediction, truth, void):
    common = union = 0
    for predicted, true, skipped in zip(prediction.flat, truth.flat, void.flat, strict=True):
        if not skipped:
            common += predicted and true
            union += predicted or true
    return common / union if union else 1.0


class TestAgreement:
    @given(arrays(bool, (3, 6, 7)))
    @settings(deadline=None, max_examples=60)
    def test_pixel_by_pixel_counting_gives_the_same(self, masks):
        prediction, truth, void = masks
        assert iou(prediction, truth, void=void) == plain_iou(prediction, truth, void)
        assert iou(prediction, truth) == plain_iou(prediction, truth, void & False)

    def test_void_pixels_do_not_count(self):
        truth = mask("##..")
        assert iou(mask("###."), truth) == pytest.approx(2 / 3)
        assert iou(mask("###."), truth, void=mask("..#.")) == 1

    def test_nothing_agrees_with_nothing(self):
        assert iou(mask("...."), mask("....")) == 1
        assert iou(mask("#..."), mask("...."), void=mask("#...")) == 1

    def test_other_shapes_are_refused(self):
        with pytest.raises(ShapeError, match=r"prediction has shape \(1, 3\).*truth, \(1, 4\)"):
            iou(mask("..."), mask("...."))
        with pytest.raises(ShapeError, match=r"void has shape \(1, 3\)"):
            iou(mask("...."), mask("...."), void=mask("..."))


class TestBoundary:
    @given(MASKS)
    @settings(deadline=None, max_examples=60)
    def test_it_is_what_erosion_takes_away(self, drawn):
        assert np.array_equal(boundary(drawn), drawn & ~ndimage.binary_erosion(drawn))

    def test_it_is_one_pixel_thin_and_runs_along_the_border(self):
        assert np.array_equal(
            boundary(mask("####.", "####.", "####.", "####.")),
            mask("####.", "#..#.", "#..#.", "####."),
        )


class TestComponents:
    def test_parts_with_a_click_are_kept_whole(self):
        parts = mask("##..#", "#...#", ".#...", "....#")
        kept = components_with(parts, [Click(x=0, y=0), Click(x=3, y=1)])
        assert np.array_equal(kept, mask("##...", "#....", ".#...", "....."))

    def test_without_a_click_nothing_is_kept(self):
        assert not components_with(mask("##.#"), []).any()
        assert not components_with(mask("##.#"), [Click(x=2, y=0)]).any()

    def test_a_click_outside_is_refused(self):
        with pytest.raises(InputError, match="outside the image"):
            components_with(mask("##.#"), [Click(x=4, y=0)])


# What pycocotools itself does when it decodes.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
class TestRunLengths:
    @given(MASKS)
    @settings(deadline=None, max_examples=100)
    def test_a_mask_survives_and_pycocotools_reads_the_same(self, drawn):
        written = encode_rle(drawn)
        assert np.array_equal(decode_rle(json.loads(json.dumps(written))), drawn)
        assert np.array_equal(coco.decode(written).astype(bool), drawn)

    @given(st.lists(st.integers(0, 5000), min_size=1, max_size=12))
    @settings(deadline=None, max_examples=60)
    def test_runs_of_any_length_are_read_as_pycocotools_reads_them(self, runs):
        height = sum(runs)
        written = coco.frPyObjects({"size": [height, 1], "counts": runs}, height, 1)
        assert np.array_equal(decode_rle(written), coco.decode(written).astype(bool))

    @pytest.mark.parametrize("value", [True, False])
    def test_a_flat_mask_of_a_real_picture_survives(self, value):
        flat = np.full((480, 640), value)
        assert np.array_equal(decode_rle(encode_rle(flat)), flat)

    def test_a_large_mask_with_holes_survives(self):
        drawn = enlarge(mask("..####..", ".#....#.", ".#.##.#.", "..####.."), 100)
        assert np.array_equal(decode_rle(encode_rle(drawn)), drawn)

    @given(st.text(st.characters(min_codepoint=40, max_codepoint=130), max_size=30))
    @settings(deadline=None, max_examples=200)
    def test_any_text_gives_a_mask_or_one_error(self, counts):
        try:
            read = decode_rle({"size": [5, 7], "counts": counts})
        except InputError:
            return
        assert read.shape == (5, 7)

    @pytest.mark.parametrize(
        "rle",
        [
            None,
            [],
            {},
            {"size": [2, 2]},
            {"counts": "04"},
            {"size": [2], "counts": "04"},
            {"size": [2, -2], "counts": "04"},
            {"size": [2.0, 2.0], "counts": "04"},
            {"size": "22", "counts": "04"},
            {"size": [2, 2], "counts": 4},
            {"size": [2, 2], "counts": [0, 4]},
            {"size": [2, 2], "counts": ""},
            {"size": [2, 2], "counts": "05"},
            {"size": [2, 2], "counts": "0"},
            {"size": [2, 2], "counts": "0P"},
            {"size": [2, 2], "counts": "0\x00"},
            {"size": [2, 2], "counts": "ä"},
            {"size": [2, 2], "counts": "0ooooooooooooooooooooooo0"},
            {"size": [2, 2], "counts": "oooooo0oooooo0oooooo0"},
            {"size": [2, 2], "counts": "0O5"},
        ],
    )
    def test_damage_is_an_error_and_never_a_crash(self, rle):
        with pytest.raises(InputError, match="Run lengths"):
            decode_rle(rle)

    def test_runs_for_another_size_give_both_counts(self):
        written = {**encode_rle(mask("##.", ".#.")), "size": [2, 4]}
        with pytest.raises(InputError, match="fill 6 pixels; needs 8, for height 2 and width 4"):
            decode_rle(written)

    def test_a_picture_is_no_mask(self):
        with pytest.raises(ShapeError, match=r"needs \(height, width\)"):
            encode_rle(np.zeros((2, 3, 3), dtype=bool))
