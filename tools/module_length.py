"""Refuse modules over 500 lines, and over 450 without a reason in their first lines."""

from __future__ import annotations

import sys
from pathlib import Path

LIMIT = 500
NEEDS_A_REASON = 450
REASON = "Why so long:"


def complaints(root: Path) -> list[str]:
    found = []
    for path in sorted(root.rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LIMIT:
            found.append(f"{path}: {len(lines)} lines; at most {LIMIT}. Split it by subject.")
        elif len(lines) > NEEDS_A_REASON and not any(REASON in line for line in lines[:20]):
            found.append(f"{path}: {len(lines)} lines; say '{REASON} …' in its docstring.")
    return found


if __name__ == "__main__":
    problems = complaints(Path("src"))
    print("\n".join(problems) or "Module lengths are fine.")
    sys.exit(bool(problems))
