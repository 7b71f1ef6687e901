"""Names build backbones and sources of depth. Reading the tables imports neither."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fewclicks.backbones.base import Backbone, DepthSource
from fewclicks.errors import UnknownEntryError
from fewclicks.settings import read_settings

EMBEDDED_BACKBONE: Final = "colour"
"""What the default method looks through; part of the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneEntry:
    """One backbone or source of depth, as the table knows it.

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
    settings
        Fields of its configuration in which it differs from others of its class.
    """

    name: str
    target: str
    kind: tuple[str, ...]
    licence: str
    size: int
    source: str
    found: str | None
    settings: Mapping[str, Any] = field(default_factory=dict)


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

DEPTHS: Final[tuple[BackboneEntry, ...]] = ()

_BACKBONE_BY_NAME: Final = {entry.name: entry for entry in BACKBONES}
_DEPTH_BY_NAME: Final = {entry.name: entry for entry in DEPTHS}
_ANY_VIT: Final = "fewclicks.backbones.vit:VitBackbone"


def find_backbone(name: str) -> BackboneEntry:
    """Look a name up.

    Raises
    ------
    UnknownEntryError
        With the nearest known name.
    """
    try:
        return _BACKBONE_BY_NAME[name]
    except KeyError:
        raise UnknownEntryError("backbone", name, _BACKBONE_BY_NAME) from None


def create_backbone(name: str = EMBEDDED_BACKBONE, **settings: Any) -> Backbone:
    """Build a backbone by name.

    Parameters
    ----------
    name
        As listed by ``fewclicks backbones``; or any Hugging Face ViT, as a folder or as
        ``owner/name``.
    **settings
        Fields of the backbone's own configuration, as values or as typed.

    Raises
    ------
    UnknownEntryError
        With the nearest known name, for a backbone or a setting.
    """
    if name not in _BACKBONE_BY_NAME and ("/" in name or Path(name).is_dir()):
        backbone: Backbone = _build(_ANY_VIT, name, {"weights": name, **settings})
        return backbone
    entry = find_backbone(name)
    registered: Backbone = _build(entry.target, name, {**entry.settings, **settings})
    return registered


def create_depth(name: str, **settings: Any) -> DepthSource:
    """Build a source of depth by name; see `create_backbone`.

    Raises
    ------
    UnknownEntryError
        With the nearest known name, for a source or a setting.
    """
    if name not in _DEPTH_BY_NAME:
        raise UnknownEntryError("depth source", name, _DEPTH_BY_NAME)
    entry = _DEPTH_BY_NAME[name]
    source: DepthSource = _build(entry.target, name, {**entry.settings, **settings})
    return source


def _build(target: str, name: str, settings: Mapping[str, Any]) -> Any:
    module, _, class_name = target.partition(":")
    built_class = getattr(importlib.import_module(module), class_name)
    config_type = built_class.config_type
    return built_class(config_type(**read_settings(config_type, settings, owner=f"'{name}'")))
