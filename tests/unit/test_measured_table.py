"""The README's table says what its results say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from fewclicks.evaluation.result import Result, write_result
from fewclicks.evaluation.scores import TARGETS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "measured_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def result(dataset: str, ious: dict[str, list[float]], rule: str = "ritm") -> Result:
    by_target = {str(target): 1.0 for target in TARGETS}
    none = dict.fromkeys(by_target, 0)
    return Result.model_validate_json(
        json.dumps(
            {
                "fewclicks": "0",
                "method": "fake",
                "config": {},
                "dataset": dataset,
                "data_sha256": "0" * 64,
                "rule": rule,
                "protocol": "noc",
                "objects": len(ious),
                "noc": by_target,
                "nof": none,
                "nof_at_20": none,
                "nofi": none,
                "miou": {"1": 0.5},
                "seconds": {"prepare": 0.5, "per_click": 0.02, "spc": 0.1},
                "machine": {},
                "per_object": [
                    {"id": name, "ious": each, "clicks": [[0, 0, True]] * len(each)}
                    for name, each in ious.items()
                ],
            }
        )
    )


@pytest.fixture
def measured(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both rules on three data sets, and the times of one."""
    monkeypatch.chdir(ROOT)
    other = tool.WITHOUT_GRABCUT.read_text().split()[0]
    found = {
        "grabcut": {"b": [0.86, 0.91], "a": [0.95], "c": [0.1] * 20},
        "berkeley": {other: [0.9], "shown in both": [0.5, 0.87]},
        "davis_dev": {"frame": [0.5, 0.5, 0.85, 0.9]},
    }
    for rule in tool.RULES:
        for dataset, ious in found.items():
            path = tmp_path / rule / f"some_way_{dataset}" / "result.json"
            write_result(path, result(dataset, ious, rule))
    speed = result("davis_dev", {"frame": [0.9]})
    write_result(tmp_path / "speed" / "some_way" / "result.json", speed)
    return tmp_path


CLICKS = [
    "some way",
    "7.33 / 7.67",
    "10.50 / 10.50",
    "1.00 / 2.00",
    "1.50 / 10.50",
    "1.00 / 1.00",
    "3.00 / 4.00",
]


def test_each_cell_is_the_mean_over_its_own_objects(
    tool: ModuleType, measured: Path, monkeypatch: pytest.MonkeyPatch
):
    page = measured / "page.md"
    places = [f"{tool.BEGIN.format(rule)}\nold\n{tool.END.format(rule)}\n" for rule in tool.RULES]
    page.write_text("Before\n" + "Between\n".join(places) + "After\n")
    monkeypatch.setattr("sys.argv", ["tool", str(measured), str(page)])
    tool.main()
    lines = page.read_text().splitlines()
    assert [cells_of(line) for line in lines[4:5]] == [[*CLICKS, "20", "0.50"]]
    assert [cells_of(line) for line in lines[10:11]] == [CLICKS]
    assert {len(cells_of(line)) for line in lines[2:5]} == {9}
    assert {len(cells_of(line)) for line in lines[8:11]} == {7}
    assert [lines[0], lines[6], lines[-1]] == ["Before", "Between", "After"]
    assert "old" not in lines


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_page_without_a_place_for_a_table_is_left_alone(
    tool: ModuleType, measured: Path, monkeypatch: pytest.MonkeyPatch
):
    page = measured / "page.md"
    page.write_text("Nothing\n")
    monkeypatch.setattr("sys.argv", ["tool", str(measured), str(page)])
    with pytest.raises(SystemExit, match="has no place for a table; needs the lines"):
        tool.main()
    assert page.read_text() == "Nothing\n"


def test_what_is_not_measured_is_an_empty_cell(tool: ModuleType, measured: Path):
    (measured / "m2n2" / "some_way_davis_dev" / "result.json").unlink()
    (measured / "speed" / "some_way" / "result.json").unlink()
    lines = {rule: tool.table(measured, rule).splitlines()[2] for rule in tool.RULES}
    assert cells_of(lines["m2n2"]) == [*CLICKS[:-1], ""]
    assert cells_of(lines["ritm"]) == [*CLICKS, "", ""]
