"""Clicks, sittings, results, experiments, published figures, lists and recipes: files of text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from drawing import BLOB, mask, paint
from fake_method import BlobMethod
from fewclicks.backbones.verifying import MANIFEST, read_manifest
from fewclicks.datasets.layout import read_names
from fewclicks.evaluation.experiments.experiment import read_experiment
from fewclicks.evaluation.published import FOLDER as PUBLISHED
from fewclicks.evaluation.published import read_paper
from fewclicks.evaluation.records import Journal, ObjectRecord
from fewclicks.evaluation.result import read_result
from fewclicks.methods.transformer.exported import DESCRIPTION, find_exported
from fewclicks.proposals.recipe import RECIPE_FILE, Recipe, read_recipe, write_recipe
from fewclicks.session.clicks_file import read_clicks, read_clicks_of_pictures
from fewclicks.session.session import Session
from fuzzing.trial import Reader
from made_results import written_result

CONFIGS: Final = Path(__file__).resolve().parents[2] / "configs"
IMAGE: Final = paint(BLOB)


def written(name: str, text: str) -> Callable[[Path], list[Path]]:
    """A layout of one file."""

    def build(folder: Path) -> list[Path]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return [path]

    return build


def copied(path: Path) -> Callable[[Path], list[Path]]:
    """A layout of one file that is there already."""
    return written(path.name, path.read_text(encoding="utf-8"))


def _sitting(folder: Path) -> list[Path]:
    session = Session(BlobMethod(), IMAGE, initial_mask=BLOB)
    session.box(0, 0, 60, 50)
    session.click(x=30, y=24)
    session.finish_object("dog")
    session.scribble([(2, 2), (70, 3)], is_positive=False)
    session.correct(BLOB & mask("." * 80).repeat(60, axis=0))
    session.click(x=1, y=1)
    session.undo()
    session.save(folder / "sitting.json")
    return [folder / "sitting.json"]


def _take_up(_home: Path, file: Path) -> None:
    session = Session.load(file, BlobMethod(), IMAGE)
    while session.can_undo:
        session.undo()
    while session.can_redo:
        session.redo()
    assert session.mask.shape == BLOB.shape


def _result(folder: Path) -> list[Path]:
    return [written_result(folder, {"a:1": [0.2, 0.9], "b:1": [0.97]})]


def _recipe(folder: Path) -> list[Path]:
    write_recipe(folder, Recipe(kind="tree", backbone="colour", settings={"a": 1}))
    return [folder / RECIPE_FILE]


_RUN: Final = {"method": "graphcut", "seed": 0}


def _journal(folder: Path) -> list[Path]:
    with Journal(folder / "journal.jsonl", _RUN, resume=False) as journal:
        for name in ("a:1", "a:2"):
            journal.append(
                ObjectRecord(
                    id=name,
                    picture="a",
                    ious=(0.5, 0.9),
                    clicks=((3, 4, True), (5, 6, False)),
                    prepare_seconds=None,
                    click_seconds=0.1,
                    elapsed_seconds=0.2,
                )
            )
    return [folder / "journal.jsonl"]


def _resume(_home: Path, file: Path) -> None:
    with Journal(file, _RUN, resume=True) as journal:
        assert all(np.isfinite(record.click_seconds) for record in journal.records)


_DIGEST: Final = "0" * 64
_MANIFEST: Final = {
    "name": "a",
    "source": "b",
    "revision": "c",
    "files": {"x.json": {"size": 3, "sha256": _DIGEST}},
}
_EXPORTED: Final = {
    "family": "simpleclick",
    "side": 64,
    "seen": ["tokens"],
    "version": "0.1.0",
    "sha256": {"encoder.onnx": _DIGEST, "decoder.onnx": _DIGEST},
}
_CLICKS: Final = {"a.png": [[1, 2], {"x": 3, "y": 4, "is_positive": False, "level": 0.5}]}
EVIL_TOML: Final = {
    "a key twice": b"title = 'a'\ntitle = 'b'\n",
    "itself": b"builds_on = 'main.toml'\nbuilds_on_too = 1\n",
    "deep tables": b"a" + b".a" * 3000 + b" = 1\n",
    "deep lists": b"a = " + b"[" * 3000 + b"]" * 3000 + b"\n",
    "rows that are none": b"title='a'\nsource='b'\nrows = 3\n",
    "a row that is none": b"title='a'\nsource='b'\nrows = [3]\n",
    "rows without names": b"title='a'\nsource='b'\n[[rows]]\n",
}

READERS: Final = [
    Reader(
        name="clicks",
        build=written("clicks.json", json.dumps(_CLICKS["a.png"])),
        read=lambda _, file: read_clicks(file, picture="a.png"),
    ),
    Reader(
        name="clicks of pictures",
        build=written("clicks.json", json.dumps(_CLICKS)),
        read=lambda _, file: read_clicks_of_pictures(file),
    ),
    Reader(name="sitting", build=_sitting, read=_take_up),
    Reader(name="result", build=_result, read=lambda _, file: read_result(file)),
    *(
        Reader(
            name="experiment",
            build=copied(path),
            read=lambda _, file: read_experiment(file),
            evil=EVIL_TOML,
        )
        for path in (CONFIGS / "m2n2" / "blocks.toml", CONFIGS / "references" / "scale.toml")
    ),
    *(
        Reader(
            name="published figures",
            build=copied(path),
            read=lambda _, file: read_paper(file),
            evil=EVIL_TOML,
        )
        for path in sorted(PUBLISHED.glob("*.toml"))[:1]
    ),
    Reader(name="journal", build=_journal, read=_resume),
    Reader(
        name="recipe of proposals",
        build=_recipe,
        read=lambda home, _: read_recipe(home),
        by_folder=True,
    ),
    Reader(
        name="list of pictures",
        build=written("val.txt", "2008_1\n2008_2 1\n\n"),
        read=lambda _, file: read_names(file),
    ),
    Reader(
        name="manifest of weights",
        build=written(MANIFEST, json.dumps(_MANIFEST)),
        read=lambda home, _: read_manifest(home),
        by_folder=True,
    ),
    Reader(
        name="exported network's description",
        build=written(DESCRIPTION, json.dumps(_EXPORTED)),
        read=lambda home, _: find_exported(str(home)),
    ),
]
