"""A training of seconds, and the pictures that it learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from drawing import BLOB, paint
from fewclicks.images.writing import write_image

PLAN = """
title = "small"

[network]
dim = 16
depth = 2
heads = 2
patch = 8
levels = [8, 8, 8, 8]
head = 8
side = 32
window = 2
global_every = 2

[targets.boxes]
kind = "rectangles"
images = "pictures"

[augmentation]
crop = 32
scale_low = 0.5
scale_high = 0.75

[schedule]
rate = 1e-3

[run]
steps = 6
batch = 4
least_pixels = 20
checkpoint_every = 2
scalars_every = 2
pictures_every = 0
"""


def draw(folder: Path, count: int) -> Path:
    """Pictures that differ, of two objects each."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        labels = np.roll(BLOB, (number, 2 * number), axis=(0, 1)).astype(np.uint8)
        labels[50:58, 2:14] = 2
        picture = paint(labels > 0, noise=60)
        picture[0, 0] = number
        write_image(folder / "images" / f"{number:02}.png", picture)
        Image.fromarray(labels).save(folder / "masks" / f"{number:02}.png")
    return folder
