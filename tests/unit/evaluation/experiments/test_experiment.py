"""How a row's choices, the command line's, the file's and those below it come together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fewclicks.errors import InputError
from fewclicks.evaluation.experiments.experiment import (
    Experiment,
    Row,
    check_rows,
    read_experiment,
)

HEAD = 'title = "T"\nsource = "a paper"\n'
SHARED = HEAD + 'method = "m2n2"\nbackbone = "colour"\ndataset = "grabcut"\nrule = "m2n2"\n'
TWO = """
[[rows]]
name = "cold"
settings.temperature = 0.5
published.grabcut = { noc90 = 1.9 }
published.davis = { noc90 = 6.72 }
[[rows]]
name = "other method"
method = "graphcut"
"""


def read(folder: Path, text: str, overrides: dict[str, Any] | None = None) -> Experiment:
    (folder / "it.toml").write_text(text)
    return read_experiment(folder / "it.toml", overrides=overrides)


def plan(row: Row):
    return row.plans[0]


def test_a_row_takes_what_is_shared_and_adds_its_own(tmp_path: Path):
    shared = SHARED + "max_clicks = 7\nsettings.saturation = 0.2\nsettings.backbone.texture = 0\n"
    cold, other = read(tmp_path, shared + TWO).rows
    assert plan(cold).method == "m2n2"
    assert plan(cold).max_clicks == plan(other).max_clicks == 7
    assert plan(cold).settings == {
        "saturation": "0.2",
        "backbone.texture": "0",
        "temperature": "0.5",
    }
    assert cold.published == {"noc90": 1.9}


def test_another_method_leaves_the_settings_of_the_first_behind(tmp_path: Path):
    shared = SHARED + "settings.saturation = 0.2\nsettings.backbone.texture = 0\n"
    other = read(tmp_path, shared + TWO).rows[1]
    assert plan(other).settings == {"backbone.texture": "0"}


def test_the_command_line_stands_between_a_row_and_the_file(tmp_path: Path):
    typed = {
        "method": "fewclicks",
        "limit": 3,
        "dataset": "davis",
        "settings": {"backbone.position": "1"},
    }
    cold, other = read(tmp_path, SHARED + "limit = 9\n" + TWO, typed).rows
    assert (plan(cold).method, plan(other).method) == ("fewclicks", "graphcut")
    assert plan(cold).limit == 3
    assert plan(cold).settings == {"backbone.position": "1", "temperature": "0.5"}
    assert cold.published == {"noc90": 6.72}


def test_another_backbone_leaves_the_settings_of_the_first_behind(tmp_path: Path):
    shared = SHARED + "settings.saturation = 0.2\nsettings.backbone.texture = 0\n"
    cold = read(tmp_path, shared + TWO, {"backbone": "a/vit"}).rows[0]
    assert plan(cold).settings == {"saturation": "0.2", "temperature": "0.5"}
    same = read(tmp_path, shared + TWO, {"backbone": "colour"}).rows[0]
    assert plan(same).settings["backbone.texture"] == "0"


def test_what_differs_from_the_published_table_is_known(tmp_path: Path):
    typed = {"limit": 3, "backbone": "colour", "seed": 4, "dataset": "davis"}
    assert read(tmp_path, SHARED + TWO, typed).changed == {"limit": 3}
    (tmp_path / "small.toml").write_text('builds_on = "it.toml"\nsubset = "even"\nlimit = 5\n')
    small = read_experiment(tmp_path / "small.toml", overrides={"limit": 3})
    assert small.changed == {"subset": "even", "limit": 3}


def test_a_file_may_build_on_another_one(tmp_path: Path):
    read(tmp_path, SHARED + "settings.backbone.texture = 0\n" + TWO)
    (tmp_path / "small.toml").write_text('builds_on = "it.toml"\nsettings.backbone.position = 0\n')
    small = read_experiment(tmp_path / "small.toml")
    assert [row.name for row in small.rows] == ["cold", "other method"]
    assert plan(small.rows[0]).settings["backbone.position"] == "0"
    assert plan(small.rows[0]).settings["backbone.texture"] == "0"
    (tmp_path / "own.toml").write_text('builds_on = "it.toml"\n[[rows]]\nname = "mine"\n')
    assert [row.name for row in read_experiment(tmp_path / "own.toml").rows] == ["mine"]


def test_a_file_builds_on_one_that_stands_alone(tmp_path: Path):
    with pytest.raises(InputError, match="which builds on another; needs a file that stands alone"):
        read(tmp_path, 'builds_on = "it.toml"\n')


def test_runs_differ_in_their_seed_alone(tmp_path: Path):
    row = read(tmp_path, SHARED + '[[rows]]\nname = "a"\nrule = "random"\nruns = 3\nseed = 4').rows[
        0
    ]
    assert [each.seed for each in row.plans] == [4, 5, 6]
    assert {each.rule for each in row.plans} == {"random"}


def test_truth_values_are_written_as_one_types_them(tmp_path: Path):
    row = read(tmp_path, SHARED + '[[rows]]\nname = "a"\nsettings.flood_fill = false')
    assert plan(row.rows[0]).settings == {"flood_fill": "false"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHARED, "'rows' is missing"),
        ('source = "s"\n[[rows]]\nname = "a"', "'title' is missing"),
        (HEAD + '[[rows]]\nname = "a"', "row 'a': 'dataset' is missing; a file, or --dataset"),
        (SHARED + '[[rows]]\nname = "a"\n[[rows]]\nname = "a"', "2 rows are called 'a'"),
        (SHARED + '[[rows]]\nname = "a b"\n[[rows]]\nname = "A_B"', "'a b', 'A_B' would share the"),
        (SHARED + '[[rows]]\nname = "/"', "'/' would share the folder ''"),
        (SHARED + '[[rows]]\nname = "a"\nmethod = "m2n"', "row 'a': No method .* mean 'm2n2'"),
        (SHARED + '[[rows]]\nname = "a"\nrule = "rit"', "row 'a': No click rule .* mean 'ritm'"),
        (SHARED + '[[rows]]\nname = "a"\nruns = 2', "2 runs under rule m2n2 without jitter would"),
        (SHARED + '[[rows]]\nname = "a"\nlimit = 0', "row 'a': limit is 0; needs 1"),
    ],
)
def test_what_cannot_be_run_is_answered_in_one_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(InputError, match=said) as caught:
        read(tmp_path, text)
    assert "it.toml" in str(caught.value)


@pytest.mark.parametrize("typed", [{"settings": {"temperature": "1"}}, {"rule": "ritm"}])
def test_a_choice_that_each_row_makes_for_itself_is_refused(tmp_path: Path, typed: dict[str, Any]):
    rows = '[[rows]]\nname = "a"\nrule = "m2n2"\nsettings.temperature = 0.5'
    with pytest.raises(InputError, match=r"each row chooses its own (temperature|rule)"):
        read(tmp_path, SHARED + rows, typed)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("settings.temprature = 1", "No setting of 'm2n2' .* mean 'temperature'"),
        ("settings.temperature = true", "Setting temperature=true; needs a number"),
        ("settings.max_steps = 1.5", r"Setting max_steps=1\.5; needs a whole number"),
        ("settings.backbone.side = 8", "No setting of 'colour' is called 'side'"),
        ('backbone = "color"', "No backbone is called 'color'. Did you mean 'colour'"),
        ('protocol = "combination"', "Data set 'demonstration' does not say which are objects"),
        ('initial_masks = "nowhere"', "There is no folder nowhere"),
        ('dataset = "demonstation"', "No data set is called 'demonstation'. Did you mean"),
    ],
)
def test_rows_are_checked_before_the_first_is_measured(tmp_path: Path, row: str, said: str):
    head = SHARED.replace("grabcut", "demonstration")
    experiment = read(tmp_path, head + '[[rows]]\nname = "good"\n[[rows]]\nname = "bad"\n' + row)
    with pytest.raises(InputError, match=f"row 'bad': {said}"):
        check_rows(experiment)


def test_exemplars_that_people_were_to_make_are_missed_before_the_first_row(tmp_path: Path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        Image.new("L", (4, 4), 1).save(tmp_path / part / "a.png")
    said = {"a": {"objects": [{"label": 1, "category": "dog"}]}}
    (tmp_path / "instances.json").write_text(json.dumps(said))
    head = HEAD + 'method = "graphcut"\ndataset = "instances"\nprotocol = "additional"\n'
    text = head + 'exemplar = "golden"\n[[rows]]\nname = "a"\nguidance.real = "no/where"\n'
    (tmp_path / "it.toml").write_text(text)
    experiment = read_experiment(tmp_path / "it.toml", data=str(tmp_path))
    with pytest.raises(InputError, match=r"row 'a': There is no folder no/where"):
        check_rows(experiment)


def test_a_name_with_a_dollar_stands_for_an_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = HEAD + 'method = "m2n2"\nbackbone = "$SOME_VIT"\ndataset = "grabcut"\n'
    text += '[[rows]]\nname = "a"\n'
    monkeypatch.setenv("SOME_VIT", "dinov2-small")
    assert plan(read(tmp_path, text).rows[0]).backbone == "dinov2-small"
    monkeypatch.delenv("SOME_VIT")
    with pytest.raises(InputError, match=r"row 'a': '\$SOME_VIT' names an environment variable"):
        read(tmp_path, text)
