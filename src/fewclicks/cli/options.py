"""Options that several verbs read the same way."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

MethodName: TypeAlias = Annotated[str, typer.Option(help="As listed by `fewclicks methods`.")]
BackboneName: TypeAlias = Annotated[
    str | None, typer.Option(help="As listed by `fewclicks backbones`.")
]
DepthChoice: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE|FOLDER",
        help="A source as listed by `fewclicks backbones`, a file of measured depth (PNG, TIFF, "
        ".npy), or a folder with a file for each picture's stem.",
    ),
]
DepthKindChoice: TypeAlias = Annotated[
    Literal["inverse", "depth", "relative"],
    typer.Option(
        "--depth-kind",
        help="What a file's numbers are: disparity, larger is nearer (inverse); distance "
        "(depth); or what a network writes, where 0 is a number too (relative).",
    ),
]
DeviceName: TypeAlias = Annotated[
    str | None,
    typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where networks run."),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting of the method, or of its parts: backbone.KEY, depth.KEY. Repeatable.",
    ),
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
