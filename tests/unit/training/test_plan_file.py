"""What a training's file may say; which of two sayings counts; how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewclicks.errors import InputError, UnknownEntryError

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from fewclicks.training.plan_file import read_plans
from fewclicks.training.targets import MaskTargets, ProposalTargets

BASE = """
title = "base"
[network]
size = "xtiny"
[targets.regions]
kind = "proposals"
store = "STORE"
images = "photos"
alpha = 0.8
[schedule]
rate = 1e-4
milestones = [0.5, 0.75]
[run]
epochs = 2
batch = 8
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_plan_says_what_its_file_says(tmp_path):
    (row,) = read_plans(write(tmp_path, "a.toml", BASE))
    assert (row.name, row.folder) == ("", ".")
    assert row.plan.schedule.milestones == (0.5, 0.75)
    assert row.plan.run.epochs == 2
    assert row.plan.targets["regions"] == ProposalTargets(store="STORE", images="photos", alpha=0.8)
    assert row.plan.network.shape == {"size": "xtiny"}
    assert row.plan.clicks.max_clicks == 24


def test_typed_settings_count_more_than_rows_and_rows_more_than_files(tmp_path):
    write(tmp_path, "base.toml", BASE)
    path = write(
        tmp_path,
        "b.toml",
        """
        builds_on = "base.toml"
        run.batch = 16
        [[rows]]
        name = "alpha 0"
        targets.regions.alpha = 0.0
        loss.smoothness = 3
        [[rows]]
        name = "as it is"
        """,
    )
    rows = read_plans(path, settings={"loss.smoothness": "5", "schedule.milestones": "[0.9]"})
    assert [row.folder for row in rows] == ["alpha_0", "as_it_is"]
    assert [row.plan.targets["regions"].alpha for row in rows] == [0.0, 0.8]
    assert all(row.plan.loss.smoothness == 5 for row in rows)
    assert all(row.plan.schedule.milestones == (0.9,) for row in rows)
    assert all(row.plan.run.batch == 16 for row in rows)
    assert [row.name for row in read_plans(path, row="as it is")] == ["as it is"]


def test_of_several_files_that_are_built_on_later_ones_count_more(tmp_path):
    write(tmp_path, "base.toml", BASE)
    write(tmp_path, "rows.toml", 'builds_on = "base.toml"\n[[rows]]\nname = "r"\nrun.seed = 4\n')
    write(tmp_path, "small.toml", 'builds_on = "base.toml"\nrun.batch = 2\nrun.seed = 3\n')
    path = write(tmp_path, "both.toml", 'builds_on = ["rows.toml", "small.toml"]')
    (row,) = read_plans(path)
    assert (row.name, row.plan.run.seed, row.plan.run.batch) == ("r", 4, 2)
    with pytest.raises(InputError, match="builds on itself"):
        read_plans(write(tmp_path, "rows.toml", 'builds_on = "both.toml"'))


def test_another_kind_of_target_leaves_the_settings_of_the_first_behind(tmp_path):
    text = (
        BASE
        + """
        [[rows]]
        name = "labels"
        targets.regions = { kind = "masks", dataset = "coco_tiny", fraction = 0.1 }
        [[rows]]
        name = "both"
        targets.labels = { kind = "masks", dataset = "coco_tiny" }
        [[rows]]
        name = "labels alone"
        targets.regions.share = 0
        targets.labels = { kind = "masks", dataset = "coco_tiny" }
        """
    )
    labels, both, alone = (row.plan.targets for row in read_plans(write(tmp_path, "a.toml", text)))
    assert labels == {"regions": MaskTargets(dataset="coco_tiny", fraction=0.1)}
    assert sorted(both) == ["labels", "regions"]
    assert sorted(alone) == ["labels"]


def test_a_network_with_weights_leaves_shape_and_start_behind(tmp_path):
    text = (
        BASE
        + """
        [[rows]]
        name = "on"
        network.weights = "before.safetensors"
        published.grabcut = { noc85 = 1.0 }
        """
    )
    (row,) = read_plans(write(tmp_path, "a.toml", text))
    assert row.plan.network.weights == "before.safetensors"
    assert not row.plan.network.shape
    assert row.plan.published == {"grabcut": {"noc85": 1.0}}


def test_an_empty_table_takes_the_place_of_any(tmp_path):
    write(tmp_path, "base.toml", BASE + "[published]\ngrabcut = { noc85 = 1.0 }\n")
    path = write(tmp_path, "a.toml", 'builds_on = "base.toml"\npublished = {}\n')
    assert not read_plans(path)[0].plan.published


def test_environment_variables_stand_for_paths(tmp_path, monkeypatch):
    path = write(tmp_path, "a.toml", BASE.replace("STORE", "$SOME_STORES/mis"))
    monkeypatch.setenv("SOME_STORES", "/stores")
    assert read_plans(path)[0].plan.targets["regions"].store == "/stores/mis"
    monkeypatch.delenv("SOME_STORES")
    with pytest.raises(InputError, match=r"'\$SOME_STORES/mis' names an environment variable"):
        read_plans(path)
    typed = {"targets.regions.store": "elsewhere"}
    assert read_plans(path, settings=typed)[0].plan.targets["regions"].store == "elsewhere"


@pytest.mark.parametrize(
    ("replaced", "by", "complaint"),
    [
        ("alpha = 0.8", "alfa = 0.8", "Did you mean 'alpha'"),
        ("alpha = 0.8", "alpha = 1.5", r"alpha is 1.5; needs a number in \[0, 1\]"),
        ('kind = "proposals"', 'kind = "proposal"', "Did you mean 'proposals'"),
        ('kind = "proposals"\n', "", "has no kind"),
        ('images = "photos"\n', "", "'images' is missing"),
        ("batch = 8", "batch = 1.5", "batch is 1.5; needs a whole number"),
        ("batch = 8", "steps = 5", "needs one of the two"),
        ("epochs = 2\n", "", "needs one of the two"),
        ('size = "xtiny"', 'size = "tiny"', "size is 'tiny'"),
        ("[run]", "[runs]", "Did you mean 'run'"),
        ("[run]", "[run", "is no TOML"),
        ("rate = 1e-4", 'rate = "fast"', "rate=fast; needs a number"),
        ("milestones = [0.5, 0.75]", "milestones = [5]", "share of the training"),
    ],
)
def test_what_no_training_can_mean_is_refused_in_one_line(tmp_path, replaced, by, complaint):
    assert replaced in BASE
    path = write(tmp_path, "a.toml", BASE.replace(replaced, by))
    with pytest.raises(InputError, match=complaint) as caught:
        read_plans(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_are_called_by_name(tmp_path):
    rows = BASE + '[[rows]]\nname = "one"\n'
    with pytest.raises(UnknownEntryError, match="Did you mean 'one'"):
        read_plans(write(tmp_path, "a.toml", rows), row="on")
    with pytest.raises(InputError, match="no rows"):
        read_plans(write(tmp_path, "b.toml", BASE), row="one")
    with pytest.raises(InputError, match="no name"):
        read_plans(write(tmp_path, "c.toml", BASE + "[[rows]]\nrun.seed = 1\n"))


def test_a_start_may_be_none(tmp_path):
    path = write(tmp_path, "a.toml", BASE.replace("[network]", '[network]\nstart = "$UNSET_VIT"'))
    plan = read_plans(path, settings={"network.start": "none"})[0].plan
    assert plan.network.start is None
    assert read_plans(path, settings={"network.start": "vit"})[0].plan.network.start == "vit"
