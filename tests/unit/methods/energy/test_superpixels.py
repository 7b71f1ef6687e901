from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from drawing import enlarge, mask, paint
from fewclicks.arrays import FloatImage
from fewclicks.errors import InputError
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.energy.superpixels import Superpixels, find_superpixels


def _noise(height: int, width: int, seed: int = 0) -> FloatImage:
    """Lab of clouds a few pixels wide."""
    values = np.random.default_rng(seed).normal(size=(height, width, 3))
    return (ndimage.gaussian_filter(values, (2, 2, 0)) * 100).astype(np.float32)


def _check(superpixels: Superpixels, shape: tuple[int, ...]) -> None:
    """Every label occurs, hangs together by sides, and has its area counted."""
    labels = superpixels.labels
    assert labels.shape == shape
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.unique(labels), np.arange(superpixels.count))
    np.testing.assert_array_equal(np.bincount(labels.ravel()), superpixels.areas)
    parts = [ndimage.label(labels == k)[1] for k in range(superpixels.count)]
    assert parts == [1] * superpixels.count


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    count=st.integers(1, 60),
    compactness=st.sampled_from([0.0, 1.0, 9.0, 100.0]),
    seed=st.integers(0, 99),
)
def test_regions_cover_the_picture_and_each_hangs_together(
    height: int, width: int, count: int, compactness: float, seed: int
):
    lab = _noise(height, width, seed)
    _check(find_superpixels(lab, count=count, compactness=compactness), (height, width))


@pytest.mark.parametrize("count", [1, 20, 100, 400])
@pytest.mark.parametrize("shape", [(60, 80), (80, 60), (70, 70)])
def test_there_are_about_as_many_regions_as_wished(shape: tuple[int, int], count: int):
    superpixels = find_superpixels(_noise(*shape), count=count)
    assert abs(superpixels.count - count) <= max(1, 0.2 * count)


@pytest.mark.parametrize("shape", [(1, 120), (120, 1), (2, 120), (5, 120), (40, 120)])
@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_strip_has_no_more_regions_than_any_other_picture(shape: tuple[int, int], count: int):
    superpixels = find_superpixels(_noise(*shape), count=count)
    assert abs(superpixels.count - count) <= max(1, 0.2 * count)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (6, 9)])
def test_more_regions_than_pixels_make_each_pixel_a_region(shape: tuple[int, int]):
    superpixels = find_superpixels(_noise(*shape), count=10**6)
    _check(superpixels, shape)
    assert superpixels.count == shape[0] * shape[1]


def test_one_region_is_the_whole_picture():
    superpixels = find_superpixels(_noise(12, 16), count=1)
    assert superpixels.count == 1
    assert not superpixels.labels.any()
    assert superpixels.areas.tolist() == [192.0]


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_a_flat_picture_is_cut_into_regions_of_about_one_size(level: float):
    superpixels = find_superpixels(np.full((60, 80, 3), level, dtype=np.float32), count=48)
    _check(superpixels, (60, 80))
    assert superpixels.count == 48
    assert superpixels.areas.max() < 2 * 100
    assert superpixels.areas.min() > 100 / 2


def test_the_same_picture_gives_the_same_regions():
    lab = _noise(40, 50)
    kept = lab.copy()
    first, second = find_superpixels(lab, count=60), find_superpixels(kept, count=60)
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(lab, kept)


def test_a_picture_stored_column_by_column_gives_the_same_regions():
    lab = _noise(40, 50)
    stored = np.asfortranarray(lab).astype(np.float64)
    np.testing.assert_array_equal(
        find_superpixels(stored, count=60).labels, find_superpixels(lab, count=60).labels
    )


def test_no_region_has_two_plain_colours():
    on = enlarge(mask("........", "..####..", ".######.", "..####..", "....##..", "........"), 10)
    lab = lab_image(paint(on, noise=0))
    superpixels = find_superpixels(lab, count=150)
    share = superpixels.mean(on)
    np.testing.assert_array_equal(share, share.round())


def test_regions_of_a_noisy_picture_cross_an_edge_by_a_pixel_at_most():
    on = enlarge(mask("........", "..####..", ".######.", "..####..", "....##..", "........"), 10)
    superpixels = find_superpixels(lab_image(paint(on, noise=8)), count=150)
    wanted = (superpixels.mean(on) > 0.5)[superpixels.labels]
    edge = ndimage.binary_dilation(on) & ~ndimage.binary_erosion(on)
    assert not ((wanted != on) & ~edge).any()


def test_higher_compactness_makes_shorter_borders():
    lab = _noise(60, 80)

    def border(compactness: float) -> int:
        labels = find_superpixels(lab, count=100, compactness=compactness).labels
        return int((np.diff(labels, axis=0) != 0).sum() + (np.diff(labels, axis=1) != 0).sum())

    assert border(200.0) < border(9.0) < border(0.0)


def test_means_are_those_of_each_region():
    superpixels = find_superpixels(_noise(20, 30), count=25)
    values = np.random.default_rng(1).normal(size=(20, 30)).astype(np.float32)
    flags = values > 0
    for k in range(superpixels.count):
        inside = superpixels.labels == k
        assert superpixels.mean(values)[k] == pytest.approx(values[inside].mean(), rel=1e-5)
        assert superpixels.mean(flags)[k] == pytest.approx(flags[inside].mean())


def test_regions_of_the_border_are_those_with_a_pixel_on_it():
    superpixels = find_superpixels(_noise(20, 30), count=60)
    frame = np.ones((20, 30), dtype=bool)
    frame[1:-1, 1:-1] = False
    expected = sorted({int(label) for label in superpixels.labels[frame]})
    assert superpixels.of_border().tolist() == expected
    assert len(expected) < superpixels.count


@pytest.mark.parametrize("count", [0, -3])
def test_no_region_at_all_is_refused(count: int):
    with pytest.raises(InputError, match=f"count is {count}; needs at least 1 region"):
        find_superpixels(_noise(4, 4), count=count)
