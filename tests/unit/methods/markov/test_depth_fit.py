from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut, stereo_motorcycle

from fewclicks.backbones.registry import create_depth
from fewclicks.methods.markov.depth_fit import depth_fit


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    left, _, disparity = stereo_motorcycle()
    known = np.where(np.isfinite(disparity), disparity, 0.0).astype(np.float32)
    return np.ascontiguousarray(left), known / known.max()


def test_measured_depth_of_the_picture_fits_it_whole(scene: tuple[np.ndarray, np.ndarray]):
    assert depth_fit(*scene) == 1.0


def test_depth_that_a_network_might_have_blurred_still_fits(scene: tuple[np.ndarray, np.ndarray]):
    image, depth = scene
    assert depth_fit(image, cv2.GaussianBlur(depth, (0, 0), 3)) > 0.9


def test_measured_depth_of_another_picture_does_not_fit(scene: tuple[np.ndarray, np.ndarray]):
    _, depth = scene
    assert depth_fit(astronaut(), cv2.resize(depth, (512, 512))) < 0.1


def test_noise_fits_no_picture_in_most_cases(scene: tuple[np.ndarray, np.ndarray]):
    fits = []
    for picture in (scene[0], astronaut()):
        for seed in range(10):
            for bumps in (2, 4, 8):
                noise = create_depth("noise", seed=seed, bumps=bumps).depth(picture).values
                fits.append(depth_fit(picture, noise))
    assert np.mean(fits) < 0.1
    assert np.median(fits) == 0.0


def test_flat_depth_fits_nothing(scene: tuple[np.ndarray, np.ndarray]):
    assert depth_fit(scene[0], np.full(scene[1].shape, 0.5, np.float32)) == 0.0


def test_where_the_picture_has_no_edge_nothing_speaks_against_depth():
    depth = np.zeros((40, 60), np.float32)
    depth[10:30, 20:40] = 1.0
    assert depth_fit(np.full((40, 60, 3), 90, np.uint8), depth) == 1.0


def test_the_fit_is_that_of_a_plain_search_over_all_shifts():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (24, 40, 3), np.uint8)
    depth = rng.random((24, 40)).astype(np.float32)
    depth += 0.4 * image.mean(axis=-1).astype(np.float32) / 255
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float64)
    ours, theirs = np.zeros((24, 40)), np.zeros((24, 40))
    for y in range(24):
        for x in range(40):
            down, right = min(y + 1, 23), min(x + 1, 39)
            ours[y, x] = np.sqrt(
                ((lab[down, x] - lab[y, x]) ** 2 + (lab[y, right] - lab[y, x]) ** 2).sum()
            )
            theirs[y, x] = np.hypot(depth[down, x] - depth[y, x], depth[y, right] - depth[y, x])
    ours = np.sqrt(ours) - np.sqrt(ours).mean()
    far = [
        (ours * np.roll(theirs, (dy, dx), (0, 1))).sum()
        for dy in range(24)
        for dx in range(40)
        if min(dy, 24 - dy) ** 2 + min(dx, 40 - dx) ** 2 > 25
    ]
    deviations = ((ours * theirs).sum() - np.mean(far)) / np.std(far)
    expected = (deviations - 2) / 2
    assert 0.1 < expected < 0.9
    assert depth_fit(image, depth) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2)])
def test_the_smallest_pictures_are_judged_without_an_error(shape: tuple[int, int]):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (*shape, 3), np.uint8)
    assert 0.0 <= depth_fit(image, rng.random(shape).astype(np.float32)) <= 1.0
