"""What a row of an experiment came to, over all its runs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from fewclicks.evaluation.experiments.experiment import Row
from fewclicks.evaluation.result import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRow:
    """A row and what its runs found.

    Parameters
    ----------
    row
        As planned.
    results
        One for each run; at least one.
    """

    row: Row
    results: tuple[Result, ...]

    @property
    def noc(self) -> dict[str, float]:
        """Mean over the runs, by target in per cent."""
        return {key: statistics.fmean(r.noc[key] for r in self.results) for key in self.any.noc}

    @property
    def miou(self) -> dict[str, float]:
        """Mean over the runs, by number of clicks."""
        return {key: statistics.fmean(r.miou[key] for r in self.results) for key in self.any.miou}

    @property
    def any(self) -> Result:
        """The first run, for what all of them share."""
        return self.results[0]

    def figure(self, name: str) -> float | None:
        """Mean over the runs of ``noc85``, ``miou5`` and the like; None if it was not measured."""
        found = [each for result in self.results if (each := _figure(result, name)) is not None]
        return statistics.fmean(found) if found else None

    def spread(self, name: str) -> float | None:
        """Sample standard deviation of a figure over the runs; None for a single run."""
        found = [each for result in self.results if (each := _figure(result, name)) is not None]
        return statistics.stdev(found) if len(found) > 1 else None


def split_figure(name: str) -> tuple[str, str]:
    """Take ``noc85`` apart into what it is and its number.

    Examples
    --------
    >>> split_figure("noc85"), split_figure("miou5")
    (('noc', '85'), ('miou', '5'))
    """
    kind = name.rstrip("0123456789")
    return kind, name.removeprefix(kind)


def _figure(result: Result, name: str) -> float | None:
    kind, number = split_figure(name)
    found: Mapping[str, Mapping[str, float]] = {"noc": result.noc, "miou": result.miou}
    if result.kinds is not None:
        of_kinds = result.kinds
        found = {
            **found,
            "sum": of_kinds.noc_sum,
            "mean": of_kinds.noc_mean,
            "plus": of_kinds.miou_plus,
        }
    return found.get(kind, {}).get(number)
