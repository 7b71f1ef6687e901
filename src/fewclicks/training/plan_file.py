"""What the TOML file of a training may say, and the one-line answers to what it may not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.files import read_toml
from fewclicks.settings import expand_variables, read_settings
from fewclicks.training.augmentation import Augmentation
from fewclicks.training.click_sampling import ClickSampling
from fewclicks.training.next_clicks import NextClicks
from fewclicks.training.plan import (
    PLAIN,
    LossSettings,
    Measuring,
    NetworkChoice,
    Optimiser,
    Running,
    TrainingPlan,
)
from fewclicks.training.schedules import Schedule
from fewclicks.training.targets import TARGET_KINDS, TargetSettings

_PARTS: Final[Mapping[str, type]] = {
    "clicks": ClickSampling,
    "next_clicks": NextClicks,
    "augmentation": Augmentation,
    "loss": LossSettings,
    "optimiser": Optimiser,
    "schedule": Schedule,
    "run": Running,
    "evaluation": Measuring,
}
_WORDS: Final = ("title", "source", "builds_on", "rows")
_TABLES: Final = ("network", "targets", *_PARTS, "published")
_SCALARS: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRow:
    """One training of a file.

    Parameters
    ----------
    name
        As the file calls it; empty where it has no rows.
    folder
        Its folder's name below that of the file's results; ``"."`` where it has no rows.
    plan
        What is trained.
    """

    name: str
    folder: str
    plan: TrainingPlan


def read_plans(
    path: Path, *, settings: Mapping[str, str] | None = None, row: str | None = None
) -> list[PlannedRow]:
    """Read a file, with what it builds on, and plan its rows.

    What was typed counts most, then what a row says, then the file, then the files it builds on.
    A target of another kind, and a network with weights, leave the settings of the one before
    behind, all but the network's family; a target with share 0 is left out. ``$NAME`` in a text
    stands for an environment variable.

    Parameters
    ----------
    settings
        As typed: ``{"optimiser.clip": "1"}``.
    row
        The only one that is wanted.

    Raises
    ------
    StorageError
        If a file cannot be read.
    InputError
        If a file says what no training can mean.
    UnknownEntryError
        For a row that it has not.
    """
    content = _read_whole(path)
    rows = content.pop("rows", None)
    typed = _nested(settings or {})
    if rows is None:
        if row is not None:
            raise InputError(f"{path} has no rows; leave --row out.")
        return [PlannedRow(name="", folder=".", plan=_plan(str(path), _merged(content, typed)))]
    if not isinstance(rows, list):
        raise InputError(f"{path}: 'rows' is {rows!r}; needs [[rows]], each with a name.")
    names = [_name(path, each) for each in rows]
    if row is not None and row not in names:
        raise UnknownEntryError(f"row of {path}", row, names)
    planned = []
    for name, own in zip(names, rows, strict=True):
        if row in (None, name):
            own = {key: value for key, value in own.items() if key != "name"}
            whole = _merged(_merged(content, own), typed)
            planned.append(
                PlannedRow(
                    name=name,
                    folder=re.sub(r"[^\w.+=-]+", "_", name).strip("._"),
                    plan=_plan(f"{path}, row '{name}'", whole),
                )
            )
    return planned


def _read_whole(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a file over those it builds on, of which later ones count more."""
    if path.resolve() in above:
        raise InputError(f"{path} builds on itself; take it out of one builds_on.")
    content = _read(path)
    bases = content.pop("builds_on", [])
    whole: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        whole = _merged(whole, _read_whole(path.parent / str(base), (*above, path.resolve())))
    return _merged(whole, content)


def _read(path: Path) -> dict[str, Any]:
    content = read_toml(path)
    for key in content:
        if key not in (*_WORDS, *_TABLES):
            raise InputError(f"{path}: {UnknownEntryError('key', key, (*_WORDS, *_TABLES))}")
    return content


def _name(path: Path, row: Any) -> str:
    name = row.get("name") if isinstance(row, dict) else None
    if not isinstance(name, str) or not name:
        raise InputError(f'{path}: a row has no name; needs name = "..." in each [[rows]].')
    return name


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Put tables over others, value by value; an empty table takes the place of any."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict) and value:
            merged[key] = (
                _left(key, under) | value if _replaces(key, under, value) else _merged(under, value)
            )
        else:
            merged[key] = value
    return merged


def _left(key: str, under: Mapping[str, Any]) -> dict[str, Any]:
    """Give what stays of a table that another takes the place of: of a network, its family."""
    return {"family": under["family"]} if key == "network" and "family" in under else {}


def _replaces(key: str, under: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether a table leaves all of the one below behind."""
    if key == "network":
        return str(value.get("weights", "none")).lower() != "none"
    return under.get("kind") in TARGET_KINDS and value.get("kind", under["kind"]) != under["kind"]


def _nested(settings: Mapping[str, str]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for dotted, text in settings.items():
        *tables, key = dotted.split(".")
        place = nested
        for table in tables:
            place = place.setdefault(table, {})
        place[key] = _as_list(text)
    return nested


def _as_list(text: str) -> Any:
    """Read a list as TOML writes it; other text is read as the setting's type later."""
    if not text.startswith("["):
        return text
    try:
        return tomllib.loads(f"list = {text}")["list"]
    except (ValueError, RecursionError):
        raise InputError(f"'{text}' is no list; needs one as in TOML, [1, 2].") from None


def _plan(where: str, content: Mapping[str, Any]) -> TrainingPlan:
    try:
        content = expand_variables(content)
        _check_tables(content)
        built: dict[str, Any] = {
            key: build(kind, content.get(key, {}), owner=f"[{key}]") for key, kind in _PARTS.items()
        }
        targets = {
            name: _target(name, table)
            for name, table in content.get("targets", {}).items()
            if not (isinstance(table, dict) and str(table.get("share")) in ("0", "0.0"))
        }
        return TrainingPlan(
            title=str(content.get("title", "training")),
            network=_network(content.get("network", {})),
            targets=targets,
            published=content.get("published", {}),
            **built,
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _check_tables(content: Mapping[str, Any]) -> None:
    for key, value in content.items():
        if key in _TABLES and not isinstance(value, dict):
            raise InputError(f"'{key}' is {value!r}; needs to be a table, [{key}].")
        if key not in (*_WORDS, *_TABLES):
            raise UnknownEntryError("table", key, _TABLES)


def _target(name: str, table: Any) -> TargetSettings:
    if not isinstance(table, dict) or "kind" not in table:
        raise InputError(f"[targets.{name}] has no kind; needs one of {', '.join(TARGET_KINDS)}.")
    settings = {key: value for key, value in table.items() if key != "kind"}
    if table["kind"] not in TARGET_KINDS:
        raise UnknownEntryError("kind of target", str(table["kind"]), TARGET_KINDS)
    target: TargetSettings = build(TARGET_KINDS[table["kind"]], settings, owner=f"[targets.{name}]")
    return target


def _network(table: Mapping[str, Any]) -> NetworkChoice:
    from fewclicks.methods.transformer.click_network import find_network

    said = dict(table)
    family = str(said.pop("family", PLAIN))
    begun = {key: said.pop(key) for key in ("start", "crop_start", "weights") if key in said}
    begun = {key: None if str(each).lower() == "none" else each for key, each in begun.items()}
    config_type: Any = find_network(family).config_type
    shape = _checked(config_type, said, owner="[network]")
    config_type(**shape)  # refuses what no network can be
    return NetworkChoice(family=family, shape=shape, **begun)


def build(kind: type, table: Mapping[str, Any], *, owner: str) -> Any:
    """Build a frozen configuration from a table; texts are read as the fields' types.

    Raises
    ------
    InputError
        If a field is missing, or a value of another type or out of its range.
    UnknownEntryError
        For a name that is no field.
    """
    values = _checked(kind, table, owner=owner)
    for field in fields(kind):
        if (
            field.name not in values
            and field.default is MISSING
            and field.default_factory is MISSING
        ):
            raise InputError(f"{owner}: '{field.name}' is missing.")
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"{owner}: a value of another kind than is needed ({error}).") from None


def _checked(kind: type, table: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    values = read_settings(kind, table, owner=owner)
    hints = get_type_hints(kind)
    for key, value in values.items():
        kinds = get_args(hints[key]) or (hints[key],)
        plain = next((each for each in kinds if each is not NoneType), None)
        if isinstance(value, (list, tuple, dict)) or plain not in _SCALARS:
            continue
        allowed = (int, float) if plain is float else (plain,)
        fits = type(value) in allowed or (value is None and NoneType in kinds)
        if not fits:
            raise InputError(f"{owner}: {key} is {value!r}; needs {_SCALARS[plain]}.")
    return values
