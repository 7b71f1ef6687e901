"""Options that several verbs read the same way."""

from __future__ import annotations

import typer


def read_pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """Read what was typed as ``--set KEY=VALUE``, any number of times."""
    pairs = {}
    for text in texts or []:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise typer.BadParameter(f"'{text}' is no setting; needs KEY=VALUE.", param_hint=option)
        pairs[key] = value
    return pairs
