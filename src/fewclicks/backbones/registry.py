"""Names build backbones. Reading the table imports no backbone."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final

from fewclicks.backbones.base import Backbone
from fewclicks.errors import UnknownEntryError

EMBEDDED_BACKBONE: Final = "colour"
"""What the default method looks through; part of the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneEntry:
    """One backbone, as the table knows it.

    Parameters
    ----------
    name
        What a user types.
    target
        ``"module:Class"``, imported when the backbone is created.
    kind
        What it gives: ``"attention"``, ``"features"``, ``"depth"``.
    licence
        Of its weights, as an SPDX name.
    size
        Of its weights, in bytes.
    source
        Where it comes from.
    found
        Where it lies on this machine: ``"in the package"`` or a path; None if it must be fetched.
    """

    name: str
    target: str
    kind: tuple[str, ...]
    licence: str
    size: int
    source: str
    found: str | None


BACKBONES: Final = (
    BackboneEntry(
        name="colour",
        target="fewclicks.backbones.colour:ColourBackbone",
        kind=("attention", "features"),
        licence="Apache-2.0",
        size=0,
        source="this package; no weights",
        found="in the package",
    ),
)

_BY_NAME: Final = {entry.name: entry for entry in BACKBONES}


def find_backbone(name: str) -> BackboneEntry:
    """Look a name up.

    Raises
    ------
    UnknownEntryError
        With the nearest known name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownEntryError("backbone", name, _BY_NAME) from None


def create_backbone(name: str = EMBEDDED_BACKBONE) -> Backbone:
    """Build a backbone by name.

    Raises
    ------
    UnknownEntryError
        With the nearest known name.
    """
    module, _, class_name = find_backbone(name).target.partition(":")
    backbone: Backbone = getattr(importlib.import_module(module), class_name)()
    return backbone
