"""The trainings in `configs`: each can be planned, says how, and prints what its paper does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("kornia", reason="training needs kornia")

from fewclicks.evaluation.published import published_rows
from fewclicks.methods.transformer.click_network import find_network
from fewclicks.training.plan import TrainingPlan
from fewclicks.training.plan_file import read_plans
from paper_tables import lines_of_table

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = [ROOT / "configs" / name for name in ("mis", "refcut", "icmformer")]
CONFIGS = sorted(path for folder in FOLDERS for path in folder.rglob("*.toml"))
MINI = [path for path in CONFIGS if path.parent.name == "mini"]
MIS = sorted(FOLDERS[0].glob("*.toml"))
DATASETS = ("grabcut", "berkeley", "sbd", "davis")


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORES", "PHOTOS", "VIT", "MIS", "SBD", "COCO_LVIS"):
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


@pytest.mark.parametrize("path", MIS, ids=name_of)
def test_each_training_has_a_small_one_of_the_same_rows(path: Path):
    rows, small = read_plans(path), read_plans(path.parent / "mini" / path.name)
    assert [row.name for row in small] == [row.name for row in rows]


@pytest.mark.parametrize("path", MINI, ids=name_of)
def test_a_small_training_has_few_steps_of_small_crops(path: Path):
    assert all(row.plan.run.steps and row.plan.augmentation.crop < 448 for row in read_plans(path))


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_nothing_is_measured_on_reporting_data_in_between(path: Path):
    for row in read_plans(path):
        measured = (row.plan.evaluation.dataset, row.plan.evaluation.subset)
        assert measured in [("grabcut", "even"), (None, None)]


@pytest.mark.parametrize(
    ("path", "kept_out"), [("refcut/mini/carparts", "test_*"), ("icmformer/mini/coco_tiny", "val")]
)
def test_a_small_guided_training_and_its_unguided_row_learn_from_the_same_lessons(
    path: str, kept_out: str
):
    guided, unguided = (row.plan for row in read_plans(ROOT / "configs" / f"{path}.toml"))
    assert find_network(guided.network.family).takes is not None
    assert find_network(unguided.network.family).takes is None
    for name in ("run", "clicks", "next_clicks", "augmentation", "loss", "optimiser", "schedule"):
        assert getattr(guided, name) == getattr(unguided, name)
    (one,), (other,) = guided.targets.values(), unguided.targets.values()
    assert one.dataset_settings == other.dataset_settings
    assert not any(kept_out in str(value) for value in one.dataset_settings.values())


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
        rows = [row for row in published_rows(dataset) if row.method == row.paper == "MIS"]
        (row,) = [row for row in rows if not row.variant]
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


def rows_of(path: str) -> dict[str, TrainingPlan]:
    return {row.name: row.plan for row in read_plans(ROOT / "configs" / path)}


def test_refcuts_figures_are_those_of_its_first_table():
    rows = rows_of("refcut/partimagenet.toml")
    lines = lines_of_table("refcut", "Table 1:", head="Method Backbone PartImageNet")
    table: dict[str, list[tuple[float, ...]]] = {}
    for line in lines:
        name = next((n for n in ("RefCut", "SimpleClick") if n in line), "")
        numbers = tuple(float(word) for word in line.split() if re.fullmatch(r"\d+\.\d+", word))
        table.setdefault(name, []).append(numbers)
    for base, place in (("SBD", 0), ("COCO+LVIS", 1)):
        ours = rows[f"RefCut, {base}"].published
        printed = [
            v for name in ("partimagenet", "pascal_part", "tda") for v in ours[name].values()
        ]
        assert tuple(printed) == table["RefCut"][place]
        baseline = rows[f"SimpleClick, {base}"].published["partimagenet"]
        assert tuple(baseline.values()) == table["SimpleClick"][place][:3]


def test_refcuts_recipe_is_the_published_one_with_references_and_without():
    for name, plan in rows_of("refcut/partimagenet.toml").items():
        assert plan.network.family == ("refcut" if name.startswith("RefCut") else "simpleclick")
        assert (plan.run.epochs, plan.schedule.rate, plan.loss.kind) == (55, 5e-6, "focal")
        assert (plan.optimiser.beta1, plan.optimiser.beta2) == (0.9, 0.999)
        assert plan.schedule.rate_at(50 * 1279, 55 * 1279) == pytest.approx(5e-7)
        assert plan.schedule.rate_at(50 * 1279 - 1, 55 * 1279) == pytest.approx(5e-6)


def icmformer_table() -> dict[tuple[str, str, str], tuple[float, ...]]:
    """Read Table 2 of iCMFormer++: figures by method, training data and backbone."""
    table = {}
    head = "| Method | Venue | Training | Backbone |"
    for line in lines_of_table("icmformer_pp", f"{head} COCO MOIS", head=f"{head} GrabCut"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"\d+\.\d+", cells[-1]) and "-" not in cells:
            table[cells[0], cells[2], cells[3]] = tuple(float(cell) for cell in cells[4:])
    return table


@pytest.mark.parametrize(
    ("path", "row", "known"),
    [
        ("icmformer/sbd.toml", "ViT-B", ("iCMFormer(Ours)", "SBD", "ViT-B")),
        ("icmformer/sbd.toml", "Swin-B", ("iCMFormer(Ours)", "SBD", "Swin-B")),
        ("icmformer/coco_lvis.toml", "ViT-B", ("iCMFormer(Ours)", "COCO+LVIS", "ViT-B")),
        ("icmformer/coco_lvis.toml", "Swin-B", ("iCMFormer(Ours)", "COCO+LVIS", "Swin-B")),
        ("refcut/bases.toml", "SBD", ("SimpleClick", "SBD", "ViT-B")),
        ("refcut/bases.toml", "COCO+LVIS", ("SimpleClick", "COCO+LVIS", "ViT-B")),
    ],
)
def test_the_figures_of_single_objects_are_those_of_the_table(
    path: str, row: str, known: tuple[str, str, str]
):
    published = rows_of(path)[row].published
    ours = [
        value
        for name in ("grabcut", "berkeley", "sbd", "coco_mval")
        for value in published[name].values()
    ]
    assert tuple(ours) == icmformer_table()[known]


def test_icmformers_recipes_are_the_published_ones():
    for path, epochs, per_epoch in (("sbd", 55, 354), ("coco_lvis", 85, 1250)):
        for name, plan in rows_of(f"icmformer/{path}.toml").items():
            fall, scale = (80, 1.4) if name.endswith("released") else (50, 1.25)
            steps = plan.run.steps or plan.run.epochs * per_epoch
            assert steps == epochs * per_epoch
            assert plan.run.batch == 24
            assert plan.next_clicks.rule == "icmformer"
            assert (plan.augmentation.scale_low, plan.augmentation.scale_high) == (0.75, scale)
            assert plan.schedule.rate_at(fall * per_epoch - 1, steps) == pytest.approx(5e-5)
            assert plan.schedule.rate_at(fall * per_epoch, steps) == pytest.approx(5e-6)
    (row,) = read_plans(ROOT / "configs/icmformer/coco_mois.toml")
    plan = row.plan
    assert (plan.network.family, plan.run.epochs, plan.run.batch) == ("icmformer_pp", 105, 24)
    assert plan.schedule.rate_at(50 * 4640, 105 * 4640) == pytest.approx(5e-6)
    assert plan.published["coco_mois"] == {"noc85": 8.47, "noc90": 11.92}


@pytest.mark.parametrize("name", ["modules", "inputs", "backbones"])
def test_each_network_of_an_ablation_can_be_trained_as_its_file_says(name: str):
    text = (ROOT / "configs" / "exemplars" / f"{name}.toml").read_text()
    said = dict(re.findall(r"^#   (\w+) +(nothing|\w+=.*)$", text, flags=re.M))
    assert set(said) == set(re.findall(r'"networks/(\w+)/network.safetensors"', text))
    shapes = set()
    for pairs in said.values():
        typed = [f"network.{pair}".split("=") for pair in pairs.split() if "=" in pair]
        for path, row in (("coco_mois", None), ("mini/coco_tiny", "iCMFormer++")):
            file = ROOT / "configs" / "icmformer" / f"{path}.toml"
            (planned,) = read_plans(file, settings=dict(typed), row=row)
            shapes.add(str(planned.plan.network))
    assert len(shapes) == 2 * len(said)
