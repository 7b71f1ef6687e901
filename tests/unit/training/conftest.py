"""A folder of small pictures, and the plan of a training that takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, paint

SMALL = """
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


@pytest.fixture
def small_data(tmp_path: Path) -> Path:
    """Five pictures below `pictures`, with two labelled objects each."""
    folder = tmp_path / "data" / "pictures"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(5):
        blob = np.roll(BLOB, (3 * number, 4 * number), axis=(0, 1))
        labels = blob.astype(np.uint8)
        labels[50:58, 2:14] = 2
        Image.fromarray(paint(labels > 0)).save(folder / "images" / f"{number}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{number}.png")
    return tmp_path / "data"


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """The plan as a file."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path
