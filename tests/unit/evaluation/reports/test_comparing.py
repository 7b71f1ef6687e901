"""`fewclicks compare`: two results, and two folders of them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fewclicks.cli.app import app
from fewclicks.errors import InputError
from fewclicks.evaluation.reports.comparing import compare
from made_results import written_result

FIRST = {str(number): (0.96,) for number in range(12)}
SECOND = {str(number): (0.2, 0.3 + number / 40, 0.96) for number in range(12)}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for dataset in ("grabcut", "berkeley"):
        written_result(ours / dataset, FIRST, dataset=dataset, method="default")
        written_result(theirs / "deep" / dataset, SECOND, dataset=dataset)
    written_result(theirs / "davis", SECOND, dataset="davis")
    return ours, theirs


def test_two_folders_are_paired_by_data_set_and_rule(folders: tuple[Path, Path]):
    found = compare(*folders)
    assert [each.place for each in found.comparisons] == [
        "berkeley, rule ritm",
        "grabcut, rule ritm",
    ]
    assert found.alone == (f"davis, rule ritm in {folders[1]}",)
    assert all(each.main.mean == -2.0 for each in found.comparisons)


def test_a_page_a_table_and_the_bars_are_written(folders: tuple[Path, Path], tmp_path: Path):
    out = tmp_path / "out"
    answer = CliRunner().invoke(app, ["compare", *map(str, folders), "--out", str(out)])
    assert answer.exit_code == 0
    assert "default needs 2.00 fewer clicks than graphcut to IoU 90 %" in answer.stdout
    names = ["compare.csv", "compare.html", "compare.md", "difference.png", "difference.svg"]
    assert sorted(path.name for path in out.iterdir()) == names
    lines = list(csv.DictReader((out / "compare.csv").read_text().splitlines()))
    (noc,) = [
        line
        for line in lines
        if (line["data set"], line["figure"]) == ("grabcut, rule ritm", "NoC@90")
    ]
    assert (noc["first"], noc["second"], noc["difference"]) == ("1.00", "3.00", "-2.00")
    text = (out / "compare.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert "Without a partner: davis" in text


def test_a_program_reads_json(folders: tuple[Path, Path]):
    arguments = ["compare", *map(str, folders), "--json", "--target", "95"]
    answer = CliRunner().invoke(app, arguments)
    found = json.loads(answer.stdout)
    first = found["pairs"][0]
    assert (first["first"], first["second"], first["objects"]) == ("default", "graphcut", 12)
    figures = {each["figure"]: each for each in first["differences"]}
    assert figures["NoC@95"]["low"] <= figures["NoC@95"]["difference"] == -2.0
    assert (figures["NoC@95"]["better"], figures["NoC@95"]["worse"]) == (12, 0)


def test_two_of_one_method_are_called_after_their_folders(tmp_path: Path):
    paths = [written_result(tmp_path / name, FIRST) for name in ("old", "new")]
    (found,) = compare(*paths).comparisons
    assert (found.first.method, found.second.method) == ("graphcut [old]", "graphcut [new]")


def test_what_cannot_be_paired_is_refused(folders: tuple[Path, Path], tmp_path: Path):
    written_result(folders[0] / "again", FIRST, dataset="grabcut")
    with pytest.raises(InputError, match="holds two results on grabcut, rule ritm"):
        compare(*folders)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=re.escape("empty holds no result.json")):
        compare(tmp_path / "empty", folders[1])
    written_result(tmp_path / "other" / "1", FIRST, dataset="tda")
    written_result(tmp_path / "other" / "2", FIRST, dataset="sbd")
    with pytest.raises(InputError, match="has its like"):
        compare(tmp_path / "other", folders[1])


def test_one_result_against_another_of_other_objects_is_refused_in_one_line(tmp_path: Path):
    paths = [
        written_result(tmp_path / "a", FIRST),
        written_result(tmp_path / "b", {"x": (0.5,)}),
    ]
    with pytest.raises(
        InputError, match=r"the second lacks 12 \('0', '1', '10', …\) and the first"
    ):
        compare(*paths)
