"""An experiment from the command line: what is typed goes over the file, and misuse is one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, paint

EXPERIMENT = """
title = "Radius"
source = "a paper"
method = "graphcut"
dataset = "davis"
max_clicks = 2
[[rows]]
name = "radius 2"
settings.radius = 2
published.folder = { noc90 = 2.5 }
[[rows]]
name = "colours"
method = "random_walker"
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "it.toml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for part, content in (("images", paint(BLOB)), ("masks", BLOB.astype(np.uint8) * 255)):
        (tmp_path / "data" / part).mkdir(parents=True)
        Image.fromarray(content).save(tmp_path / "data" / part / "a.png")
    return tmp_path / "data"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line in this process; give its exit code, stdout and stderr."""
    from fewclicks.cli.app import main

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fewclicks", "evaluate", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return call


def test_rows_are_measured_with_what_was_typed(said, experiment: Path, data: Path, tmp_path: Path):
    typed = ("--dataset", "folder", "--data", data, "--rule", "m2n2")
    code, out, err = said(experiment, *typed, "--out", tmp_path / "out", "--json")
    assert code == 0, err
    content = json.loads(out)
    assert content["experiment"] == "Radius"
    first, second = content["rows"]
    assert (first["name"], first["method"], first["rule"]) == ("radius 2", "graphcut", "m2n2")
    assert first["published"] == {"noc90": 2.5}
    assert (second["method"], second["objects"]) == ("random_walker", 1)
    result = json.loads((tmp_path / "out" / "radius_2" / "result.json").read_text())
    assert result["noc"] == first["noc"]
    assert len(result["miou"]) == 2
    assert "rule = m2n2" in (tmp_path / "out" / "table.md").read_text()
    lines = err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["radius 2", "colours"]

    code, out, _ = said(experiment, *typed, "--out", tmp_path / "out", "--resume")
    assert code == 0
    assert f"Wrote {tmp_path / 'out' / 'table.md'}" in out


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 2, "Give --dataset NAME, or the file of an experiment."),
        (["none.toml"], 1, "Cannot read none.toml: no such file or directory."),
        (
            ["it.toml", "--method", "graph_cut"],
            1,
            "row 'radius 2': No method is called 'graph_cut'",
        ),
        (["it.toml", "--set", "radius"], 2, "'radius' is no setting; needs KEY=VALUE."),
        (["it.toml"], 1, "row 'radius 2': Data set 'davis' needs a folder"),
    ],
)
def test_misuse_is_answered_in_one_line(
    said,
    experiment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    line: str,
):
    monkeypatch.chdir(experiment.parent)
    monkeypatch.delenv("FEWCLICKS_DATA", raising=False)
    ended, _, err = said(*words, "--out", tmp_path / "out")
    assert ended == code
    assert line in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
