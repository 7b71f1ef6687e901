"""The experiments in `configs/`: each can be run, says how, and prints what the papers print."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawing import BLOB, paint
from fewclicks.backbones.registry import BACKBONES, DEPTHS
from fewclicks.evaluation.experiments.experiment import Experiment, read_experiment
from fewclicks.evaluation.experiments.plots import varied_number
from fewclicks.evaluation.experiments.run import run_experiment
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.published import published_rows
from fewclicks.methods.registry import find_method
from fewclicks.settings import read_settings
from paper_tables import PAPERS, lines_of_table

ROOT = Path(__file__).resolve().parents[4]
TRAININGS = ("mis", "embedded", "icmformer", "refcut")  # folders that `fewclicks train` reads
GUIDED = ("references", "exemplars")
CONFIGS = sorted(
    path
    for path in (ROOT / "configs").rglob("*.toml")
    if path.relative_to(ROOT / "configs").parts[0] not in TRAININGS
)
OURS = "tables"
FULL = [path for path in CONFIGS if path.parent.name not in ("mini", OURS)]
QUICK = ("m2n2/mini/neighbours.toml", "m2n2v2/mini/backbones.toml")
WITHOUT_WEIGHTS = [
    pytest.param(
        path, marks=[] if path.match(QUICK[0]) or path.match(QUICK[1]) else pytest.mark.long
    )
    for path in CONFIGS
    if path.parent.name == "mini"
    and path.stem not in ("blocks", "timestep")
    and path.parent.parent.name not in GUIDED
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "configs"))


def build_config(target: str, settings: dict[str, Any]) -> object:
    module, _, class_name = target.partition(":")
    config_type = getattr(importlib.import_module(module), class_name).config_type
    return config_type(**read_settings(config_type, settings, owner=f"'{target}'"))


def build_configs(plan: Plan) -> None:
    """Build all that needs no weights: the configurations of method, backbone and depth."""
    parts: dict[str, dict[str, str]] = {"method": {}, "backbone": {}, "depth": {}}
    for key, value in plan.settings.items():
        part, dot, field = key.partition(".")
        parts[part if dot else "method"][field if dot else key] = value
    build_config(find_method(plan.method).target, parts["method"])
    for part, entries in (("backbone", BACKBONES), ("depth", DEPTHS)):
        name = getattr(plan, part)
        if name is None or (name == "none" and part == "depth"):
            assert not parts[part]
            continue
        (entry,) = [entry for entry in entries if entry.name == name]
        build_config(entry.target, {**entry.settings, **parts[part]})
        assert part in (find_method(plan.method).needs | find_method(plan.method).takes)


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_every_row_names_what_exists(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEWCLICKS_VIT", "dinov2-small")
    overrides = {"backbone": "dinov2-small"} if "--backbone VIT" in path.read_text() else {}
    for row in read_experiment(path, overrides=overrides).rows:
        build_configs(row.plans[0])


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_file_opens_with_its_command_its_time_and_what_to_expect(path: Path):
    comment = path.read_text().partition("\n\n")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert f"fewclicks evaluate configs/{name_of(path)} " in comment
    assert re.search(r"Takes (about )?\d+ (hours|minutes) \(estimate", comment)
    assert "Expected: " in comment


@pytest.mark.parametrize("path", FULL, ids=name_of)
def test_each_experiment_has_a_small_one_that_builds_on_it(path: Path):
    small = read_experiment(path.parent / "mini" / path.name)
    assert small.changed
    for plan in (row.plans[0] for row in small.rows):
        choice = {"even": plan.subset, **plan.dataset_settings}
        for_tuning = {
            "grabcut": choice["even"] == "even",
            "carparts": choice.get("stems") == "train_*",
            "coco_tiny": choice.get("split") == "train2017",
        }
        assert for_tuning[plan.dataset], "reporting data is for reports"


def test_the_large_table_has_every_row_of_the_small_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEWCLICKS_VIT", "dinov2-small")
    main, everything = (
        [row.plans[0] for row in read_experiment(path).rows]
        for path in (ROOT / "configs" / OURS / name for name in ("main.toml", "all.toml"))
    )
    assert len(main) == 4 * 3
    assert len(everything) == 15 * 3 * 2
    assert all(plan in everything for plan in main)


def figures(experiment: Experiment) -> dict[str, tuple[float, ...]]:
    return {row.name: tuple(row.published.values()) for row in experiment.rows if row.published}


@pytest.mark.parametrize("dataset", ["davis", "grabcut", "berkeley"])
def test_the_published_row_of_m2n2_is_the_one_that_reports_show(dataset: str):
    rows = [row for row in published_rows(dataset) if row.paper == "M2N2"]
    (known,) = [row for row in rows if row.method == "M2N2"]
    expected = known.noc["85"], known.noc["90"]
    for path in FULL:
        if path.parent.name == "m2n2":
            experiment = read_experiment(path, overrides={"dataset": dataset})
            assert list(figures(experiment).values()) == [expected], path


def printed_rows(caption: str) -> list[tuple[float, ...]]:
    """Read the rows above a caption of M2N2V2's text, whose figures stand there several times."""
    rows = []
    for line in lines_of_table("m2n2v2", caption, head="NoC90"):
        # "6.436.436.436.43" is how the text has a figure that is not in bold.
        words = [re.sub(r"^(\d+\.\d+?)\1{3}$", r"\1", word) for word in line.split()]
        rows.append(tuple(float(word) for word in words if re.fullmatch(r"\d+\.\d+", word)))
    return rows


@pytest.mark.parametrize(
    ("name", "caption"),
    [("backbones", "Table 2:"), ("components", "Table 3:"), ("sigma", "Table 6:")],
)
def test_the_published_figures_of_m2n2v2_are_those_of_its_tables(name: str, caption: str):
    path = ROOT / "configs" / "m2n2v2" / f"{name}.toml"
    ours = list(figures(read_experiment(path)).values())
    if name != "sigma":
        second = figures(read_experiment(path, overrides={"dataset": "hqseg44k"}))
        ours = [a + b for a, b in zip(ours, second.values(), strict=True)]
    assert ours == printed_rows(caption)


def test_the_published_figures_of_refcut_are_those_of_its_table():
    lines = lines_of_table("refcut", "Table 3:", head="Mask Mask")
    printed = [[float(word) for word in re.findall(r"\d+\.\d+", line)] for line in lines]
    for number, dataset in enumerate(("partimagenet", "pascal_part", "tda")):
        path = ROOT / "configs" / "references" / "masks.toml"
        rows = read_experiment(path, overrides={"dataset": dataset}).rows
        ours = [[*list(row.published.values())[:3], 100 * row.published["miou1"]] for row in rows]
        expected = [line[4 * number : 4 * number + 4] for line in printed]
        assert [each == pytest.approx(line) for each, line in zip(ours, expected, strict=True)]


@pytest.mark.parametrize("name", ["modules", "inputs", "clicks", "sources", "backbones"])
def test_the_published_figures_of_icmformer_are_in_its_tables(name: str):
    text = PAPERS / "icmformer_pp.txt"
    if not text.is_file():
        pytest.skip(f"No text of the paper at {text}.")
    lines = [re.sub(r"[|✓ %]+", " ", line) for line in text.read_text("utf-8").splitlines()]
    for row in read_experiment(ROOT / "configs" / "exemplars" / f"{name}.toml").rows:
        *clicks, one, other = row.published.values()
        figures = " ".join([f"{each:.2f}" for each in (*clicks, 100 * one, 100 * other)])
        assert any(line.strip().endswith(figures) for line in lines), row.name


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    labels = np.zeros((60, 160), dtype=np.uint8)
    labels[10:50, 10:50], labels[10:50, 90:130] = 1, 2
    for part, content in (("images", paint(labels > 0)), ("masks", labels)):
        (folder / part).mkdir()
        Image.fromarray(content).save(folder / part / "a.png")
    dogs = [{"label": label, "category": "dog"} for label in (1, 2)]
    said = {"a": {"split": "train2017", "objects": dogs}}
    (folder / "instances.json").write_text(json.dumps(said))
    return folder


def test_both_ways_without_an_exemplar_stand_beside_the_one_with_it(kinds: Path, tmp_path: Path):
    path = ROOT / "configs" / "exemplars" / "mini" / "collective.toml"
    choice = {"method": "graphcut", "max_clicks": 3}
    small = read_experiment(path, data=str(kinds), overrides=choice)
    without, exemplar, taken, found = run_experiment(small, tmp_path)
    assert without.any.kinds is not None
    assert len(without.any.kinds.per_object) == 2
    assert exemplar.figure("sum85") == exemplar.figure("noc85")
    assert taken.any.config["guidance"]["satisfied"] == 0.85
    assert found.any.config["guidance"]["shown"] == "deepest"
    table = (tmp_path / "table.md").read_text()
    assert "sum NoC@85" in table
    assert "NoC@85 an object" in table
    assert "mIoU5+" in table
    assert not (tmp_path / "first_click.png").exists()


def test_the_first_click_is_plotted_where_parts_are_asked_for(kinds: Path, tmp_path: Path):
    path = ROOT / "configs" / "references" / "mini" / "polygon.toml"
    choice = {
        "method": "graphcut",
        "dataset": "instances",
        "dataset_settings": {"parts_of": "pair"},
        "reference": "none",
    }
    twin = {"a": "a", "b": "a"}
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        for stem in twin:
            content = (kinds / part / "a.png").read_bytes()
            (tmp_path / part / f"{stem}.png").write_bytes(content)
    said = json.loads((kinds / "instances.json").read_text())["a"]
    (tmp_path / "instances.json").write_text(json.dumps(dict.fromkeys(twin, said)))
    overrides = {key: each for key, each in choice.items() if key != "reference"}
    small = read_experiment(path, data=str(tmp_path), overrides=overrides)
    plain = [
        replace(row, plans=tuple(replace(p, reference="none", guidance={}) for p in row.plans))
        for row in small.rows[:2]
    ]
    measured = run_experiment(replace(small, rows=tuple(plain)), tmp_path / "out")
    assert [row.any.objects for row in measured] == [2, 2]
    assert (tmp_path / "out" / "first_click.svg").exists()
    assert "first_click.png" in (tmp_path / "out" / "table.md").read_text()
    assert varied_number([row.row for row in measured]) == ("polygon_interval", [1.0, 5.0])


def test_the_figure_is_drawn_over_the_number_that_it_varies():
    for name, key, default in (
        ("temperature", "temperature", 0.65),
        ("saturation", "saturation", 0.3),
        ("resolution", "backbone.side", 1024),
        ("timestep", "backbone.timestep", 100),
    ):
        rows = read_experiment(ROOT / "configs" / "m2n2" / f"{name}.toml").rows
        varied = varied_number(rows)
        assert varied is not None
        assert varied[0] == key
        assert default in varied[1]
        assert [value for value, row in zip(varied[1], rows, strict=True) if row.published] == [
            default
        ]


@pytest.fixture(scope="module")
def one_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part, content in (("images", paint(BLOB)), ("masks", BLOB.astype(np.uint8) * 255)):
        (folder / part).mkdir()
        Image.fromarray(content).save(folder / part / "a.png")
    return folder


@pytest.mark.parametrize("path", WITHOUT_WEIGHTS, ids=name_of)
def test_a_small_experiment_runs_through(path: Path, one_picture: Path, tmp_path: Path):
    few_tokens = {} if path.stem == "resolution" else {"settings": {"backbone.longest_side": "12"}}
    small = read_experiment(
        path, data=str(one_picture), overrides={"dataset": "folder", "max_clicks": 2, **few_tokens}
    )
    measured = run_experiment(small, tmp_path)
    assert [row.row.name for row in measured] == [row.name for row in small.rows]
    assert all(0 < row.miou["1"] <= 1 for row in measured)
    assert all(row.any.objects == 1 for row in measured)


@pytest.mark.long
def test_the_layers_of_any_transformer_are_compared(one_picture: Path, tmp_path: Path):
    pytest.importorskip("torch", reason="the networks need torch")
    from small_vits import save_vit

    folder = save_vit("vit", tmp_path / "vit", num_hidden_layers=12)
    small = read_experiment(
        ROOT / "configs" / "m2n2" / "mini" / "blocks.toml",
        data=str(one_picture),
        overrides={"dataset": "folder", "max_clicks": 2, "backbone": str(folder)},
    )
    measured = run_experiment(small, tmp_path / "out")
    assert [row.any.config["backbone_settings"]["block"] for row in measured] == [5, 7, 9, 10, 11]
