"""Marigold at its published size: how large it is, and what one drawing takes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from published_diffusion import apart

NAME = "marigold-depth-lcm"
# Millions of parameters: Stable Diffusion 2's, with four more channels of latents to listen to.
PUBLISHED = {"unet": 865.9, "vae": 83.7, "text_encoder": 340.4}
MOST_GIGABYTES = 7.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux only"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """It goes at once, as pytest would keep gigabytes of it."""
    yield tmp_path / "marigold"
    shutil.rmtree(tmp_path / "marigold")


def test_it_is_made_saved_loaded_and_draws_at_its_published_size(folder: Path):
    sizes = apart("make", NAME, folder, "float32")
    assert {part: round(size / 1e6, 1) for part, size in sizes.items()} == PUBLISHED

    found = apart("draw", NAME, folder, "768")

    assert (found["farthest"], found["nearest"]) == (0.0, 1.0)
    assert found["spread"] > 0.01
    assert found["gigabytes"] < MOST_GIGABYTES
