"""Pictures seen anew: masks move as their pictures do, and each step does what its name says."""

from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import pytest

from drawing import BLOB, enlarge, mask
from fewclicks.errors import InputError

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from fewclicks.training.augmentation import Augmentation, augment  # noqa: E402

STILL = {
    "scale_low": 1.0,
    "scale_high": 1.0,
    "flip_horizontal": False,
    "flip_vertical": False,
    "quarter_turns": False,
    **{field.name: 0.0 for field in fields(Augmentation) if field.name.endswith("_probability")},
}
SHAPE = mask("#.......", "##......", "#.......", "#.......", "........", "........")
LARGE = enlarge(SHAPE, 10)
PICTURE = np.where(LARGE[..., None], np.uint8(255), np.uint8(64)).repeat(3, axis=2)


def seen(picture=PICTURE, masks=LARGE[None], seed=0, **settings):
    chance = np.random.default_rng(seed)
    return augment(picture, masks, chance, Augmentation(**{**STILL, **settings}))[:3]


def test_nothing_changes_where_nothing_may():
    image, (moved,), inside = seen(PICTURE[:60, :60], LARGE[None, :60, :60], crop=60)
    assert np.array_equal(np.rint(image.permute(1, 2, 0).numpy() * 255), PICTURE[:60, :60])
    assert np.array_equal(moved, LARGE[:60, :60])
    assert inside.all()


def test_a_small_picture_stands_in_the_middle_of_black():
    image, (moved,), inside = seen(crop=100)
    assert np.array_equal(inside, np.pad(np.ones((60, 80), bool), ((20, 20), (10, 10))))
    assert np.array_equal(moved, np.pad(LARGE, ((20, 20), (10, 10))))
    assert (image[:, ~torch.from_numpy(inside)] == 0).all()


def test_a_large_picture_is_cut_at_varying_places():
    corners = set()
    chance = np.random.default_rng(0)
    ramp = np.arange(80, dtype=np.uint8)[None, :, None].repeat(60, 0).repeat(3, 2)
    for seed in range(40):
        image, _, inside = seen(ramp, LARGE[None], seed, crop=40)
        assert inside.all()
        corners.add(round(float(image[0, 0, 0]) * 255))
    del chance
    assert min(corners) <= 4
    assert max(corners) >= 36
    assert len(corners) > 15


def whole(turns=0, flips=()):
    expected = np.pad(LARGE, ((20, 20), (10, 10)))
    for axis in flips:
        expected = np.flip(expected, axis)
    return np.rot90(expected, turns)


def test_flips_and_quarter_turns_are_exact_and_all_occur():
    settings = {"flip_horizontal": True, "flip_vertical": True, "quarter_turns": True}
    known = {
        whole(turns, flips).tobytes(): (turns, flips) for turns in range(4) for flips in ((), (0,))
    }
    found = {
        known[np.ascontiguousarray(seen(seed=seed, crop=100, **settings)[1][0]).tobytes()]
        for seed in range(60)
    }
    assert len(found) == 8


@pytest.mark.parametrize(
    "settings",
    [
        {"scale_low": 0.75, "scale_high": 1.25},
        {"shift_probability": 1.0},
        {"shift_probability": 1.0, "rotation": 30.0, "shift": 0.2},
        {"scale_low": 0.6, "scale_high": 2.0, "quarter_turns": True, "flip_vertical": True},
    ],
)
def test_masks_move_as_their_pictures_do(settings):
    blob = enlarge(BLOB, 2)
    picture = (blob[..., None] * np.uint8(255)).repeat(3, axis=2)
    for seed in range(10):
        image, (moved,), _ = seen(picture, blob[None], seed, crop=96, **settings)
        from_colours = image[0].numpy() > 0.5
        assert (from_colours ^ moved).mean() < 0.01


def test_a_scale_is_the_factor_by_which_an_area_grows():
    square = np.zeros((50, 50), dtype=bool)
    square[15:35, 15:35] = True
    picture = np.zeros((50, 50, 3), dtype=np.uint8)
    for scale in (0.5, 1.5):
        _, (moved,), _ = seen(picture, square[None], crop=100, scale_low=scale, scale_high=scale)
        assert moved.sum() == pytest.approx(400 * scale**2, rel=0.03)


def test_light_scales_contrast_and_then_adds_brightness():
    grey = np.full((20, 20, 3), 100, dtype=np.uint8)
    flat = np.zeros((1, 20, 20), dtype=bool)
    fixed = {"crop": 20, "light_probability": 1.0, "contrast_low": 0.3, "contrast_high": 0.3}
    image, _, _ = seen(grey, flat, brightness=0.0, **fixed)
    assert torch.allclose(image, torch.full_like(image, 1.3 * 100 / 255))
    values = [
        float(seen(grey, flat, seed, brightness=0.25, **fixed)[0].mean()) for seed in range(200)
    ]
    assert min(values) == pytest.approx(1.3 * 100 / 255 - 0.25, abs=0.02)
    assert max(values) == pytest.approx(1.3 * 100 / 255 + 0.25, abs=0.02)


def test_each_colour_shifts_by_itself_and_no_further_than_asked():
    grey = np.full((8, 8, 3), 100, dtype=np.uint8)
    shifts = np.stack(
        [
            seen(grey, np.zeros((1, 8, 8), bool), seed, crop=8, rgb_shift_probability=1.0)[0]
            .mean(dim=(1, 2))
            .numpy()
            * 255
            - 100
            for seed in range(200)
        ]
    )
    assert np.abs(shifts).max() <= 10.01
    assert np.abs(shifts).max(axis=0).min() > 9
    assert np.abs(np.corrcoef(shifts.T) - np.eye(3)).max() < 0.3


def test_grey_pictures_have_three_equal_colours_of_the_usual_weights():
    picture = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    image, _, _ = seen(picture, np.zeros((1, 12, 12), bool), crop=12, grey_probability=1.0)
    expected = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    for colour in image:
        assert np.abs(colour.numpy() * 255 - expected).max() < 1


def test_blur_and_jitter_change_colours_and_leave_the_masks():
    for name in ("jitter_probability", "blur_probability"):
        chance = np.random.default_rng(1)
        picture = chance.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        before, still, _ = seen(picture, crop=64)
        after, moved, _ = seen(picture, crop=64, **{name: 1.0})
        assert np.array_equal(still, moved)
        assert (before - after).abs().mean() > 0.01
        assert after.min() >= 0
        assert after.max() <= 1


def test_the_same_chance_gives_the_same_picture_whatever_torch_drew_before():
    settings = {"crop": 64, "jitter_probability": 1.0, "shift_probability": 1.0}
    first = seen(seed=3, **settings)[0]
    torch.rand(5)
    assert torch.equal(first, seen(seed=3, **settings)[0])


@pytest.mark.parametrize("bad", [{"crop": 0}, {"scale_low": 2.0}, {"grey_probability": 1.5}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(InputError, match="needs"):
        Augmentation(**bad)
