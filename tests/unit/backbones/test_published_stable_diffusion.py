"""Stable Diffusion at its published size: how large it is, and what looking through it takes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from published_diffusion import apart

MOST_GIGABYTES = 7.0
# Millions of parameters, as the publishers' pages and diffusers' own count have them.
PUBLISHED = {
    "stable-diffusion-1": {"unet": 859.5, "vae": 83.7, "text_encoder": 123.1},
    "stable-diffusion-2": {"unet": 865.9, "vae": 83.7, "text_encoder": 340.4},
}
# The one as it is published, the other as it would be in half the space.
DTYPES = {"stable-diffusion-1": "float16", "stable-diffusion-2": "float32"}

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux only"),
]


@pytest.fixture(scope="module", params=PUBLISHED)
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path, dict[str, float]]]:
    """Name, folder and sizes; the folder goes at once, as pytest would keep gigabytes of it."""
    folder = tmp_path_factory.mktemp(request.param)
    sizes = apart("make", request.param, folder, DTYPES[request.param])
    yield request.param, folder, sizes
    shutil.rmtree(folder)


def test_it_has_the_published_number_of_parameters(published):
    name, _, sizes = published
    millions = {part: round(size / 1e6, 1) for part, size in sizes.items()}
    assert millions == PUBLISHED[name]


def test_a_look_at_the_training_size_fits_into_memory(published):
    name, folder, _ = published
    found = apart("look", name, folder, "512")
    assert found["tokens"] == 64 * 64
    assert found["furthest_sum_from_1"] < 1e-5
    assert found["gigabytes"] < MOST_GIGABYTES


def test_a_look_at_the_papers_size_fits_into_memory(published):
    name, folder, _ = published
    side = {"stable-diffusion-1": 896, "stable-diffusion-2": 1024}[name]
    found = apart("look", name, folder, str(side))
    assert found["tokens"] == (side // 8) ** 2
    assert found["furthest_sum_from_1"] < 1e-5
    assert found["gigabytes"] < MOST_GIGABYTES
