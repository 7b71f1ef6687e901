"""Figures that papers print, to set beside one's own; each with the table it was read from.

They are kept in ``published/<paper>.toml``. A table there has a list of columns, and rows of
cells. A column is a field of `PublishedRow` (``method``, ``variant``, ``backbone``,
``training_data``, ``source``, ``rule``), or a data set and a figure (``davis noc90``), or a figure
that belongs to no data set (``spc``). What holds for a whole table, or a whole paper, is said once
above its rows. Figures stand as printed: those in per cent under ``miou5 %``, in millions under
``parameters M``, in thousands of millions under ``flops G``. A cell is ``"-"`` where the paper
prints no figure, and empty, ``""``, where its text has lost it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from fewclicks.datasets.registry import find_dataset
from fewclicks.errors import InputError
from fewclicks.evaluation.clicker import Rule
from fewclicks.evaluation.protocols.target import PROTOCOLS, ProtocolName
from fewclicks.files import read_toml

FOLDER: Final = Path(__file__).with_suffix("")
"""Holds a file for each paper."""

_MOST_CLICKS: Final = 20
_FIGURE: Final = re.compile(
    r"(noc|nof|nofi)(80|85|90|95)|(miou|plus)([1-9]|1\d|20)|spc|parameters|flops"
)
_SCALES: Final = {"%": 0.01, "M": 1e6, "G": 1e9}
_WORDS: Final = ("method", "variant", "backbone", "training_data", "source", "rule")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedRow:
    """One method on one data set, as printed.

    Parameters
    ----------
    method
        As the paper calls it.
    dataset
        By our name; empty for what belongs to none, as the size of a network.
    rule
        Of the clicks.
    noc
        By target in per cent; only what is printed and not lost.
    source
        Where the method comes from: what the table says of it, else the paper that prints it.
    backbone, training_data, variant
        As the table says; empty where it does not.
    paper, table
        Where the figures were read.
    protocol
        What was asked for.
    void
        What became of pixels that the data set leaves unjudged: ``"left out"``, ``"object"``, or
        empty where the data set has none.
    mask_set
        Pictures and masks of the data set, as the paper counts them.
    scores
        Other figures by their names: ``nof85`` (objects), ``nofi85`` (pictures), ``miou5`` and
        ``plus5`` (after so many clicks, or so many more than the exemplar's; in [0, 1]), ``spc``
        (seconds), ``parameters``, ``flops``.
    ablation
        Whether the table compares a method with itself.

    Raises
    ------
    InputError
        For figures that cannot be: a NoC outside [1, 20] or below that of a lower target, an IoU
        outside [0, 1].
    """

    method: str
    dataset: str
    rule: Rule
    noc: Mapping[str, float]
    source: str
    backbone: str = ""
    training_data: str = ""
    variant: str = ""
    paper: str = ""
    table: str = ""
    protocol: ProtocolName = "noc"
    void: str = ""
    mask_set: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    ablation: bool = False

    def __post_init__(self) -> None:
        clicks = [self.noc[target] for target in sorted(self.noc)]
        if clicks != sorted(clicks) or any(not 1 <= each <= _MOST_CLICKS for each in clicks):
            raise InputError(f"{self._place}: NoC is {dict(self.noc)}; needs 1 to 20, not falling.")
        for name, value in self.scores.items():
            if value < 0 or (name.startswith(("miou", "plus")) and value > 1):
                raise InputError(f"{self._place}: {name} is {value}; needs 0 or more, an IoU to 1.")

    @property
    def label(self) -> str:
        """Method, variant, and what it looks through and was trained on, in one line."""
        more = [self.backbone, self.training_data and f"trained on {self.training_data}"]
        inside = ", ".join(filter(None, [self.variant, *more]))
        return f"{self.method} ({inside})" if inside else self.method

    @property
    def read_at(self) -> str:
        """Where the figures stand: paper and table, in one line."""
        return f"{self.paper}, Table {self.table}"

    @property
    def _place(self) -> str:
        return f"{self.read_at}, {self.label} on {self.dataset or 'no data set'}"


def published_rows(
    dataset: str,
    rule: Rule | None = None,
    *,
    protocol: ProtocolName = "noc",
    ablations: bool = False,
) -> Iterator[PublishedRow]:
    """Give what papers print for a data set.

    Parameters
    ----------
    dataset
        By our name; one of which nothing is printed gives no row.
    rule
        Of the clicks; None for any.
    protocol
        What was asked for.
    ablations
        Rows of tables that compare a method with itself, too.
    """
    for row in read_published():
        if (
            (row.dataset, row.protocol) == (dataset, protocol)
            and rule in (None, row.rule)
            and ablations >= row.ablation
        ):
            yield row


@cache
def read_published() -> tuple[PublishedRow, ...]:
    """Read all rows of all papers that have a figure, paper by paper and table by table."""
    return tuple(row for path in sorted(FOLDER.glob("*.toml")) for row in read_paper(path))


def read_paper(path: Path) -> list[PublishedRow]:
    """Read the rows of one paper that have a figure.

    Raises
    ------
    InputError
        If a table is not of the form above, or holds a figure that cannot be.
    StorageError
        If the file cannot be read.
    """
    content = read_toml(path)
    of_paper = {key: value for key, value in content.items() if key != "tables"}
    try:
        return [row for table in content["tables"] for row in _rows({**of_paper, **table})]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no tables of figures ({error!r:.80}).") from error


def _rows(table: Mapping[str, Any]) -> Iterator[PublishedRow]:
    columns = table["columns"]
    for cells in table["rows"]:
        if len(cells) != len(columns):
            raise InputError(
                f"{table['paper']}, Table {table['table']}: {cells[0]!r} has {len(cells)} cells; "
                f"needs {len(columns)}."
            )
        words = {key: table.get(key, "") for key in _WORDS}
        figures: dict[str, dict[str, float]] = {}
        for column, cell in zip(columns, cells, strict=True):
            if column in _WORDS:
                words[column] = cell or words[column]
            elif not isinstance(cell, str):
                dataset, name, scale = _figure(column)
                figures.setdefault(dataset, {})[name] = round(cell * scale, 6)
            elif cell not in ("", "-"):
                raise InputError(f"Column '{column}' holds '{cell}'; needs a figure, '-' or ''.")
        yield from (_row(table, words, *each) for each in figures.items())


def _row(
    table: Mapping[str, Any], words: Mapping[str, Any], dataset: str, figures: Mapping[str, float]
) -> PublishedRow:
    rule, protocol = words["rule"], table.get("protocols", {}).get(dataset, "noc")
    if rule not in get_args(Rule) or protocol not in PROTOCOLS:
        raise InputError(f"Rule '{rule}' or protocol '{protocol}' of a table does not exist.")
    noc = {name.removeprefix("noc"): each for name, each in figures.items() if "noc" in name}
    return PublishedRow(
        **words,
        dataset=dataset,
        noc=noc,
        paper=table["paper"],
        table=table["table"],
        protocol=protocol,
        void=find_dataset(dataset).void(rule) if dataset else "",
        mask_set=table["mask_sets"].get(dataset, ""),
        scores={name: each for name, each in figures.items() if "noc" not in name},
        ablation=table.get("ablation", False),
    )


def _figure(column: str) -> tuple[str, str, float]:
    """Take a column's head apart into data set (or none), figure and scale."""
    words = column.split()
    scale = _SCALES[words.pop()] if words[-1] in _SCALES else 1.0
    dataset = find_dataset(words[0]).name if len(words) > 1 else ""
    if len(words) > 2 or not _FIGURE.fullmatch(words[-1]):
        raise InputError(f"Column '{column}' is no figure; needs one like 'davis noc90'.")
    return dataset, words[-1], scale
