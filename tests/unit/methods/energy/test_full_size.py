from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.clicks import Click
from fewclicks.images.resizing import resize_image, resize_map, resize_mask
from fewclicks.methods.energy.full_size import refine_at_full_size

HEIGHT, WIDTH, TIMES = 120, 160, 4


def _slanted_object() -> NDArray[np.bool_]:
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    return ((right - 70) ** 2 / 2 + (down - 60) ** 2 < 40**2) & (right + 2 * down < 250)


def _picture(mask: NDArray[np.bool_], noise: float = 6.0) -> NDArray[np.uint8]:
    colours = np.where(mask[..., None], (190.0, 90.0, 60.0), (60.0, 120.0, 150.0))
    grain = np.random.default_rng(0).normal(0.0, noise, colours.shape)
    return np.clip(colours + grain, 0, 255).astype(np.uint8)


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    small = resize_map(mask.astype(np.float32), height=HEIGHT // TIMES, width=WIDTH // TIMES)
    return (small > 0.5).astype(np.float32)


def _slow(image: NDArray[np.uint8], probability: NDArray[np.float32]) -> NDArray[np.float64]:
    """A guided filter with a Gaussian window, at every pixel, solved by NumPy."""
    height, width = probability.shape
    small = resize_image(image, height=height, width=width) / 255.0
    mask = (probability > 0.5).astype(np.float64)
    taps = np.exp(-0.5 * np.arange(-2, 3) ** 2)
    window = np.outer(taps, taps)
    models = np.zeros((height, width, 4))
    for y in range(2, height - 2):
        for x in range(2, width - 2):
            colours = small[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
            inside = mask[y - 2 : y + 3, x - 2 : x + 3].ravel()
            spread = np.cov(colours.T, aweights=window.ravel(), ddof=0) + 1e-4 * np.eye(3)
            centred = colours - np.average(colours, axis=0, weights=window.ravel())
            together = np.average(centred * inside[:, None], axis=0, weights=window.ravel())
            slope = np.linalg.solve(spread, together)
            offset = np.average(inside - colours @ slope, weights=window.ravel())
            models[y, x] = (*slope, offset)
    models = cv2.filter2D(models, -1, window / window.sum())
    size = (image.shape[1], image.shape[0])
    full = np.stack([cv2.resize(plane, size) for plane in np.moveaxis(models, -1, 0)], axis=-1)
    smooth = cv2.GaussianBlur(image, (0, 0), 1.0) / 255.0
    return np.clip((full[..., :3] * smooth).sum(axis=-1) + full[..., 3], 0.0, 1.0)


def test_the_band_agrees_with_a_slow_guided_filter():
    truth = _slanted_object()
    image, small = _picture(truth), _shrunk(truth)
    refined = refine_at_full_size(image, small)
    enlarged = resize_map(small, height=HEIGHT, width=WIDTH)
    # Where the enlarged mask is neither 0 nor 1 a border pixel is near: that is in the band.
    band = (enlarged > 0.0) & (enlarged < 1.0)
    assert np.count_nonzero(band) > 500
    np.testing.assert_allclose(refined[band], _slow(image, small)[band], atol=2e-4)


def test_the_border_follows_the_full_size_edge_better_than_an_enlarged_one():
    truth = _slanted_object()
    image, small = _picture(truth), _shrunk(truth)
    refined = refine_at_full_size(image, small) > 0.5
    enlarged = resize_map(small, height=HEIGHT, width=WIDTH) > 0.5
    wrong, wrong_enlarged = (np.count_nonzero(one != truth) for one in (refined, enlarged))
    assert wrong_enlarged > 150
    assert wrong < wrong_enlarged / 4


def test_away_from_the_border_the_answer_is_the_enlarged_one():
    truth = _slanted_object()
    small = _shrunk(truth) * np.float32(0.8) + np.float32(0.1)
    refined = refine_at_full_size(_picture(truth), small)
    mask = small > 0.5
    square = np.ones((5, 5), dtype=np.uint8)  # the band and one pixel more
    near = (cv2.dilate(mask.astype(np.uint8), square) > 0) & (
        cv2.dilate((~mask).astype(np.uint8), square) > 0
    )
    away = ~resize_mask(near, height=HEIGHT, width=WIDTH)
    enlarged = resize_map(small, height=HEIGHT, width=WIDTH)
    assert np.count_nonzero(away) > 5000
    np.testing.assert_array_equal(refined[away], enlarged[away])


def test_clicked_pixels_get_their_class():
    truth = _slanted_object()
    clicks = [Click(x=2, y=2), Click(x=70, y=60, is_positive=False)]
    refined = refine_at_full_size(_picture(truth), _shrunk(truth), clicks)
    assert refined[2, 2] == 1.0
    assert refined[60, 70] == 0.0


def test_an_empty_mask_and_a_full_one_stay_what_they_are():
    image = _picture(_slanted_object())
    for value in (0.0, 1.0):
        small = np.full((HEIGHT // TIMES, WIDTH // TIMES), value, dtype=np.float32)
        np.testing.assert_array_equal(refine_at_full_size(image, small), value)


def test_an_answer_at_full_size_comes_back_as_it_is():
    truth = _slanted_object()
    probability = np.random.default_rng(1).random(truth.shape).astype(np.float32)
    refined = refine_at_full_size(_picture(truth), probability)
    np.testing.assert_array_equal(refined, probability)
