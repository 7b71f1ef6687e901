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


def result(dataset: str, ious: dict[str, list[float]]) -> Result:
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
                "rule": "ritm",
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


def test_each_cell_is_the_mean_over_its_own_objects(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    other = tool.WITHOUT_GRABCUT.read_text().split()[0]
    found = {
        "grabcut": {"b": [0.86, 0.91], "a": [0.95], "c": [0.1] * 20},
        "berkeley": {other: [0.9], "shown in both": [0.5, 0.87]},
        "davis_dev": {"frame": [0.5, 0.5, 0.85, 0.9]},
    }
    for dataset, ious in found.items():
        write_result(tmp_path / f"some_way_{dataset}" / "result.json", result(dataset, ious))
    speed = result("davis_dev", {"frame": [0.9]})
    write_result(tmp_path / "speed" / "some_way" / "result.json", speed)
    page = tmp_path / "page.md"
    page.write_text(f"Before\n{tool.BEGIN}\nold\n{tool.END}\nAfter\n")
    monkeypatch.setattr("sys.argv", ["tool", str(tmp_path), str(page)])
    tool.main()
    head, rule, line = page.read_text().split("\n")[2:5]
    assert head.count("|") == rule.count("|") == line.count("|") == 10
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "some way",
        "7.33 / 7.67",
        "10.50 / 10.50",
        "1.00 / 2.00",
        "1.50 / 10.50",
        "1.00 / 1.00",
        "3.00 / 4.00",
        "20",
        "0.50",
    ]
    assert page.read_text().startswith("Before\n")
    assert page.read_text().endswith("\nAfter\n")
    assert "old" not in page.read_text()
