from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewclicks.backbones.registry import BACKBONES, DEPTHS
from fewclicks.cli.listing import backbones, methods
from fewclicks.methods.registry import METHODS


def test_methods_are_listed_for_programs(capsys: pytest.CaptureFixture[str]):
    methods(as_json=True)
    rows = json.loads(capsys.readouterr().out)

    assert [row["name"] for row in rows] == [entry.name for entry in METHODS]
    for row in rows:
        assert set(row) == {"name", "family", "needs", "trainable", "source", "parameters"}
    assert rows[0]["needs"] == ["backbone"]


def test_backbones_are_listed_for_programs(capsys: pytest.CaptureFixture[str]):
    backbones(as_json=True)
    rows = json.loads(capsys.readouterr().out)

    assert [row["name"] for row in rows] == [entry.name for entry in (*BACKBONES, *DEPTHS)]
    assert rows[0] == {
        "name": "colour",
        "kind": ["attention", "features"],
        "licence": "Apache-2.0",
        "size": 0,
        "source": "this package; no weights",
        "found": "in the package",
    }


def test_where_weights_lie_is_listed_once_they_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FEWCLICKS_CACHE", str(tmp_path))
    folder = tmp_path / "weights" / "dino-vits16"
    folder.mkdir(parents=True)

    def found() -> str | None:
        backbones(as_json=True)
        rows = json.loads(capsys.readouterr().out)
        return next(row["found"] for row in rows if row["name"] == "dino-vits16")

    assert found() is None
    (folder / "config.json").touch()
    (folder / "model.safetensors").touch()
    assert found() == str(folder)


def test_people_see_a_table_with_one_line_for_each_name(capsys: pytest.CaptureFixture[str]):
    methods()
    lines = capsys.readouterr().out.splitlines()

    for entry in METHODS:
        [line] = [line for line in lines if line.split()[:1] == [entry.name]]
        assert entry.family in line
        assert entry.summary in line
        assert all(guidance in line for guidance in entry.takes)


def test_people_see_what_a_backbone_gives(capsys: pytest.CaptureFixture[str]):
    backbones()

    assert "attention, features" in capsys.readouterr().out
