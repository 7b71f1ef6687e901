"""Result: a run's figures, as `result.json` holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fewclicks.errors import InputError, StorageError
from fewclicks.evaluation.protocols.target import ProtocolName
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
    """One target: the IoU after each click, and the clicks as ``[x, y, is_positive]``.

    Attributes
    ----------
    start_iou
        Before any click, where there was a mask then.
    exemplar_clicks
        How many clicks, the first ones, were on an exemplar; where there was one.
    objects
        How many objects the target unites, where it unites any.
    """

    id: str
    ious: list[Iou]
    clicks: list[tuple[int, int, bool]]
    start_iou: Iou | None = None
    exemplar_clicks: int | None = None
    objects: int | None = None


class KindsResult(_Strict):
    """What several objects of one category cost, in the ways in which clicks may be averaged.

    ``noc`` of the result takes all objects of a kind as one target. An exemplar's clicks count
    where the protocol counts them. Keys are targets in per cent.

    Attributes
    ----------
    objects
        In all kinds together.
    noc_sum
        Clicks on all objects of a kind, at most 20 on each: mean over kinds.
    noc_mean
        The same for each object: mean over objects.
    nof, nofi
        Objects that never reach the target when they are clicked one by one, and pictures with
        one; None where they were not.
    miou_plus
        Mean IoU with all objects after 1, 5 and 10 further clicks: those on an exemplar are not
        counted.
    per_object
        Objects that were clicked one by one.
    """

    objects: int
    noc_sum: dict[str, float]
    noc_mean: dict[str, float]
    nof: dict[str, int] | None = None
    nofi: dict[str, int] | None = None
    miou_plus: dict[str, Iou]
    per_object: list[ObjectResult] = []


class Result(_Strict):
    """Everything a run found; scores as in `fewclicks.evaluation.scores.Scores`.

    Attributes
    ----------
    skipped
        Targets that could not be asked for, for want of a reference; of protocol combination.
    kinds
        Of protocols collective and additional.
    """

    fewclicks: str
    method: str
    config: dict[str, Any]
    dataset: str
    data_sha256: str
    rule: Literal["ritm", "m2n2", "random"]
    protocol: ProtocolName
    objects: int
    skipped: int | None = None
    kinds: KindsResult | None = None
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
    content = as_written(result)
    objects = ",\n  ".join(map(json.dumps, content.pop("per_object")))
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    lines.append(f'"per_object": [\n  {objects}\n]')
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def as_written(result: Result) -> dict[str, Any]:
    """Give what the file holds, without what the protocol does not have."""
    content = _present(result.model_dump(mode="json"))
    return {**content, "per_object": [_present(item) for item in content["per_object"]]}


def _present(content: dict[str, Any]) -> dict[str, Any]:
    kinds = content.get("kinds")
    if kinds is not None:
        kinds["per_object"] = [_present(item) for item in kinds["per_object"]]
        content = {**content, "kinds": _present(kinds)}
    return {key: each for key, each in content.items() if each is not None}


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
