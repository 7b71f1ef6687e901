"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drawing import BLOB, paint
from fewclicks.arrays import BoolMask, RgbImage

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def disk_mask() -> BoolMask:
    """(60, 80), a blob a little left of the middle."""
    return BLOB.copy()


@pytest.fixture
def disk_image(disk_mask: BoolMask) -> RgbImage:
    """The blob in red on blue."""
    return paint(disk_mask)


@pytest.fixture
def real_data() -> Path:
    """The folder of benchmark pictures: $FEWCLICKS_DATA, or the one beside the checkout."""
    folder = Path(os.environ.get("FEWCLICKS_DATA", SHARED_DATA))
    if not folder.is_dir():
        pytest.skip(f"No benchmark pictures at {folder}; set FEWCLICKS_DATA to test on them.")
    return folder


@pytest.fixture
def vit_tiny() -> Path:
    """A small vision transformer with real weights, beside the benchmark pictures."""
    data = Path(os.environ.get("FEWCLICKS_DATA", SHARED_DATA))
    folder = data.parent / "weights" / "vit-tiny"
    if not folder.is_dir():
        pytest.skip(f"No network at {folder}; put one there to test on it.")
    return folder
