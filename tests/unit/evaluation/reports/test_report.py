"""Tables and plots from results."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.reports.report import write_report
from fewclicks.evaluation.reports.rows import ReportRow, name_rows
from fewclicks.evaluation.reports.table import lines_of, markdown
from fewclicks.evaluation.result import read_result, write_result
from fewclicks.evaluation.run import summarise


def write(
    folder: Path, *, ious: tuple[float, ...] = (0.5, 0.96), objects: int = 1, **changed: Any
) -> Path:
    run = {
        "fewclicks": "0.1.0",
        "method": "graphcut",
        "config": {"backbone": None, "curve": False, "subset": None, "limit": None},
        "dataset": "grabcut",
        "data_sha256": "00ff",
        "rule": "ritm",
        "protocol": "noc",
        **changed,
    }
    record = ObjectRecord(
        id="a",
        picture="a",
        ious=ious,
        clicks=((1, 2, True),) * len(ious),
        objects=objects,
        prepare_seconds=1.0,
        click_seconds=0.5,
        elapsed_seconds=2.0,
    )
    path = folder / "result.json"
    write_result(path, summarise(run, [record], 20, {"cpu": "a processor"}))
    return path


def table(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "report.csv").read_text().splitlines()))


def rows_of(*paths: Path) -> list[ReportRow]:
    return name_rows([(path, read_result(path)) for path in paths])


def methods(rows: list[ReportRow]) -> list[str]:
    return [row.method for row in rows]


def test_rows_stand_beside_the_published_ones_of_their_data_set(tmp_path: Path):
    out = tmp_path / "report"
    write_report([write(tmp_path / "one")], out)
    rows = table(out)
    assert rows[0] == {
        "method": "graphcut",
        "data set": "grabcut",
        "rule": "ritm",
        "objects": "1",
        "NoC@80": "2.00",
        "NoC@85": "2.00",
        "NoC@90": "2.00",
        "NoC@95": "2.00",
        "NoF@90": "0",
        "mIoU@1": "0.500",
        "mIoU@5": "0.960",
        "s/picture": "1.000",
        "s/click": "0.250",
        "NoC@90 low": "2.00",
        "NoC@90 high": "2.00",
    }
    published = {row["method"]: row for row in rows[1:]}
    graph_cut = published["GraphCut, published (MIS, Table 1)"]
    assert (graph_cut["NoC@85"], graph_cut["NoC@90"]) == ("7.98", "10.00")
    assert {row["rule"] for row in rows} == {"ritm"}
    assert {row["data set"] for row in rows} == {"grabcut"}


def test_the_markdown_table_has_the_rows_of_the_csv_and_shows_the_plot(tmp_path: Path):
    out = tmp_path / "report"
    write_report([write(tmp_path / "one")], out)
    text = (out / "report.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) == 2 + len(table(out))
    assert "(iou_per_click_grabcut_ritm.png)" in text
    assert "a processor" in text


def test_protocols_are_apart_and_guidance_is_named(tmp_path: Path):
    guided = {"backbone": None, "curve": False, "reference": "both"}
    masks = {"backbone": None, "curve": False, "initial_masks": "out/persam"}
    parts = {"dataset": "tda", "protocol": "combination"}
    paths = [
        write(tmp_path / "one", **parts),
        write(tmp_path / "two", config=guided, **parts),
        write(tmp_path / "three", config=masks, **parts),
    ]
    rows = rows_of(*paths)
    names = ["graphcut", "graphcut, both reference", "graphcut, masks persam"]
    assert methods(rows) == names
    assert {row.rule for row in rows} == {"ritm protocol combination"}


def test_what_kinds_cost_stands_beside_what_papers_print_of_them(tmp_path: Path):
    out = tmp_path / "report"
    kinds = {"dataset": "coco_mois", "protocol": "additional", "objects": 4}
    write_report([write(tmp_path / "one", **kinds)], out)
    ours, *printed = table(out)
    assert (ours["NoC@85"], ours["NoC@85 an object"], ours["NoFI@85"]) == ("2.00", "0.50", "0")
    assert (ours["mIoU1+"], ours["mIoU5+"], ours["mIoU10+"]) == ("0.500", "0.960", "0.960")
    (theirs,) = [row for row in printed if row["method"].startswith("iCMFormer++")]
    assert (theirs["NoC@85"], theirs["NoC@90"], theirs["NoFI@85"]) == ("8.47", "11.92", "1561")
    assert (theirs["mIoU1+"], theirs["mIoU5+"], theirs["mIoU10+"]) == ("", "0.825", "0.859")
    assert "NoC an object" in (out / "report.md").read_text()
    assert "mIoU10+" in (out / "report.html").read_text()


def test_published_rows_of_another_rule_or_protocol_are_left_out(tmp_path: Path):
    def printed(**changed: Any) -> set[tuple[str, str]]:
        rows = rows_of(write(tmp_path / "one", **changed))
        of = [line.published for line in lines_of(rows)]
        return {(row.rule, row.protocol) for row in of if row is not None}

    assert printed() == {("ritm", "noc")}
    assert printed(rule="m2n2") == {("m2n2", "noc")}
    assert printed(dataset="tda", protocol="combination") == {("ritm", "combination")}
    assert printed(dataset="folder") == set()
    assert printed(config={"backbone": None, "jitter": 3.0}) == set()


def test_a_plot_is_written_for_each_data_set_and_rule(tmp_path: Path):
    paths = [
        write(tmp_path / "one"),
        write(tmp_path / "two", method="geodesic", ious=(0.7, 0.8)),
        write(tmp_path / "three", rule="m2n2"),
        write(tmp_path / "four", dataset="berkeley"),
    ]
    out = tmp_path / "report"
    written = write_report(paths, out)
    plots = sorted(path.name for path in written if path.suffix in (".png", ".svg"))
    assert plots == [
        f"iou_per_click_{place}.{kind}"
        for place in ("berkeley_ritm", "grabcut_m2n2", "grabcut_ritm")
        for kind in ("png", "svg")
    ]
    assert all(path.is_file() for path in written)
    with Image.open(out / "iou_per_click_grabcut_ritm.png") as picture:
        assert picture.size[0] > 800
    drawn = ElementTree.parse(out / "iou_per_click_grabcut_ritm.svg")
    assert drawn.getroot().tag.endswith("svg")


def test_the_same_results_give_the_same_files(tmp_path: Path):
    path = write(tmp_path / "one")
    first = write_report([path], tmp_path / "first")
    second = write_report([path], tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_results_of_one_method_are_told_apart_by_their_folders(tmp_path: Path):
    rows = rows_of(write(tmp_path / "loose"), write(tmp_path / "tight"))
    assert methods(rows) == ["graphcut [loose]", "graphcut [tight]"]


def test_a_backbone_and_a_part_of_the_data_are_named(tmp_path: Path):
    config = {"backbone": "colour", "subset": "odd", "limit": 3, "jitter": 2.5}
    (row,) = rows_of(write(tmp_path / "one", method="m2n2", config=config))
    assert row.method == "m2n2 (colour)"
    assert row.place == "grabcut odd first 3, rule ritm jitter 2.5"


def test_rows_of_different_files_are_marked(tmp_path: Path):
    paths = [write(tmp_path / "one"), write(tmp_path / "two", method="gsc", data_sha256="11")]
    assert "measured on different files" in markdown(rows_of(*paths), {})
    assert "measured on different files" not in markdown(rows_of(paths[0]), {})


def test_the_same_result_twice_is_refused(tmp_path: Path):
    path = write(tmp_path / "one")
    with pytest.raises(InputError, match="give each once"):
        write_report([path, path], tmp_path / "report")


def test_nothing_is_written_when_one_file_is_no_result(tmp_path: Path):
    good, bad = write(tmp_path / "one"), tmp_path / "bad.json"
    bad.write_text(json.dumps({"noc": {}}))
    with pytest.raises(InputError, match=r"bad\.json is no result"):
        write_report([good, bad], tmp_path / "report")
    with pytest.raises(StorageError, match="Cannot read"):
        write_report([good, tmp_path / "none.json"], tmp_path / "report")
    assert not (tmp_path / "report").exists()
