"""Masks drawn as text, so that a test shows what it tests."""

from __future__ import annotations

import numpy as np

from fewclicks.arrays import BoolMask, RgbImage


def mask(*rows: str) -> BoolMask:
    """True where a character is '#'."""
    return np.array([[character == "#" for character in row] for row in rows])


def enlarge(small: BoolMask, times: int) -> BoolMask:
    """Repeat each pixel."""
    return small.repeat(times, axis=0).repeat(times, axis=1)


def paint(
    on: BoolMask,
    *,
    inside: tuple[int, int, int] = (200, 60, 40),
    outside: tuple[int, int, int] = (40, 90, 160),
    noise: int = 8,
) -> RgbImage:
    """A picture with one colour on the mask and one off it, with a little seeded noise."""
    picture = np.where(on[..., None], np.array(inside), np.array(outside))
    speckle = np.random.default_rng(0).integers(-noise, noise + 1, picture.shape)
    return np.clip(picture + speckle, 0, 255).astype(np.uint8)


BLOB = enlarge(
    mask(
        "................",
        "................",
        "....####........",
        "...######.......",
        "...######.......",
        "...######.......",
        "...######.......",
        "....####........",
        "................",
        "................",
        "................",
        "................",
    ),
    5,
)
"""(60, 80), a blob a little left of the middle."""
