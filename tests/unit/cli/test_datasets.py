"""`fewclicks datasets`: what is listed, and what a check answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fewclicks.cli.datasets import app
from fewclicks.datasets.registry import DATASETS, open_dataset
from fewclicks.evaluation.tasks import checksum


@pytest.fixture
def grabcut(tmp_path: Path) -> Path:
    for part in ("images", "masks"):
        (tmp_path / "grabcut" / part).mkdir(parents=True)
        Image.fromarray(np.full((4, 6), 255, np.uint8)).save(tmp_path / "grabcut" / part / "1.png")
    return tmp_path / "grabcut"


def test_the_list_has_the_facts_of_every_data_set():
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert [each["name"] for each in listed] == [entry.name for entry in DATASETS]
    [sbd] = [each for each in listed if each["name"] == "sbd"]
    assert (sbd["pictures"], sbd["objects"], sbd["sha256"]) == (2857, 6671, "")
    assert sbd["home"].startswith("http")
    assert all(each["layout"] for each in listed)
    assert all(each["home"] for each in listed if each["name"] not in ("folder", "instances"))
    text = CliRunner().invoke(app, ["list"]).stdout
    assert all(entry.name in text and entry.summary[:40] in text for entry in DATASETS)


def test_a_check_names_the_data_as_results_do_and_what_is_missing(grabcut: Path):
    done = CliRunner().invoke(app, ["check", str(grabcut), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert found["missing"] == [
        "Expected 50 pictures, found 1.",
        "Expected 50 objects, found 1.",
    ]
    assert found["data_sha256"] == checksum(open_dataset("grabcut", grabcut).files("1"))
    assert "Expected 50 pictures, found 1." in done.stderr


def test_a_choice_of_ones_own_is_not_compared_with_what_is_published(grabcut: Path):
    done = CliRunner().invoke(app, ["check", str(grabcut), "--dataset-set", "void=-1"])
    assert done.exit_code == 0
    assert done.stdout.startswith("grabcut: 1 pictures, 1 objects, 0 problems\ndata_sha256 ")
    assert done.stderr == ""


def test_a_file_that_cannot_be_read_is_a_problem(grabcut: Path):
    (grabcut / "masks" / "1.png").write_bytes(b"no mask")
    done = CliRunner().invoke(app, ["check", str(grabcut), "--dataset", "folder"])
    assert done.exit_code == 1
    assert "1.png is no picture" in done.stderr
    assert "0 objects, 1 problems" in done.stdout
