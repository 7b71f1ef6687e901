"""The trainings in `configs/mis`: each can be planned, says how, and prints what the paper does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from fewclicks.evaluation.published import published_rows
from fewclicks.training.plan import TrainingPlan
from fewclicks.training.plan_file import read_plans
from paper_tables import lines_of_table

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = sorted((ROOT / "configs" / "mis").rglob("*.toml"))
FULL = [path for path in CONFIGS if path.parent.name != "mini"]
DATASETS = ("grabcut", "berkeley", "sbd", "davis")


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORES", "VIT", "MIS"):
        monkeypatch.setenv(f"FEWCLICKS_{name}", name.lower())


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "configs"))


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_every_row_can_be_planned(path: Path):
    rows = read_plans(path)
    assert len({row.folder for row in rows}) == len(rows)
    described = [str(row.plan.describe()) for row in rows]
    assert len(set(described)) == len(rows), "each row trains something else"


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_file_opens_with_its_command_its_time_and_what_to_expect(path: Path):
    comment = path.read_text().partition("\n\n")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert re.search(rf"fewclicks train configs/{name_of(path)} ", comment)
    assert re.search(r"Takes \d+ (hours|minutes) \(estimate", comment)
    assert "Expected: " in comment


@pytest.mark.parametrize("path", FULL, ids=name_of)
def test_each_training_has_a_small_one_of_the_same_rows(path: Path):
    rows, small = read_plans(path), read_plans(path.parent / "mini" / path.name)
    assert [row.name for row in small] == [row.name for row in rows]
    assert all(row.plan.run.steps and row.plan.augmentation.crop < 448 for row in small)


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_nothing_is_measured_on_reporting_data_in_between(path: Path):
    for row in read_plans(path):
        assert (row.plan.evaluation.dataset, row.plan.evaluation.subset) == ("grabcut", "even")


def figures(plan: TrainingPlan) -> tuple[float, ...]:
    return tuple(value for name in DATASETS for value in plan.published.get(name, {}).values())


def printed(caption: str) -> list[tuple[float, ...]]:
    """Read the rows above a caption; changes in brackets are left out."""
    rows = []
    for line in lines_of_table("mis", caption, head="NoC@85"):
        plain = re.sub(r"\([^)]*\)|\[\d+\]|\d+%", " ", line)
        numbers = [float(word) for word in plain.split() if re.fullmatch(r"\d+\.\d+", word)]
        if len(numbers) >= 8:
            rows.append(tuple(numbers[-8:]))
    return rows


@pytest.mark.parametrize(
    ("names", "caption"),
    [
        (("alpha", "smoothness"), "Table 2:"),
        (("labels",), "Table 3:"),
        (("connectivity",), "Table 4:"),
        (("sampling",), "Table 5:"),
    ],
)
def test_the_published_figures_are_those_of_the_tables(names: tuple[str, ...], caption: str):
    ours = [
        figures(row.plan)
        for name in names
        for row in read_plans(ROOT / "configs" / "mis" / f"{name}.toml")
    ]
    assert [each for each in ours if each] == printed(caption)


def test_the_baselines_are_those_of_the_first_table():
    rows = read_plans(ROOT / "configs" / "mis" / "baselines.toml")
    ours = [figures(row.plan) for row in rows]
    assert ours == printed("Table 1:")[-5:]


def test_the_published_row_of_mis_is_the_one_that_reports_show():
    (plan,) = (row.plan for row in read_plans(ROOT / "configs" / "mis" / "mis.toml"))
    for dataset in ("grabcut", "berkeley"):
        known = [row for row in published_rows(dataset) if row.method.startswith("MIS")]
        for row in known[:1]:
            assert plan.published[dataset] == {"noc85": row.noc["85"], "noc90": row.noc["90"]}


def test_the_recipe_is_the_published_one():
    (row,) = read_plans(ROOT / "configs" / "mis" / "mis.toml")
    plan = row.plan
    assert (plan.run.epochs, plan.run.batch, plan.schedule.rate) == (55, 32, 5e-5)
    per_epoch = 8498 // 32
    assert plan.schedule.rate_at(50 * per_epoch - 1, 55 * per_epoch) == pytest.approx(5e-5)
    assert plan.schedule.rate_at(50 * per_epoch, 55 * per_epoch) == pytest.approx(5e-6)
    assert (plan.optimiser.name, plan.loss.kind, plan.loss.smoothness) == (
        "adam",
        "cross_entropy",
        10.0,
    )
    assert plan.augmentation.crop == 448
