from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from fewclicks.cli.app import app
from fewclicks.errors import InputError
from fewclicks.evaluation.speed.run import Size, read_size

BOUNDS = {
    "sinkhorn": 2e-3,
    "markov map": 2e-3,
    "upsampling: apply": 3e-3,
    "flood fill": 3.5e-5,
    "threshold": 1e-5,
}


def test_bench_compares_our_way_with_the_baseline_in_one_run():
    arguments = ["bench", "--json", "--size", "160x120", "--repeats", "1", "--method", "fewclicks"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["machine"]["threads"] == 1
    rows = found["rows"]
    for row in rows:
        assert {"name", "median_s", "cpu_s", "baseline", "ratio", "max_error"} <= set(row)
        assert (row["baseline"] is None) == (row["ratio"] is None)
        assert (row["median_s"] is None) == (row["megabytes"] is not None)
    for name, bound in BOUNDS.items():
        measured = [row for row in rows if row["name"].startswith(name) and row["baseline"]]
        assert measured, name
        for row in measured:
            assert row["max_error"] <= bound, row
    rivals = {row["baseline"] for row in rows if row["name"] == "fewclicks: a click"}
    assert rivals == {None, "OpenCV GrabCut", "scikit-image random walker"}


def test_a_size_is_two_numbers_or_twelve_megapixels():
    assert read_size("854x480") == Size(854, 480)
    assert read_size("12MP") == Size(4000, 3000)


@pytest.mark.parametrize("text", ["854", "854x", "axb", "-5x40", "8x8", "99999x100"])
def test_another_size_is_refused(text: str):
    with pytest.raises(InputError, match=f"size is '{text}'; needs WIDTHxHEIGHT"):
        read_size(text)
