"""What a row of an experiment came to, over all its runs."""

from __future__ import annotations

import statistics
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


def _figure(result: Result, name: str) -> float | None:
    kind, number = name[:-2], name[-2:]
    if name.startswith("miou"):
        kind, number = "miou", name.removeprefix("miou")
    values = result.noc if kind == "noc" else result.miou
    return values.get(number)
