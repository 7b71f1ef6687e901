"""Result: a run's figures, as `result.json` holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fewclicks.errors import InputError, StorageError
from fewclicks.files import write_text

Iou = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seconds(_Strict):
    """How long a run took, in seconds.

    Attributes
    ----------
    prepare
        Mean for a picture.
    per_click
        Mean for a click's answer.
    spc
        All that elapsed (preparation, answers, simulated user) for each click, as the literature
        has it.
    """

    prepare: float
    per_click: float
    spc: float


class ObjectResult(_Strict):
    """One object: the IoU after each click, and the clicks as ``[x, y, is_positive]``."""

    id: str
    ious: list[Iou]
    clicks: list[tuple[int, int, bool]]


class Result(_Strict):
    """Everything a run found; scores as in `fewclicks.evaluation.scores.Scores`."""

    fewclicks: str
    method: str
    config: dict[str, Any]
    dataset: str
    data_sha256: str
    rule: Literal["ritm", "m2n2", "random"]
    protocol: Literal["noc"]
    objects: int
    noc: dict[str, float]
    nof: dict[str, int]
    nof_at_20: dict[str, int]
    nofi: dict[str, int]
    miou: dict[str, Iou]
    seconds: Seconds
    machine: dict[str, Any]
    per_object: list[ObjectResult]


def write_result(path: Path, result: Result) -> None:
    """Write a result whole, a line for each figure and each object."""
    content = result.model_dump(mode="json")
    objects = ",\n  ".join(json.dumps(item) for item in content.pop("per_object"))
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    lines.append(f'"per_object": [\n  {objects}\n]')
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_result(path: Path) -> Result:
    """Read a result and check that it is one.

    Raises
    ------
    StorageError
        If there is no such file, or it may not be read.
    InputError
        If it is no result.
    """
    try:
        return Result.model_validate_json(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"Cannot read {path}: {reason}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"{path} is no result of 'fewclicks evaluate' ({place}: {first['msg']}); needs its "
            "result.json."
        ) from None
