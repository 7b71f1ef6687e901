"""An experiment: rows of a table, each with the runs that measure it and what is published."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import FewclicksError, InputError
from fewclicks.evaluation.experiments.file import ExperimentFile, RowEntry, read_file
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.protocols.opening import open_targets
from fewclicks.methods.registry import find_method
from fewclicks.settings import expand_variables

_PARTS: Final = ("method", "backbone", "depth")
_GROUPS: Final = ("settings", "dataset_settings", "guidance")
_STILL_COMPARES: Final = frozenset({"runs", "seed", "dataset"})
"""Choices that leave published figures comparable, which are kept by data set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of the table.

    Parameters
    ----------
    name
        As the table calls it.
    folder
        Its folder's name.
    plans
        One for each run; they differ in their seed alone.
    published
        Figures that the paper prints for it on its data set: ``noc85`` is NoC@85, ``miou5`` mIoU@5.
    chosen
        What is chosen for this row alone, settings as ``settings.KEY``.
    """

    name: str
    folder: str
    plans: tuple[Plan, ...]
    published: Mapping[str, float]
    chosen: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """A table that is to be measured.

    Parameters
    ----------
    path
        Of its file.
    title, source
        What the table shows, and where the published figures stand.
    rows
        In the order of the table.
    changed
        What the published figures were not measured with: choices of a file that builds on
        another, and of the command line.
    """

    path: Path
    title: str
    source: str
    rows: tuple[Row, ...]
    changed: Mapping[str, Any]


def read_experiment(
    path: Path,
    *,
    data: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    **everywhere: Any,
) -> Experiment:
    """Read an experiment's file, and plan its rows.

    A row's own choices count most, then `overrides`, then the file's, then those of the file that
    it builds on. Whoever names another method, backbone or depth leaves the settings of the one
    before behind.

    Parameters
    ----------
    data
        Folder of data sets.
    overrides
        Choices of the command line, by the names that a file has for them.
    **everywhere
        Other fields of every `Plan`.

    Raises
    ------
    StorageError
        If a file cannot be read.
    InputError
        If a file says what no experiment can mean, or an override would change nothing.
    """
    file, changed = _read_whole(path)
    rows, title, source = file.rows, file.title, file.source
    if rows is None or title is None or source is None:
        missing = next(key for key in ("title", "source", "rows") if getattr(file, key) is None)
        raise InputError(f"{path}: '{missing}' is missing.")
    overrides = overrides or {}
    _refuse_idle(path, overrides, rows)
    shared = _over(file.said(), overrides)
    changed = changed | _differences(file.said(), overrides)
    folders = _folders(path, rows)
    return Experiment(
        path=path,
        title=title,
        source=source,
        rows=tuple(
            _plan_row(path, row, folder, shared, {"data": data, **everywhere})
            for row, folder in zip(rows, folders, strict=True)
        ),
        changed=changed,
    )


def _read_whole(path: Path) -> tuple[ExperimentFile, dict[str, Any]]:
    """Read a file with what it builds on; say in which choices it differs from that."""
    file = read_file(path)
    if file.builds_on is None:
        return file, {}
    base_path = path.parent / file.builds_on
    base = read_file(base_path)
    if base.builds_on is not None:
        raise InputError(
            f"{path} builds on {base_path}, which builds on another; needs a file that stands "
            "alone."
        )
    words = {key: getattr(base, key) for key in ("title", "source", "rows")}
    words |= {key: own for key in words if (own := getattr(file, key)) is not None}
    choices = _over(base.said(), file.said())
    return ExperimentFile(**words, **choices), _differences(base.said(), file.said())


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Put choices over others."""
    settings = dict(below.get("settings", {}))
    for part in _PARTS:
        if part in above and above[part] != below.get(part):
            settings = {key: each for key, each in settings.items() if _owner(key) != part}
    settings |= above.get("settings", {})
    dataset_settings = dict(below.get("dataset_settings", {}))
    if "dataset" in above and above["dataset"] != below.get("dataset"):
        dataset_settings = {}
    dataset_settings |= above.get("dataset_settings", {})
    return {
        **below,
        **above,
        "settings": settings,
        "dataset_settings": dataset_settings,
        "guidance": {**below.get("guidance", {}), **above.get("guidance", {})},
    }


def _owner(setting: str) -> str:
    prefix = setting.partition(".")[0]
    return prefix if "." in setting and prefix in _PARTS else "method"


def _differences(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    below, above = _by_dotted_name(below), _by_dotted_name(above)
    return {
        key: each
        for key, each in above.items()
        if key not in _STILL_COMPARES and below.get(key) != each
    }


def _by_dotted_name(choices: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: each for key, each in choices.items() if not isinstance(each, Mapping)}
    for group in _GROUPS:
        flat |= {f"{group}.{key}": each for key, each in choices.get(group, {}).items()}
    return flat


def _refuse_idle(path: Path, overrides: Mapping[str, Any], rows: Sequence[RowEntry]) -> None:
    """Refuse a choice of the command line that each row has made for itself."""
    own = [_by_dotted_name(row.said()) for row in rows]
    for key in _by_dotted_name(overrides):
        if all(key in choices for choices in own):
            raise InputError(
                f"{path}: each row chooses its own {key.removeprefix('settings.')}, so that the "
                "one given would change nothing; leave it out."
            )


def _folders(path: Path, rows: Sequence[RowEntry]) -> list[str]:
    for name, count in Counter(row.name for row in rows).items():
        if count > 1:
            raise InputError(f"{path}: {count} rows are called '{name}'; needs a name for each.")
    folders = [re.sub(r"[^\w.+=-]+", "_", row.name).strip("._") for row in rows]
    for folder, count in Counter(folder.lower() for folder in folders).items():
        if count > 1 or not folder:
            same = [row.name for row, f in zip(rows, folders, strict=True) if f.lower() == folder]
            raise InputError(
                f"{path}: rows {', '.join(map(repr, same))} would share the folder '{folder}'; "
                "needs names that differ in letters or digits."
            )
    return folders


def _plan_row(
    path: Path,
    row: RowEntry,
    folder: str,
    shared: Mapping[str, Any],
    everywhere: Mapping[str, Any],
) -> Row:
    choices = _over(shared, row.said())
    where = f"{path}, row '{row.name}'"
    if "dataset" not in choices:
        raise InputError(f"{where}: 'dataset' is missing; a file, or --dataset, must name it.")
    runs, seed = choices.pop("runs", 1), choices.pop("seed", 0)
    if runs > 1 and choices.get("rule") != "random" and not choices.get("jitter"):
        raise InputError(
            f"{where}: {runs} runs under rule {choices.get('rule', 'ritm')} without jitter would "
            "all be the same; needs rule random, a jitter, or one run."
        )
    for group in _GROUPS:
        choices[group] = {key: _as_typed(each) for key, each in choices[group].items()}
    try:
        choices = expand_variables(choices)
        find_method(choices.get("method", "default"))
        plans = tuple(Plan(**choices, **everywhere, seed=each) for each in range(seed, seed + runs))
    except FewclicksError as error:
        raise InputError(f"{where}: {error}") from None
    return Row(
        name=row.name,
        folder=folder,
        plans=plans,
        published=row.published.get(choices["dataset"], {}),
        chosen=_by_dotted_name(row.said()),
    )


def _as_typed(value: Any) -> str:
    """Give a setting as one types it, so that it is checked as on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_rows(experiment: Experiment) -> None:
    """Build each row's method and open what it is asked for, so that nothing fails hours later.

    Raises
    ------
    FewclicksError
        Of the first row that could not be run, in the class of its reason.
    """
    for row in experiment.rows:
        try:
            row.plans[0].create_method()
            open_targets(row.plans[0], row.plans[0].open_dataset())
        except FewclicksError as error:
            raise InputError(f"{experiment.path}, row '{row.name}': {error}") from error
