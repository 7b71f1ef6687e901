"""Results for tests of reports: what was found is given, nothing is clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fewclicks.evaluation.records import ObjectRecord
from fewclicks.evaluation.reports.rows import ReportRow, name_row
from fewclicks.evaluation.result import Result, write_result
from fewclicks.evaluation.run import summarise


def made_result(ious: Mapping[str, Sequence[float]], **changed: Any) -> Result:
    """Sum up objects by their IoUs, named ``picture:object`` as data sets do."""
    run = {
        "fewclicks": "0.1.0",
        "method": "graphcut",
        "dataset": "grabcut",
        "data_sha256": "00ff",
        "rule": "ritm",
        "protocol": "noc",
        "config": {"backbone": None, "curve": False, "subset": None, "limit": None},
    }
    run |= changed
    records = [
        ObjectRecord(
            id=name,
            picture=name.partition(":")[0],
            ious=tuple(found),
            clicks=((1, 2, True),) * len(found),
            prepare_seconds=1.0,
            click_seconds=0.5,
            elapsed_seconds=2.0,
        )
        for name, found in ious.items()
    ]
    return summarise(run, records, 20, {"cpu": "a processor"})


def made_row(ious: Mapping[str, Sequence[float]], **changed: Any) -> ReportRow:
    """Name such a result as a report does."""
    return name_row(made_result(ious, **changed))


def written_result(folder: Path, ious: Mapping[str, Sequence[float]], **changed: Any) -> Path:
    """Write such a result, and say where."""
    path = folder / "result.json"
    write_result(path, made_result(ious, **changed))
    return path
