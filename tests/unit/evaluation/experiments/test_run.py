"""Rows measured one after another: resumed, averaged, written as table and plots."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawing import enlarge, mask, paint
from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation import run as evaluation_run
from fewclicks.evaluation.experiments.experiment import Experiment, read_experiment
from fewclicks.evaluation.experiments.measured import MeasuredRow
from fewclicks.evaluation.experiments.plots import draw_clicks, varied_number
from fewclicks.evaluation.experiments.run import run_experiment
from fewclicks.evaluation.result import read_result

HEAD = """
title = "Radius"
source = "a paper, Table 1"
method = "graphcut"
dataset = "folder"
rule = "m2n2"
max_clicks = 3
"""
RADII = """
[[rows]]
name = "radius 9"
settings.radius = 9
[[rows]]
name = "radius 2"
settings.radius = 2
published.folder = { noc90 = 2.5, miou1 = 0.75 }
"""
RANDOM = """
[[rows]]
name = "centre"
[[rows]]
name = "random | any"
rule = "random"
runs = 3
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two noisy pictures of one object each."""
    folder = tmp_path_factory.mktemp("data")
    shapes = (
        mask("........", ".##.....", ".##..##.", "..#####.", "........", "........"),
        mask("#.......", "##......", "###.....", "####....", "#####...", "######.."),
    )
    for part in ("images", "masks"):
        (folder / part).mkdir()
    for number, shape in enumerate(shapes):
        on = enlarge(shape, 6)
        Image.fromarray(paint(on, noise=60)).save(folder / "images" / f"{number}.png")
        Image.fromarray(on.astype(np.uint8) * 255).save(folder / "masks" / f"{number}.png")
    return folder


def read(folder: Path, data: Path, text: str, **overrides: Any) -> Experiment:
    (folder / "it.toml").write_text(HEAD + text)
    return read_experiment(folder / "it.toml", data=str(data), overrides=overrides)


def table(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "table.csv").read_text().splitlines()))


def test_each_row_is_an_ordinary_run_and_the_table_has_the_published_figures(
    tmp_path: Path, data: Path
):
    run_experiment(read(tmp_path, data, RADII), tmp_path / "out")
    nine, two = table(tmp_path / "out")
    assert [nine["row"], two["row"]] == ["radius 9", "radius 2"]
    result = read_result(tmp_path / "out" / "radius_2" / "result.json")
    assert result.config["settings"]["radius"] == 2
    assert two["NoC@90"] == f"{result.noc['90']:.2f}"
    assert two["mIoU@1"] == f"{result.miou['1']:.3f}"
    assert (two["NoC@90 published"], two["mIoU@1 published"]) == ("2.5", "0.75")
    assert (nine["NoC@90 published"], nine["NoC@90 spread"]) == ("", "")
    assert (two["rule"], two["data set"], two["objects"]) == ("m2n2", "folder", "2")
    assert "NoC@85 published" not in two
    page = (tmp_path / "out" / "table.md").read_text()
    assert "Published: a paper, Table 1." in page
    assert "| 2.5 |" in page
    assert "Not as published" not in page
    for plot in ("clicks", "iou_per_click"):
        assert f"({plot}.png)" in page
        with Image.open(tmp_path / "out" / f"{plot}.png") as picture:
            assert picture.width > 500


def test_what_is_not_as_published_stands_below_the_table(tmp_path: Path, data: Path):
    run_experiment(read(tmp_path, data, RADII, limit=1), tmp_path / "out")
    assert (
        "**Not as published, so not to be compared one to one: limit = 1.**"
        in (tmp_path / "out" / "table.md").read_text()
    )


def test_figures_of_several_runs_are_means_with_their_spread(tmp_path: Path, data: Path):
    measured = run_experiment(read(tmp_path, data, RANDOM), tmp_path / "out")
    files = [tmp_path / "out" / "random_any" / f"seed-{seed}" / "result.json" for seed in range(3)]
    results = [read_result(path) for path in files]
    assert len({json.dumps([one.clicks for one in r.per_object]) for r in results}) == 3
    found = [result.miou["3"] for result in results]
    row = measured[1]
    assert row.figure("miou3") == pytest.approx(sum(found) / 3)
    assert row.spread("miou3") == pytest.approx(np.std(found, ddof=1))
    assert measured[0].spread("miou3") is None
    noc = [result.noc["90"] for result in results]
    cells = table(tmp_path / "out")[1]
    assert float(cells["NoC@90"]) == pytest.approx(statistics.fmean(noc), abs=0.005)
    assert float(cells["NoC@90 spread"]) == pytest.approx(statistics.stdev(noc), abs=0.005)
    page = (tmp_path / "out" / "table.md").read_text()
    assert f"{cells['NoC@90']} ± {cells['NoC@90 spread']}" in page
    assert "random \\| any" in page


def test_a_stopped_experiment_goes_on_and_leaves_done_rows_alone(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
):
    experiment, out = read(tmp_path, data, RADII), tmp_path / "out"

    def stop(_: MeasuredRow) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(experiment, out, finished=stop)
    assert [bool(row["NoC@90"]) for row in table(out)] == [True, False]
    with pytest.raises(StorageError, match="holds a run already; --resume goes on"):
        run_experiment(experiment, out)
    done = (out / "radius_9" / "result.json").read_bytes()
    monkeypatch.setattr(
        evaluation_run, "describe_machine", lambda **_: {"cpu": "another", "workers": 1}
    )
    run_experiment(experiment, out, resume=True)
    assert (out / "radius_9" / "result.json").read_bytes() == done
    assert read_result(out / "radius_2" / "result.json").machine["cpu"] == "another"
    whole = tmp_path / "whole"
    run_experiment(experiment, whole)
    timeless = [{k: v for k, v in row.items() if not k.startswith("s/")} for row in table(out)]
    assert timeless == [
        {k: v for k, v in row.items() if not k.startswith("s/")} for row in table(whole)
    ]


def test_a_damaged_result_is_written_anew_from_its_journal(tmp_path: Path, data: Path):
    experiment, out = read(tmp_path, data, RADII), tmp_path / "out"
    before = run_experiment(experiment, out)
    (out / "radius_9" / "result.json").write_text("{")
    after = run_experiment(experiment, out, resume=True)
    assert after[0].any.per_object == before[0].any.per_object


def test_a_row_that_changed_is_not_taken_for_the_one_that_was_done(tmp_path: Path, data: Path):
    out = tmp_path / "out"
    run_experiment(read(tmp_path, data, RADII), out)
    changed = read(tmp_path, data, RADII.replace("radius = 9", "radius = 8"))
    with pytest.raises(InputError, match="is of another run"):
        run_experiment(changed, out, resume=True)


def test_nothing_is_measured_where_a_later_row_cannot_be(tmp_path: Path, data: Path):
    bad = read(tmp_path, data, RADII.replace("radius = 2", "radius = 'wide'"))
    with pytest.raises(InputError, match="row 'radius 2': Setting radius=wide; needs"):
        run_experiment(bad, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_progress_counts_objects_over_all_rows_and_runs(tmp_path: Path, data: Path):
    told: list[tuple[str, int, int]] = []
    experiment = read(tmp_path, data, RANDOM)
    run_experiment(
        experiment,
        tmp_path / "out",
        watch=lambda *each: told.append(each),
    )
    assert told[0] == ("row 1 of 2: centre", 0, 8)
    assert told[-1] == ("row 2 of 2: random | any, seed 2", 8, 8)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert {total for _, _, total in told} == {8}


def test_rows_that_vary_one_number_become_a_line_and_others_bars(tmp_path: Path, data: Path):
    lines = read(tmp_path, data, RADII)
    assert varied_number(lines.rows) == ("radius", [9.0, 2.0])
    bars = read(tmp_path, data, RANDOM)
    assert varied_number(bars.rows) is None
    switched = read(tmp_path, data, RADII.replace("radius = 9", "connectivity = 9"))
    assert varied_number(switched.rows) is None

    measured = run_experiment(lines, tmp_path / "out")
    axes = draw_clicks("T", measured).axes[0]
    assert axes.get_xlabel() == "radius"
    curve = axes.containers[1].lines[0]
    assert list(curve.get_xdata()) == [2.0, 9.0]
    assert list(curve.get_ydata()) == [measured[1].noc["90"], measured[0].noc["90"]]
    (hollow,) = [line for line in axes.lines if line.get_label() == "NoC@90 published"]
    assert (list(hollow.get_xdata()), list(hollow.get_ydata())) == ([2.0], [2.5])
