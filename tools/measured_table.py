"""Write the README's table from what `fewclicks evaluate configs/tables/main.toml` measured.

    .venv/bin/python tools/measured_table.py runs/tables README.md

The halves of GrabCut and the 83 files of Berkeley that show no picture of it are read from the same
results, times from `configs/tables/speed.toml`, measured into `runs/tables/speed`. The table stands
between two comments, which stay.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from fewclicks.evaluation.result import ObjectResult, Result, read_result
from fewclicks.evaluation.scores import number_of_clicks
from fewclicks.files import read_text, write_text

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
DATASETS = ("grabcut", "berkeley", "davis_dev")
WITHOUT_GRABCUT = Path("benchmarks/berkeley_without_grabcut.txt")
HEAD = (
    "method",
    "GrabCut, all 50",
    "even half (tuned on)",
    "odd half",
    "Berkeley, all 100",
    "the 83 others",
    "DAVIS, 115 frames",
    "ms a click",
    "s a picture",
)


def clicks(objects: Iterable[ObjectResult]) -> str:
    """Write NoC@85 / NoC@90."""
    found = list(objects)
    means = (
        sum(number_of_clicks(each.ious, target) for each in found) / len(found)
        for target in (85, 90)
    )
    return " / ".join(f"{mean:.2f}" for mean in means)


def halves(grabcut: Result) -> tuple[Sequence[ObjectResult], Sequence[ObjectResult]]:
    """Split by the index of the sorted names."""
    in_order = sorted(grabcut.per_object, key=lambda each: each.id)
    return in_order[::2], in_order[1::2]


def row(
    name: str, grabcut: Result, berkeley: Result, davis: Result, speed: Result, others: set[str]
) -> str:
    """Write one line of the table."""
    cells = [
        name,
        clicks(grabcut.per_object),
        *map(clicks, halves(grabcut)),
        clicks(berkeley.per_object),
        clicks(each for each in berkeley.per_object if each.id in others),
        clicks(davis.per_object),
        f"{1000 * speed.seconds.per_click:.0f}",
        f"{speed.seconds.prepare:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def table(folder: Path) -> str:
    """Write the whole table, a method a line, fewest clicks on GrabCut first."""
    others = set(read_text(WITHOUT_GRABCUT).split())
    found = []
    for path in folder.glob("*_grabcut"):
        name = path.name.removesuffix("_grabcut")
        grabcut, berkeley, davis, speed = (
            read_result(folder / place / "result.json")
            for place in (*(f"{name}_{each}" for each in DATASETS), f"speed/{name}")
        )
        line = row(name.replace("_", " "), grabcut, berkeley, davis, speed, others)
        found.append((grabcut.noc["85"], line))
    lines = [f"| {' | '.join(HEAD)} |", f"| {' | '.join('---' for _ in HEAD)} |"]
    lines += [line for _, line in sorted(found)]
    return "\n".join(lines)


def main() -> None:
    folder, page = map(Path, sys.argv[1:])
    before, _, rest = read_text(page).partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        sys.exit(f"{page} has no place for a table; needs the lines {BEGIN} and {END}.")
    write_text(page, f"{before}{BEGIN}\n{table(folder)}\n{END}{after}")
    sys.stdout.write(f"Wrote {page}\n")


if __name__ == "__main__":
    main()
