"""Options that several verbs read the same way."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

MethodName: TypeAlias = Annotated[str, typer.Option(help="As listed by `fewclicks methods`.")]
BackboneName: TypeAlias = Annotated[
    str | None, typer.Option(help="As listed by `fewclicks backbones`.")
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the method; repeatable."),
]


def read_pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """Read what was typed as ``--set KEY=VALUE``, any number of times."""
    pairs = {}
    for text in texts or []:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise typer.BadParameter(f"'{text}' is no setting; needs KEY=VALUE.", param_hint=option)
        pairs[key] = value
    return pairs
