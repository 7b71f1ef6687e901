"""Files that others broke, or made to break us: an answer or one line, soon, in little memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fuzzing.trial import run_trials

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits of memory and time are set as Linux has them"
)

QUICK = {"pictures": 500, "texts": 200, "folders": 300, "stores": 60}
"""Readers that share a process, and the least number of damaged files that they are given."""

ALL = {"pictures": 2000, "texts": 600, "folders": 1000, "stores": 150, "networks": 500}


def _check(group: str, folder: Path, seeds: int, least: int) -> None:
    outcomes = run_trials(group, folder, seeds)
    wholes = [each for each in outcomes if each.case.endswith(", whole")]
    broken = [each for each in outcomes if not each.case.endswith(", whole")]
    assert [each for each in wholes if each.answer != "read"] == []
    assert len(broken) >= least
    bad = [each for each in broken if each.answer not in ("read", "refused")]
    assert bad == [], "\n".join(f"{each.case}: {each.answer}: {each.said}" for each in bad)
    assert sum(each.answer == "refused" for each in broken) > len(broken) / 4
    slowest = max(broken, key=lambda each: each.seconds)
    largest = max(broken, key=lambda each: each.megabytes)
    print(f"{group}: {len(broken)} files; slowest {slowest}; largest {largest}")


@pytest.mark.parametrize("group", QUICK)
def test_damaged_files_are_read_or_refused_in_one_line(group: str, tmp_path: Path):
    _check(group, tmp_path, 2, QUICK[group])


@pytest.mark.long
@pytest.mark.parametrize("group", ALL)
def test_many_more_damaged_files_are_read_or_refused_in_one_line(group: str, tmp_path: Path):
    _check(group, tmp_path, 40, ALL[group])
