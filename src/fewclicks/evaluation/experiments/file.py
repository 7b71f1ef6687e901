"""What an experiment's TOML file may say, and the one-line answers to what it may not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.files import read_toml

Value: TypeAlias = str | bool | int | float
FigureName = Annotated[
    str, Field(pattern=r"^((noc|sum|mean)(80|85|90|95)|miou([1-9]|1\d|20)|plus(1|5|10))$")
]
Published: TypeAlias = dict[FigureName, Annotated[float, Field(ge=0)]]


class Choices(BaseModel):
    """What a run is made of; what is left out is chosen elsewhere, or is the default.

    Attributes
    ----------
    method, backbone, depth
        By name; ``"none"`` for a row without depth where others have it. ``$NAME`` in any text
        stands for an environment variable.
    settings
        As for ``--set``; a table in it, or a dot, holds those of ``backbone`` or ``depth``.
    dataset, dataset_settings, rule, jitter, seed, max_clicks, curve, subset, limit
        As for ``fewclicks evaluate``.
    protocol, reference, exemplar, guidance, initial_masks
        As there too; ``guidance`` as for ``--guidance-set``.
    runs
        How often a row is measured, each time with the next seed; its figures are means.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    method: str | None = None
    backbone: str | None = None
    depth: str | None = None
    settings: dict[str, Value | dict[str, Value]] = {}
    dataset: str | None = None
    dataset_settings: dict[str, Value] = {}
    rule: str | None = None
    jitter: float | None = None
    seed: int | None = None
    runs: Annotated[int, Field(ge=1)] | None = None
    max_clicks: int | None = None
    curve: bool | None = None
    protocol: str | None = None
    reference: str | None = None
    exemplar: str | None = None
    guidance: dict[str, Value] = {}
    initial_masks: str | None = None
    subset: str | None = None
    limit: int | None = None

    def said(self) -> dict[str, Any]:
        """Give the choices that are made here, settings by their dotted names."""
        said = {key: getattr(self, key) for key in self.model_fields_set & CHOICES}
        if "settings" in said:
            said["settings"] = _flat(said["settings"])
        return said


CHOICES = frozenset(Choices.model_fields)


class RowEntry(Choices):
    """One row: a name, what is chosen for it alone, and what the paper prints for it.

    Attributes
    ----------
    published
        By data set, by figure: ``noc85`` is NoC@85, ``miou5`` mIoU@5. Of several objects of a
        category also ``sum85`` and ``mean85``, clicks on all of them and on each, and ``plus5``,
        mIoU5+.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    published: dict[str, Published] = {}


class ExperimentFile(Choices):
    """A whole file.

    Attributes
    ----------
    title, source
        What the table shows, and where the published figures stand.
    builds_on
        Another file, from this one's folder; what is left out here, rows too, is as it says.
    rows
        In the order of the table.
    across
        Each row is measured with each of these: data sets, rules, or both. The row's name says
        which.
    """

    title: str | None = None
    source: str | None = None
    builds_on: str | None = None
    rows: Annotated[list[RowEntry], Field(min_length=1)] | None = None
    across: dict[Literal["dataset", "rule"], Annotated[list[str], Field(min_length=1)]] = {}

    def spread(self) -> ExperimentFile:
        """Write out each row for each of `across`."""
        if not self.across or self.rows is None:
            return self
        choices: list[dict[str, str]] = [
            dict(zip(map(str, self.across), values, strict=True))
            for values in itertools.product(*self.across.values())
        ]
        rows = [
            row.model_copy(update={**choice, "name": ", ".join([row.name, *choice.values()])})
            for row in self.rows
            for choice in choices
        ]
        return self.model_copy(update={"rows": rows})


def read_file(path: Path) -> ExperimentFile:
    """Read one file, without what it builds on.

    Raises
    ------
    StorageError
        If it cannot be read.
    InputError
        If it is no TOML, or has keys or values that no experiment has.
    """
    content = read_toml(path)
    try:
        return ExperimentFile.model_validate(content).spread()
    except ValidationError as error:
        raise InputError(f"{path}{_complaint(error, content)}") from None


def _flat(settings: Mapping[str, Value | dict[str, Value]]) -> dict[str, Value]:
    flat: dict[str, Value] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": each for inner, each in value.items()}
        else:
            flat[key] = value
    return flat


def _complaint(error: ValidationError, content: Mapping[str, Any]) -> str:
    """Say the first thing that is wrong, and in which row."""
    first = error.errors()[0]
    place: list[Any] = list(first["loc"])
    entry: type[Choices] = ExperimentFile
    where = ""
    if len(place) > 1 and place[0] == "rows":
        row = content["rows"][place[1]]
        name = row.get("name") if isinstance(row, dict) else None
        where = f", row '{name}'" if isinstance(name, str) else f", row {place[1] + 1}"
        entry, place = RowEntry, place[2:]
    if first["type"] == "extra_forbidden" and len(place) == 1:
        kind = "key of a row" if entry is RowEntry else "key of an experiment"
        return f"{where}: {UnknownEntryError(kind, place[0], entry.model_fields)}"
    if first["type"] == "missing":
        return f"{where}: '{place[-1]}' is missing."
    if first["type"] == "string_pattern_mismatch":
        return (
            f"{where}: published figure '{first['input']}'; needs noc80, noc85, noc90, noc95 or "
            "miou1 to miou20 (of kinds also sum85, mean85, plus5 and the like)."
        )
    # A value that may be of several types is complained of once for each of them.
    names = [str(part) for part in place if not re.search(r"\W|^(str|bool|int|float)$", str(part))]
    message = first["msg"].removeprefix("Input should be ")
    return f"{where}: {'.'.join(names)} is {first['input']!r}; needs {message}."
