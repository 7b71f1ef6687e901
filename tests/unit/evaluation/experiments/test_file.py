"""What an experiment's file may say, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.experiments.file import read_file

ROW = '\n[[rows]]\nname = "a"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "it.toml"
    path.write_text(text)
    return path


def test_what_is_said_is_told_from_what_is_left_out(tmp_path: Path):
    file = read_file(written(tmp_path, 'method = "m2n2"\ncurve = false' + ROW))
    assert file.said() == {"method": "m2n2", "curve": False}
    assert file.rows is not None
    assert file.rows[0].said() == {}


def test_settings_of_a_part_may_stand_in_its_table_or_behind_a_dot(tmp_path: Path):
    text = 'settings.temperature = 0.5\nsettings.backbone.side = 512\nsettings."depth.seed" = 1\n'
    assert read_file(written(tmp_path, text + ROW)).said()["settings"] == {
        "temperature": 0.5,
        "backbone.side": 512,
        "depth.seed": 1,
    }


def test_rows_are_written_out_for_each_data_set_and_rule(tmp_path: Path):
    text = 'across.rule = ["ritm", "m2n2"]\nacross.dataset = ["grabcut", "berkeley"]\n'
    rows = read_file(written(tmp_path, text + ROW + 'method = "gsc"')).rows or []
    assert [row.name for row in rows] == [
        "a, ritm, grabcut",
        "a, ritm, berkeley",
        "a, m2n2, grabcut",
        "a, m2n2, berkeley",
    ]
    assert rows[1].said() == {"method": "gsc", "rule": "ritm", "dataset": "berkeley"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('across.method = ["gsc"]', "needs 'dataset' or 'rule'"),
        ("across.rule = []", r"across\.rule is \[\]; needs"),
        ("method = ", r"it\.toml is no TOML: Invalid value"),
        ('metod = "m2n2"', "No key of an experiment is called 'metod'. Did"),
        ("max_clicks = 'ten'", "max_clicks is 'ten'; needs a valid integer."),
        ("limit = 2.5", r"limit is 2\.5; needs a valid integer."),
        ("curve = 1", "curve is 1; needs a valid boolean."),
        ("settings.temperature = [1, 2]", r"settings\.temperature is \[1, 2\]; needs"),
        ("rows = []", r"rows is \[\]; needs"),
        ('[[rows]]\nmethod = "m2n2"', "row 1: 'name' is missing."),
        (ROW + 'metod = "m2n2"', "row 'a': No key of a row is called 'metod'. Did you mean 'meth"),
        (ROW + "published.davis = {noc91 = 3}", "row 'a': published figure 'noc91'; needs noc80"),
        (ROW + "published.davis = {noc90 = -1}", r"row 'a': published\.davis\.noc90 is -1; needs"),
        (ROW + "runs = 0", "row 'a': runs is 0; needs greater than or equal to 1"),
    ],
)
def test_what_no_experiment_says_is_answered_in_one_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(InputError, match=said) as caught:
        read_file(written(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "it.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(StorageError, match=r"Cannot read .*none\.toml"):
        read_file(tmp_path / "none.toml")
