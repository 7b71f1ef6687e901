"""List the licence of everything that an install brings: `make sbom` writes docs/licences.md.

Read from what the installed packages say of themselves; nothing is fetched. What a licence asks of
whoever passes the package on is for them to read; here only strong copyleft is marked.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).resolve().parents[1] / "docs" / "licences.md"
LEFT_OUT = ("dev", "docs")  # nobody needs them to run the package
STRONG = re.compile(r"\b(A?GPL)", re.IGNORECASE)
WEAK = re.compile(r"LGPL|Lesser", re.IGNORECASE)
HEAD = """# Licences of the dependencies

What the core install brings, and what each extra adds, with the licence that each package states of
itself; written by `make sbom`, from the versions of `constraints.txt`. {verdict} The same list for
programs, with the versions, is `build/sbom.json` (CycloneDX).
"""


def main() -> None:
    """Write the page."""
    ours = distribution("fewclicks")
    extras = [
        name for name in ours.metadata.get_all("Provides-Extra") or [] if name not in LEFT_OUT
    ]
    core = needed(ours, "")
    parts = {"Core": core} | {f"`fewclicks[{name}]`": needed(ours, name) - core for name in extras}
    marked = sorted(
        {name for names in parts.values() for name in names if is_strong(licence(name))}
    )
    verdict = (
        f"Under strong copyleft: {', '.join(f'`{name}`' for name in marked)}; whoever passes on a "
        "whole that includes it has to heed that."
        if marked
        else "None is under strong copyleft."
    )
    lines = [HEAD.format(verdict=verdict)]
    for title, names in parts.items():
        lines += [f"## {title}", "", "| package | licence |", "| --- | --- |"]
        for name in sorted(names):
            said = licence(name)
            mark = "**strong copyleft**: " if is_strong(said) else ""
            lines.append(f"| `{name}` | {mark}{said} |")
        lines.append("")
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print(f"{PAGE.name}: {len(set().union(*parts.values()))} packages. {verdict}", file=sys.stderr)


def needed(of: Distribution, extra: str) -> set[str]:
    """Names of what an extra (or none) needs, and of what that needs in turn."""
    found: set[str] = set()
    waiting: list[tuple[Distribution, str]] = [(of, extra), (of, "")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        package, asked = waiting.pop()
        if (package.name, asked) in seen:
            continue
        seen.add((package.name, asked))
        for text in package.requires or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": asked}):
                continue
            try:
                other = distribution(requirement.name)
            except PackageNotFoundError:
                continue  # for another system
            if canonicalize_name(other.name) != "fewclicks":
                found.add(canonicalize_name(other.name))
            waiting += [(other, more) for more in ("", *requirement.extras)]
    return found


def licence(name: str) -> str:
    """In one line: the expression, else the classifiers, else the first line of the field."""
    metadata = distribution(name).metadata
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get_all("Classifier") or []
        if each.startswith("License :: ") and not each.endswith("OSI Approved")
    ]
    field = (metadata.get("License") or "").strip().splitlines()
    return "; ".join(classifiers) or (field[0][:80] if field else "not stated")


def is_strong(said: str) -> bool:
    """GPL or AGPL without a choice of another licence, and without an exception for linking."""
    return bool(STRONG.search(WEAK.sub("", said))) and not re.search(r"\bOR\b|exception", said)


if __name__ == "__main__":
    main()
