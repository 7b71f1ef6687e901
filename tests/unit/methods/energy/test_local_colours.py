"""Local colours against loops that are plain and slow."""

import numpy as np
import pytest
from scipy import ndimage

from fewclicks.methods.energy.colour_models import (
    colour_bins,
    colour_histogram,
    lab_image,
    log_likelihood_ratio,
)
from fewclicks.methods.energy.local_colours import find_palette, local_likelihood_ratio


@pytest.fixture
def lab():
    noise = np.random.default_rng(4).integers(0, 256, (37, 52, 3), dtype=np.uint8)
    return lab_image(noise)


def test_a_pixel_has_the_colour_of_the_palette_that_its_bin_is_nearest_to(lab):
    bins = colour_bins(lab, side=32)

    palette = find_palette(lab, bins, colours=9)

    assert palette.index.shape == (37, 52)
    means = np.array([lab[palette.index == k].mean(axis=0) for k in range(9)])
    away = np.linalg.norm(lab[:, :, None] - means, axis=-1)
    width = np.linalg.norm([100 / 32, 256 / 32, 256 / 32])  # of a bin, corner to corner
    chosen = np.take_along_axis(away, palette.index[..., None].astype(np.int64), axis=-1)[..., 0]
    assert np.quantile(chosen - away.min(axis=-1), 0.95) < 2 * width


def test_likeness_is_one_for_a_colour_itself_and_less_for_others(lab):
    likeness = find_palette(lab, colour_bins(lab, side=32), colours=9).likeness

    assert np.allclose(np.diag(likeness), 1)
    assert np.allclose(likeness, likeness.T)
    assert likeness[~np.eye(9, dtype=bool)].max() < 1


def test_a_plain_picture_has_a_palette(lab):
    plain = np.zeros_like(lab)

    palette = find_palette(plain, colour_bins(plain, side=16))

    assert np.isfinite(
        local_likelihood_ratio(palette, np.full((37, 52), 0.5, np.float32), cell=9)
    ).all()


def _plain_ratio(palette, odds, cell):
    """Count, mix and interpolate, a pixel at a time."""
    height, width = odds.shape
    rows, columns = round(height / cell), round(width / cell)
    k = len(palette.likeness)
    tables = []
    for weights in (odds, 1 - odds):
        counts = np.zeros((rows, columns, k))
        for (y, x), colour in np.ndenumerate(palette.index):
            for other in range(k):
                counts[y * rows // height, x * columns // width, other] += (
                    weights[y, x] * palette.likeness[colour, other]
                )
        around = np.stack(
            [ndimage.gaussian_filter(c, 0.8, mode="constant", truncate=2.5) for c in counts.T], -1
        ).transpose(1, 0, 2)
        everywhere = counts.sum((0, 1)) / counts.sum() + 1e-3 / k
        weight = 0.1 * cell**2 * palette.likeness.sum(1).mean()
        tables.append((around + weight * everywhere) / (around.sum(-1, keepdims=True) + weight))
    ratio = np.log(tables[0] / tables[1])
    expected = np.zeros((height, width))
    for (y, x), colour in np.ndenumerate(palette.index):
        at = [[(y + 0.5) * rows / height - 0.5], [(x + 0.5) * columns / width - 0.5]]
        expected[y, x] = ndimage.map_coordinates(ratio[..., colour], at, order=1, mode="nearest")[0]
    return expected


def test_the_local_ratio_is_what_counting_by_hand_gives(lab):
    palette = find_palette(lab, colour_bins(lab, side=32), colours=5, scale=20.0)
    odds = np.random.default_rng(1).random((37, 52)).astype(np.float32)

    ratio = local_likelihood_ratio(palette, odds, cell=9)

    assert ratio == pytest.approx(_plain_ratio(palette, odds, 9), abs=1e-4)


def test_a_colour_that_is_the_objects_here_and_the_backgrounds_there_is_told_apart_by_place_only():
    grey, white = np.array([90, 90, 90]), np.array([240, 240, 240])
    picture = np.empty((40, 120, 3), dtype=np.uint8)
    picture[:20], picture[20:] = grey, white
    picture[:, 60:] = picture[::-1, 60:]
    is_object = np.zeros((40, 120), dtype=np.float32)
    is_object[:20] = 1.0  # the grey on the left, the white on the right
    lab = lab_image(picture)
    bins = colour_bins(lab)

    anywhere = log_likelihood_ratio(
        bins, colour_histogram(bins, is_object), colour_histogram(bins, 1 - is_object)
    )
    here = local_likelihood_ratio(find_palette(lab, bins), is_object, cell=20)

    assert np.abs(anywhere).max() < 0.1
    off_middle = np.r_[0:45, 75:120]
    assert (here[:20, off_middle] > 1).all()
    assert (here[20:, off_middle] < -1).all()
