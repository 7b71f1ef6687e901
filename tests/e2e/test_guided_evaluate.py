"""Parts and kinds measured from the command line: resumed, shared out, and misused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from drawing import enlarge, mask
from fewclicks.cli.app import app

HEAD = enlarge(mask("........", ".##.....", ".##.....", "........"), 8)
BODY = enlarge(mask("........", "...##...", "...##...", "........"), 8)
TAIL = enlarge(mask("........", "......#.", "......#.", "........"), 8)
NOISY = np.random.default_rng(0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures of three dogs each; read by parts, of one beast."""
    folder = tmp_path_factory.mktemp("beasts")
    for part in ("images", "masks"):
        (folder / part).mkdir()
    said = {}
    for number in range(4):
        labels = np.zeros(HEAD.shape, dtype=np.uint8)
        picture = np.full((*HEAD.shape, 3), 60)
        for label, on in enumerate((HEAD, BODY, TAIL), start=1):
            labels[on] = label
            picture[on] = (200, 60 * label, 40)
        noise = NOISY.integers(-20 - 10 * number, 20 + 10 * number, picture.shape)
        stem = f"{'val' if number > 2 else 'train'}_{number}"
        Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8)).save(
            folder / "images" / f"{stem}.png"
        )
        Image.fromarray(labels).save(folder / "masks" / f"{stem}.png")
        objects = [{"label": label, "category": "dog"} for label in (1, 2, 3)]
        if number == 0:
            objects[2]["category"] = "cat"
        said[stem] = {"objects": objects}
    (folder / "instances.json").write_text(json.dumps(said))
    return folder


def run(data: Path, out: Path, *more: str) -> tuple[int, str]:
    words = ["evaluate", "--method", "graphcut", "--dataset", "instances", "--max-clicks", "4"]
    words += ["--data", str(data), "--out", str(out), *more]
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output + str(done.exception or "")


def measured(data: Path, out: Path, *more: str) -> dict[str, Any]:
    code, said = run(data, out, *more)
    assert code == 0, said
    result = json.loads((out / "result.json").read_text())
    return {key: each for key, each in result.items() if key not in ("seconds", "machine")}


PARTS = ("--protocol", "combination", "--dataset-set", "parts_of=beast")
KINDS = ("--protocol", "collective")


def test_combinations_are_asked_for_and_those_without_a_partner_counted(data, tmp_path: Path):
    result = measured(data, tmp_path, *PARTS, "--subset", "train_*")
    ids = [each["id"] for each in result["per_object"]]
    # The first beast has a part that no other has, and so no partner for it or for the whole.
    assert ids[:2] == ["train_0:dog", "train_1:dog"]
    assert result["skipped"] == 2
    assert result["protocol"] == "combination"
    assert result["config"]["dataset_settings"] == {"parts_of": "beast"}


def test_single_parts_may_be_chosen(data, tmp_path: Path):
    result = measured(data, tmp_path, *PARTS, "--subset", "train_*,single", "--limit", "2")
    assert [each["id"] for each in result["per_object"]] == ["train_0:dog", "train_1:dog"]
    assert result["skipped"] == 1  # the whole of the first is not asked for


@pytest.mark.long
def test_the_default_takes_references_and_exemplars(data, tmp_path: Path):
    choice = ("--method", "default", "--limit", "1", "--max-clicks", "2")
    for reference in ("none", "both"):
        out = tmp_path / reference
        result = measured(
            data, out, *PARTS, *choice, "--subset", "single", "--reference", reference
        )
        assert result["config"].get("reference", "none") == reference
    result = measured(data, tmp_path / "kind", *KINDS, *choice, "--exemplar", "automatic")
    [kind] = result["per_object"]
    assert kind["exemplar_clicks"] >= 1
    assert kind["ious"][-1] > 0


@pytest.mark.parametrize("exemplar", ["none", "automatic"])
def test_a_run_on_kinds_resumes_to_the_result_of_an_unbroken_one(
    data, tmp_path: Path, exemplar: str
):
    choice = (*KINDS, "--exemplar", exemplar)
    whole = measured(data, tmp_path / "whole", *choice)
    journal = (tmp_path / "whole" / "objects.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "objects.jsonl").write_bytes(b"".join(journal[:4]) + journal[4][:30])
    assert measured(data, tmp_path / "broken", *choice, "--resume") == whole
    assert whole["kinds"]["objects"] == 11
    assert len(whole["kinds"]["per_object"]) == (11 if exemplar == "none" else 0)


def test_workers_change_nothing_but_the_time(data, tmp_path: Path):
    choice = (*KINDS, "--exemplar", "automatic", "--seed", "3")
    alone = measured(data, tmp_path / "one", *choice)
    assert measured(data, tmp_path / "two", *choice, "--workers", "2") == alone
    assert all(each["exemplar_clicks"] for each in alone["per_object"])


def test_a_limit_counts_kinds_and_keeps_their_objects(data, tmp_path: Path):
    result = measured(data, tmp_path, *KINDS, "--limit", "1")
    assert [each["id"] for each in result["per_object"]] == ["train_0:dog"]
    alone = [each["id"] for each in result["kinds"]["per_object"]]
    assert alone == ["train_0:1", "train_0:2"]


def test_the_summary_says_what_kinds_cost_in_every_way(data, tmp_path: Path):
    code, said = run(data, tmp_path, *KINDS, "--limit", "1")
    assert code == 0
    for words in ("1 targets of protocol collective", "sum over objects@85", "mIoU5+"):
        assert words in said


def test_initial_masks_are_corrected(data, tmp_path: Path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(1, 4):
        labels = np.asarray(Image.open(data / "masks" / "train_1.png"))
        shown = (labels == number).astype(np.uint8) * 255
        Image.fromarray(shown).save(folder / f"train_1_{number}.png")
    choice = ("--initial-masks", str(folder), "--subset", "train_1*")
    result = measured(data, tmp_path / "out", *choice)
    assert [each["start_iou"] for each in result["per_object"]] == [1.0, 1.0, 1.0]
    assert result["noc"]["95"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--protocol", "most"), "No protocol is called 'most'"),
        (("--reference", "both"), "Protocol 'noc' has no references"),
        ((*PARTS, "--reference", "both"), "Method 'graphcut' takes no references"),
        ((*KINDS, "--exemplar", "golden"), "choose exemplar automatic"),
        ((*KINDS, "--guidance-set", "satisfied=1"), "but none is given"),
        (("--initial-masks", "nowhere"), "There is no folder nowhere"),
    ],
)
def test_what_cannot_be_is_answered_in_one_line(data, tmp_path: Path, words, said: str):
    code, output = run(data, tmp_path, *words)
    assert code != 0
    assert said in output
