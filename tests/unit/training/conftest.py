"""A folder of small pictures, and the plan of a training that takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_training import PLAN, draw


@pytest.fixture
def small_data(tmp_path: Path) -> Path:
    """Five pictures below `pictures`, with two labelled objects each."""
    draw(tmp_path / "data" / "pictures", 5)
    return tmp_path / "data"


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """The plan as a file."""
    path = tmp_path / "small.toml"
    path.write_text(PLAN)
    return path
