"""Write the README's tables from what `fewclicks evaluate configs/tables/main.toml` measured.

    .venv/bin/python tools/measured_table.py runs/tables README.md

There is a table for each rule of clicking that was measured, from `runs/tables/ritm` and
`runs/tables/m2n2`. The halves of GrabCut and the 83 files of Berkeley that show no picture of it
are read from the same results, times from `configs/tables/speed.toml`, measured into
`runs/tables/speed` by the rule `ritm` alone. A table stands between two comments, which stay;
what is not measured yet is an empty cell in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fewclicks.evaluation.result import ObjectResult, Result, read_result
from fewclicks.evaluation.scores import number_of_clicks
from fewclicks.files import read_text, write_text

BEGIN, END = "<!-- measured by rule {}: begin -->", "<!-- measured by rule {}: end -->"
RULES = ("ritm", "m2n2")
TIMED = "ritm"
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
)
TIMES = ("ms a click", "s a picture")


def clicks(objects: Sequence[ObjectResult]) -> str:
    """Write NoC@85 / NoC@90; nothing for no object."""
    if not objects:
        return ""
    means = (
        sum(number_of_clicks(each.ious, target) for each in objects) / len(objects)
        for target in (85, 90)
    )
    return " / ".join(f"{mean:.2f}" for mean in means)


def halves(objects: Sequence[ObjectResult]) -> tuple[list[ObjectResult], list[ObjectResult]]:
    """Split by the index of the sorted names."""
    in_order = sorted(objects, key=lambda each: each.id)
    return in_order[::2], in_order[1::2]


def row(name: str, results: Mapping[str, Result], others: set[str]) -> list[str]:
    """Write one line of the table, but its times; what is not measured stays empty."""
    grabcut, berkeley, davis = (
        list(results[each].per_object) if each in results else [] for each in DATASETS
    )
    parts = (
        grabcut,
        *halves(grabcut),
        berkeley,
        [each for each in berkeley if each.id in others],
        davis,
    )
    return [name, *map(clicks, parts)]


def times(path: Path) -> list[str]:
    """Write the last two cells."""
    if not path.is_file():
        return ["", ""]
    seconds = read_result(path).seconds
    return [f"{1000 * seconds.per_click:.0f}", f"{seconds.prepare:.2f}"]


def table(folder: Path, rule: str) -> str:
    """Write the table of a rule, a method a line, fewest clicks on GrabCut first."""
    others = set(read_text(WITHOUT_GRABCUT).split())
    found = []
    for path in (folder / rule).glob("*_grabcut"):
        name = path.name.removesuffix("_grabcut")
        paths = {each: folder / rule / f"{name}_{each}" / "result.json" for each in DATASETS}
        results = {each: read_result(path) for each, path in paths.items() if path.is_file()}
        if "grabcut" not in results:
            continue
        cells = row(name.replace("_", " "), results, others)
        if rule == TIMED:
            cells += times(folder / "speed" / name / "result.json")
        found.append((results["grabcut"].noc["85"], as_line(cells)))
    head = [*HEAD, *(TIMES if rule == TIMED else ())]
    lines = [as_line(head), as_line("---" for _ in head)]
    return "\n".join(lines + [line for _, line in sorted(found)])


def as_line(cells: Iterable[str]) -> str:
    """Write cells as Markdown has them."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    folder, page = map(Path, sys.argv[1:])
    text = read_text(page)
    measured = [rule for rule in RULES if (folder / rule).is_dir()]
    for rule in measured:
        begin, end = BEGIN.format(rule), END.format(rule)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        if not after:
            sys.exit(f"{page} has no place for a table; needs the lines {begin} and {end}.")
        text = f"{before}{begin}\n{table(folder, rule)}\n{end}{after}"
    write_text(page, text)
    sys.stdout.write(f"Wrote {page}: rule {' and rule '.join(measured) or 'none'}\n")


if __name__ == "__main__":
    main()
