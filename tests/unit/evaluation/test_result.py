"""`result.json`: its keys, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.result import Result, read_result, write_result
from fewclicks.evaluation.run import summarise

RUN = {
    "fewclicks": "0.1.0",
    "method": "graphcut",
    "config": {"backbone": None, "curve": False},
    "dataset": "grabcut",
    "data_sha256": "00ff",
    "rule": "ritm",
    "protocol": "noc",
}


@pytest.fixture
def result() -> Result:
    """Two objects of one picture, three clicks in all."""
    common = {"picture": "a", "click_seconds": 0.5, "elapsed_seconds": 2.0}
    records = [
        ObjectRecord(
            id="a:1",
            ious=(0.5, 0.96),
            clicks=((1, 2, True), (3, 4, False)),
            prepare_seconds=1.25,
            **common,
        ),
        ObjectRecord(
            id="a:2", ious=(0.97,), clicks=((5, 6, True),), prepare_seconds=None, **common
        ),
    ]
    return summarise(RUN, records, 20, {"cpu": "a processor", "cores": 2})


def test_the_file_has_exactly_the_keys_of_the_contract(result: Result, tmp_path: Path):
    write_result(tmp_path / "result.json", result)
    content = json.loads((tmp_path / "result.json").read_text())
    assert list(content) == [
        "fewclicks",
        "method",
        "config",
        "dataset",
        "data_sha256",
        "rule",
        "protocol",
        "objects",
        "noc",
        "nof",
        "nof_at_20",
        "nofi",
        "miou",
        "seconds",
        "machine",
        "per_object",
    ]
    assert content["noc"] == {"80": 1.5, "85": 1.5, "90": 1.5, "95": 1.5}
    assert list(content["miou"]) == [str(k) for k in range(1, 21)]
    assert content["per_object"][0] == {
        "id": "a:1",
        "ious": [0.5, 0.96],
        "clicks": [[1, 2, True], [3, 4, False]],
    }


def test_seconds_are_for_a_picture_for_a_click_and_for_all(result: Result):
    assert result.seconds.prepare == 1.25
    assert result.seconds.per_click == pytest.approx(1.0 / 3)
    assert result.seconds.spc == pytest.approx(4.0 / 3)


def test_a_result_comes_back_as_it_was(result: Result, tmp_path: Path):
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json") == result


def test_what_is_no_result_is_refused_in_one_line(result: Result, tmp_path: Path):
    path = tmp_path / "result.json"
    lacking = json.loads(result.model_dump_json())
    del lacking["noc"]
    for content in (b"", b"\x89PNG", b"[]", b"{}", json.dumps(lacking).encode()):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is no result of 'fewclicks evaluate'") as caught:
            read_result(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(StorageError, match=r"Cannot read .*: no such file or directory"):
        read_result(tmp_path / "nothing.json")
