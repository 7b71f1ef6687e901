"""Rows: results, and what a report calls them; they compare where data set and rule agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from fewclicks.errors import InputError
from fewclicks.evaluation.reports.resampling import Values
from fewclicks.evaluation.result import ObjectResult, Result
from fewclicks.evaluation.scores import USUAL_CLICKS, first_success, iou_after

_OF_THE_CLICKS: Final = frozenset({"jitter", "seed", "curve"})
"""What of a configuration says how was clicked, and not what answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRow:
    """A result and its names.

    Parameters
    ----------
    method
        With backbone, depth and guidance; with its folder's name where two would be called alike.
    dataset
        With the part of it that was measured.
    rule
        With all that says how was clicked.
    result
        As it was read.
    """

    method: str
    dataset: str
    rule: str
    result: Result

    @property
    def place(self) -> str:
        """Where figures compare."""
        return f"{self.dataset}, rule {self.rule}"

    @property
    def is_partial(self) -> bool:
        """Whether only a part of the data set was measured."""
        return self.dataset != self.result.dataset

    @property
    def most(self) -> int:
        """Clicks that were allowed for each object."""
        return len(self.result.miou)

    @property
    def pictures(self) -> list[str]:
        """Of each object, the picture that shows it."""
        return [picture_of(found.id) for found in self.result.per_object]

    def needed(self, target: int) -> list[int | None]:
        """Of each object, the clicks that it needed to a target in per cent; None for never."""
        return [
            first_success(found.ious[: self.most], target, start=found.start_iou)
            for found in self.result.per_object
        ]

    def clicks(self, target: int) -> Values:
        """(objects,) Clicks to a target in per cent, the most allowed where it is never reached."""
        needed = [self.most if each is None else each for each in self.needed(target)]
        return np.array(needed, dtype=np.float64)

    def ious(self) -> Values:
        """(objects, clicks) IoU after click 1, 2, …; who ended early keeps the last."""
        return np.array([self._curve(each) for each in self.result.per_object], dtype=np.float64)

    def _curve(self, found: ObjectResult) -> list[float]:
        return [iou_after(k, found.ious, found.start_iou) for k in range(1, self.most + 1)]

    def setup(self) -> dict[str, Any]:
        """Give what answered, setting by setting, dots in their names; not how was clicked."""
        config = self.result.config
        kept = {key: each for key, each in config.items() if key not in _OF_THE_CLICKS}
        return {"method": self.result.method, **_flat(kept)}


def picture_of(object_id: str) -> str:
    """Give the picture that an object lies on; data sets name objects ``picture:object``."""
    return object_id.partition(":")[0]


def name_rows(found: Sequence[tuple[Path, Result]]) -> list[ReportRow]:
    """Name each result after its method; after its folder as well where that is not enough.

    Raises
    ------
    InputError
        If there is none, or one is given twice.
    """
    if not found:
        raise InputError("There is no result to report; needs one result.json or more.")
    plain = [name_row(result) for _, result in found]
    names = Counter((row.place, row.method) for row in plain)
    rows = [
        row
        if names[row.place, row.method] == 1
        else replace(row, method=f"{row.method} [{path.resolve().parent.name}]")
        for row, (path, _) in zip(plain, found, strict=True)
    ]
    for (place, name), count in Counter((row.place, row.method) for row in rows).items():
        if count > 1:
            raise InputError(
                f"{count} results on {place} are called '{name}'; give each once, from folders "
                "of different names."
            )
    return rows


def name_row(result: Result) -> ReportRow:
    """Name one result."""
    config = result.config
    subset, limit = config.get("subset"), config.get("limit")
    most = len(result.miou)
    dataset = [
        result.dataset,
        Path(subset).stem if subset else "",
        f"first {limit}" if limit else "",
    ]
    rule = [
        click_name(result),
        f"protocol {result.protocol}" if result.protocol != "noc" else "",
        f"at most {most}" if most != USUAL_CLICKS else "",
    ]
    return ReportRow(
        method=_method(result),
        dataset=" ".join(filter(None, dataset)),
        rule=" ".join(filter(None, rule)),
        result=result,
    )


def click_name(result: Result) -> str:
    """Say how was clicked."""
    jitter = result.config.get("jitter")
    return f"{result.rule} jitter {jitter:g}" if jitter else result.rule


def by_place(rows: Sequence[ReportRow]) -> dict[str, list[ReportRow]]:
    """Part rows into those that compare, in the order of their first ones."""
    groups: dict[str, list[ReportRow]] = {}
    for row in rows:
        groups.setdefault(row.place, []).append(row)
    return groups


def _method(result: Result) -> str:
    config = result.config
    parts = [_short(config[key]) for key in ("backbone", "depth") if config.get(key)]
    name = f"{result.method} ({' + '.join(parts)})" if parts else result.method
    guided = [f"{config[key]} {key}" for key in ("reference", "exemplar") if key in config]
    if config.get("initial_masks"):
        guided.append(f"masks {Path(config['initial_masks']).name}")
    return ", ".join([name, *guided])


def _short(part: str) -> str:
    """Name a folder by its last part; names and hub ids as they are."""
    return Path(part).name if Path(part).is_absolute() else part


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, each in config.items():
        if isinstance(each, Mapping):
            flat |= _flat(each, f"{prefix}{key}.")
        else:
            flat[prefix + key] = each
    return flat
