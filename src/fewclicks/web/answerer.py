"""Answerer: which method answered, with which settings and which weights, for the record."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fewclicks
from fewclicks.backbones.origins import FolderOrigin
from fewclicks.backbones.weights import locate
from fewclicks.files import sha256_of
from fewclicks.methods.base import AnyMethod


@dataclass(frozen=True, slots=True)
class Answerer:
    """A method as the record names it: two that agree here answer alike.

    Parameters
    ----------
    sha256
        Of the content.
    content
        JSON: ``method``, ``settings``, the same of its ``backbone`` and ``depth``, the sha256 of
        each file of their ``weights``, and the version of ``fewclicks``.
    """

    sha256: str
    content: str


def describe_answerer(name: str, method: AnyMethod) -> Answerer:
    """Describe a method that was built by name; reads its weights once.

    Raises
    ------
    WeightsError
        If they are gone.
    """
    described: dict[str, Any] = {"fewclicks": fewclicks.__version__, "method": name}
    described["settings"] = _settings(method)
    weights = _weights(method)
    for part_name in ("backbone", "depth"):
        part = getattr(method, part_name, None)
        if part is not None:
            described[part_name] = {"name": getattr(part, "name", ""), "settings": _settings(part)}
            weights |= _weights(part)
    described["weights"] = dict(sorted(weights.items()))
    content = json.dumps(described, sort_keys=True, default=str)
    return Answerer(hashlib.sha256(content.encode()).hexdigest(), content)


def _settings(part: object) -> dict[str, Any]:
    config = getattr(part, "config", None)
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        return {}
    return dataclasses.asdict(config)


def _weights(part: object) -> dict[str, str]:
    """Give the sha256 of each file of weights, by the file's name."""
    files: tuple[Path, ...] | None = getattr(part, "weight_files", None)
    named = getattr(getattr(part, "config", None), "weights", "")
    if files is None and named and Path(named).expanduser().is_file():
        files = (Path(named).expanduser(),)
    if files is not None:
        return {file.name: sha256_of(file) for file in files}
    if not named:
        return {}
    # Digests that were recorded when it was fetched need not be measured again.
    return {
        file: known.sha256 for file, known in FolderOrigin(folder=locate(named)).files().items()
    }
