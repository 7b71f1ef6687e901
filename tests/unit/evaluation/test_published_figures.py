"""What papers print: each row beside the text it was read from, and none that cannot be."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fewclicks.datasets.registry import DATASETS
from fewclicks.errors import InputError
from fewclicks.evaluation.published import (
    FOLDER,
    PublishedRow,
    published_rows,
    read_paper,
    read_published,
)
from paper_tables import PAPERS

TEXTS = {path.stem: PAPERS / path.name for path in sorted(FOLDER.glob("*.toml"))}


def numbers(line: str) -> list[float]:
    """Figures of a line; one that is not in bold stands four times without a blank between."""
    words = [re.sub(r"^(\d+\.\d+?)\1{3}$", r"\1", word) for word in line.split()]
    return [float(each) for each in re.findall(r"(?<![\d.])\d+(?:\.\d+)?", " ".join(words))]


def in_order(wanted: list[float], found: list[float]) -> bool:
    rest = iter(found)
    return all(each in rest for each in wanted)


@pytest.mark.parametrize("paper", TEXTS)
def test_every_row_stands_in_one_line_of_the_papers_text(paper: str):
    text = TEXTS[paper].with_suffix(".txt")
    if not text.is_file():
        pytest.skip(f"No text of the paper at {text}.")
    lines = text.read_text(encoding="utf-8").replace("\u00a0", " ").splitlines()
    found = [numbers(line) for line in lines]
    content = tomllib.loads((FOLDER / f"{paper}.toml").read_text(encoding="utf-8"))
    rows = [row for table in content["tables"] for row in table["rows"]]
    figures = [[float(cell) for cell in row if not isinstance(cell, str)] for row in rows]
    lost = [row for row in figures if row and not any(in_order(row, line) for line in found)]
    assert sum(map(bool, figures)) >= 3
    assert not lost


@pytest.mark.parametrize(
    ("paper", "table", "label", "dataset", "noc"),
    [
        ("MIS", "1", "GraphCut", "davis", {"85": 15.13, "90": 17.41}),
        ("MIS", "1", "MIS (ViT-B, trained on SBD)", "sbd", {"85": 6.91, "90": 9.51}),
        ("M2N2", "3", "M2N2 (SD2)", "berkeley", {"85": 2.45, "90": 3.88}),
        ("M2N2V2", "1", "M2N2V2 (SD2, DA2)", "hqseg44k", {"90": 6.29, "95": 9.86}),
    ],
)
def test_rows_are_found_by_data_set(
    paper: str, table: str, label: str, dataset: str, noc: dict[str, float]
):
    [row] = [
        row
        for row in published_rows(dataset)
        if (row.paper, row.table, row.label) == (paper, table, label)
    ]
    assert row.noc == noc
    assert row.read_at == f"{paper}, Table {table}"


def test_rules_protocols_and_ablations_are_kept_apart():
    assert {row.rule for row in published_rows("davis")} == {"ritm", "m2n2"}
    assert {row.paper for row in published_rows("davis", "m2n2")} == {"M2N2", "M2N2V2"}
    plain = list(published_rows("davis", "m2n2"))
    assert len(list(published_rows("davis", "m2n2", ablations=True))) > len(plain)
    assert not list(published_rows("coco_mois"))
    [first] = [
        row
        for row in published_rows("coco_mois", protocol="additional")
        if row.method == "iCMFormer++"
    ]
    assert first.scores == {"nofi85": 1561, "plus5": 0.8247, "plus10": 0.8589}
    assert {row.method for row in published_rows("tda", protocol="combination")} >= {"RefCut"}
    assert not list(published_rows("nothing of ours"))


def test_the_band_of_grabcut_is_void_or_object_as_the_rule_has_it():
    assert {row.void for row in published_rows("grabcut", "ritm")} == {"left out"}
    assert {row.void for row in published_rows("grabcut", "m2n2")} == {"object"}
    assert {row.void for row in published_rows("davis")} == {""}


def test_sizes_of_networks_belong_to_no_data_set():
    [row] = [row for row in published_rows("") if row.method == "SimpleClick"]
    assert row.scores == {"parameters": 96.46e6, "flops": 169.78e9}


def test_every_row_says_where_it_was_read_and_on_which_masks():
    rows = read_published()
    known = {entry.name for entry in DATASETS}
    assert {row.paper for row in rows} == {"MIS", "M2N2", "M2N2V2", "RefCut", "iCMFormer++"}
    for row in rows:
        assert row.table
        assert row.method
        assert row.source
        assert row.dataset in known or row.dataset == ""
        assert bool(row.mask_set) == bool(row.dataset)
        assert row.noc or row.scores
        assert all(1 <= each <= 20 for each in row.noc.values())
        assert row.noc.get("85", 1) <= row.noc.get("90", 20)


PAPER = """
paper = "Mine"
source = "2024"
rule = "ritm"
[mask_sets]
[[tables]]
table = "1"
columns = ["method", "%s"]
rows = [["Ours", %s]]
"""


@pytest.mark.parametrize(
    ("column", "cell", "error", "said"),
    [
        ("daviz noc90", "3.1", InputError, r"mine\.toml: .*Did you mean 'davis'"),
        ("davis noc91", "3.1", InputError, "Column 'davis noc91' is no figure"),
        ("davis noc90", "0.5", InputError, "NoC is .* needs 1 to 20"),
        ("davis noc90", "21", InputError, "NoC is .* needs 1 to 20"),
        ("davis miou5", "81.2", InputError, "miou5 is 81.2; needs"),
        ("davis noc90", '"3,1"', InputError, "holds '3,1'; needs a figure, '-' or ''"),
        ("davis noc90", "3.1, 4.1", InputError, "'Ours' has 3 cells; needs 2"),
    ],
)
def test_figures_that_cannot_be_are_refused(
    tmp_path: Path, column: str, cell: str, error: type[Exception], said: str
):
    path = tmp_path / "mine.toml"
    path.write_text(PAPER % (column, cell))
    with pytest.raises(error, match=said):
        read_paper(path)


def test_a_noc_that_falls_with_its_target_is_refused():
    with pytest.raises(InputError, match="not falling"):
        PublishedRow(
            method="Ours", dataset="davis", rule="ritm", noc={"85": 3.0, "90": 2.0}, source="2024"
        )


def test_lost_and_missing_figures_stay_empty(tmp_path: Path):
    path = tmp_path / "mine.toml"
    for cell in ('""', '"-"'):
        path.write_text(PAPER % ("davis noc90", cell))
        assert read_paper(path) == []
