"""The journal: what survives a kill, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.records import Journal, ObjectRecord

RUN = {"method": "graphcut", "config": {"seed": 0, "subset": None}, "dataset": "folder"}


def record(name: str) -> ObjectRecord:
    return ObjectRecord(
        id=name,
        picture=name,
        ious=(0.25, 1 / 3),
        clicks=((3, 4, True), (5, 6, False)),
        prepare_seconds=None,
        click_seconds=0.5,
        elapsed_seconds=0.75,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "objects.jsonl"
    with Journal(path, RUN, resume=False) as fresh:
        fresh.append(record("a"))
        fresh.append(record("b"))
    return path


def test_records_come_back_as_they_were(journal: Path):
    with Journal(journal, RUN, resume=True) as again:
        assert again.records == [record("a"), record("b")]
        again.append(record("c"))
    with Journal(journal, RUN, resume=True) as again:
        assert [one.id for one in again.records] == ["a", "b", "c"]


@pytest.mark.parametrize("left", [0, 1, 20, 60, 100])
def test_a_line_cut_short_by_a_kill_is_dropped(journal: Path, left: int):
    content = journal.read_bytes()
    last = content.splitlines(keepends=True)[-1]
    journal.write_bytes(content[: len(content) - len(last) + left])
    with Journal(journal, RUN, resume=True) as again:
        assert again.records == [record("a")]
        again.append(record("b"))
    assert journal.read_bytes() == content


def test_a_journal_that_was_killed_before_its_first_line_starts_anew(tmp_path: Path):
    for content in (b"", b'{"run": {"meth'):
        path = tmp_path / "objects.jsonl"
        path.write_bytes(content)
        with Journal(path, RUN, resume=True) as fresh:
            assert fresh.records == []
        assert json.loads(path.read_bytes()) == {"run": RUN}


def test_resuming_nothing_is_a_fresh_start(tmp_path: Path):
    with Journal(tmp_path / "objects.jsonl", RUN, resume=True) as fresh:
        assert fresh.records == []


def test_a_run_is_not_written_over(journal: Path):
    before = journal.read_bytes()
    with pytest.raises(StorageError, match="holds a run already; --resume goes on with it"):
        Journal(journal, RUN, resume=False)
    assert journal.read_bytes() == before


def test_another_run_is_refused_and_says_where_it_differs(journal: Path):
    other = {**RUN, "method": "geodesic", "config": {"seed": 1, "subset": None}}
    before = journal.read_bytes()
    with pytest.raises(InputError, match=r"differs in config\.seed, method \(") as caught:
        Journal(journal, other, resume=True)
    assert "(config.seed was 0, now 1)" in str(caught.value)
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"[1, 2]\n", b'{"run": 3}\n', b'"text"\n', b'{"other": {}}\n', b"notes\n"]
)
def test_a_foreign_file_is_refused_and_kept(tmp_path: Path, content: bytes):
    path = tmp_path / "objects.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no journal of a run"):
        Journal(path, RUN, resume=True)
    assert path.read_bytes() == content


def test_a_foreign_line_is_refused(journal: Path):
    with journal.open("ab") as file:
        file.write(b'{"id": "c"}\n')
    with pytest.raises(InputError, match="no object's record"):
        Journal(journal, RUN, resume=True)


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        Journal(tmp_path / "file" / "objects.jsonl", RUN, resume=False)
