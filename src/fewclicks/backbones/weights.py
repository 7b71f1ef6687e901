"""Weights: one table of what there is, and where on this machine they lie.

Finding them imports no network library, so that a missing file is told at once.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, Final

from fewclicks.errors import InputError, MissingExtraError, UnknownEntryError, WeightsError

MIRROR_VARIABLE: Final = "FEWCLICKS_MIRROR"
_HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """One row of the table.

    Parameters
    ----------
    name
        What a user types.
    hub_id
        ``owner/name`` on the hub, where they were published.
    kind
        ``"backbone"``, ``"depth"``, ``"method"``, or ``"crops"`` for part of a method.
    licence
        As an SPDX name; empty if unknown.
    size
        Of the tensors, in bytes; 0 if unknown.
    revision
        Branch, tag or commit on the hub.
    mirrors
        Hub ids that hold the same files; the first is fetched from instead of ``hub_id``.
    files
        Each must be there, by its path within the folder.
    extras
        Fetched where they exist.
    sha256
        Of files, where the publisher states it.
    """

    name: str
    hub_id: str
    kind: str = "backbone"
    licence: str = ""
    size: int = 0
    revision: str = "main"
    mirrors: tuple[str, ...] = ()
    files: tuple[str, ...] = ("config.json", "model.safetensors")
    extras: tuple[str, ...] = ("preprocessor_config.json",)
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for hub_id in (self.hub_id, *self.mirrors):
            if not _HUB_ID.fullmatch(hub_id):
                raise InputError(f"'{hub_id}' is no hub id of '{self.name}'; needs owner/name.")
        for path in (*self.files, *self.extras):
            parts = PurePosixPath(path)
            if parts.is_absolute() or ".." in parts.parts:
                raise InputError(f"'{path}' of '{self.name}' is no path within its folder.")

    @property
    def folder(self) -> Path:
        """Where they lie once fetched."""
        return weights_folder() / self.name.replace("/", "--")

    @property
    def source(self) -> str:
        """Where they are fetched from: the setting ``FEWCLICKS_MIRROR``, a mirror, or home."""
        return _chosen_mirrors().get(self.name) or (*self.mirrors, self.hub_id)[0]

    @property
    def summary(self) -> str:
        """``'dinov2-small' (88 MB, Apache-2.0)``."""
        known = [f"{self.size / 1e6:.0f} MB"] if self.size else []
        known += [self.licence] if self.licence else []
        return f"'{self.name}'" + (f" ({', '.join(known)})" if known else "")

    def is_whole(self, folder: Path) -> bool:
        """Whether each file is in a folder; says nothing of what the files hold."""
        return all((folder / file).is_file() for file in self.files)


@cache
def weights_table() -> Mapping[str, Weights]:
    """All weights that the package knows, by name."""
    text = package_files("fewclicks.backbones").joinpath("weights.toml").read_text("utf-8")
    return {name: _read_row(name, row) for name, row in tomllib.loads(text).items()}


def _read_row(name: str, row: Mapping[str, Any]) -> Weights:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Weights(name=name, **values)


def weights_folder() -> Path:
    """Where fetched weights are kept: under ``$FEWCLICKS_CACHE``, else the platform's cache."""
    chosen = os.environ.get("FEWCLICKS_CACHE")
    if chosen:
        return Path(chosen).expanduser() / "weights"
    from platformdirs import user_cache_path

    return user_cache_path("fewclicks", appauthor=False) / "weights"


def find_weights(name: str) -> Weights:
    """Look up a name of the table, or a hub id, in the table or not.

    Raises
    ------
    UnknownEntryError
        With the nearest known name.
    """
    table = weights_table()
    if name in table:
        return table[name]
    for weights in table.values():
        if name in (weights.hub_id, *weights.mirrors):
            return weights
    if _HUB_ID.fullmatch(name):
        return Weights(name=name, hub_id=name)
    raise UnknownEntryError("set of weights", name, table)


def find_on_disk(weights: Weights) -> Path | None:
    """Find the folder of weights: in our own cache, else in that of the hub's library."""
    if weights.is_whole(weights.folder):
        return weights.folder
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    first = weights.files[0]
    for hub_id in (weights.hub_id, *weights.mirrors):
        for revision in dict.fromkeys((weights.revision, "main")):
            file = try_to_load_from_cache(hub_id, first, revision=revision)
            if isinstance(file, str):
                folder = Path(file).parents[first.count("/")]
                if weights.is_whole(folder):
                    return folder
    return None


def published_configuration(name: str) -> dict[str, Any]:
    """Read how a network was built, so that it can be built at its size without its weights.

    Parameters
    ----------
    name
        Of the table.

    Returns
    -------
    dict
        What ``config.json`` holds, as transformers reads it; or, for networks of several parts,
        that of each part by its name (``"unet"``, ``"vae"``, ``"text_encoder"``).

    Raises
    ------
    UnknownEntryError
        With the nearest known name.

    Examples
    --------
    >>> published_configuration("dinov2-small")["hidden_size"]
    384
    >>> sorted(published_configuration("stable-diffusion-2"))
    ['text_encoder', 'unet', 'vae']
    """
    if name not in weights_table():
        raise UnknownEntryError("set of weights", name, weights_table())
    folder = package_files("fewclicks.backbones").joinpath("configurations", name)
    whole = folder.joinpath("config.json")
    if whole.is_file():
        return _read_json(whole)
    return {part.name: _read_json(part.joinpath("config.json")) for part in folder.iterdir()}


def _read_json(file: Traversable) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return values


def locate(name: str) -> Path:
    """Find the folder that holds weights, without a network and without loading any.

    Parameters
    ----------
    name
        A name of the table, a hub id ``owner/name``, or a folder. A name of the table wins over
        a folder that is called alike; write ``./name`` for the folder.

    Returns
    -------
    Path
        A folder as given, else a folder with every file that the table names.

    Raises
    ------
    WeightsError
        If they are not on this machine; the message is what to type.
    UnknownEntryError
        With the nearest known name.
    MissingExtraError
        If they are not in our own cache, and the library that fetches them is not installed.
    """
    if name not in weights_table():
        folder = Path(name).expanduser()
        if folder.is_dir():
            return _checked(folder)
        if folder.exists():
            raise WeightsError(f"{name} is a file; weights are a folder, needs {folder.parent}.")
        if not _HUB_ID.fullmatch(name) and (len(folder.parts) > 1 or name.startswith(("~", "."))):
            raise WeightsError(f"There is no folder {name}; needs a folder of weights.")
    weights = find_weights(name)
    found = find_on_disk(weights)
    if found is None and find_spec("huggingface_hub") is None:
        raise MissingExtraError(f"Weights {weights.summary}", "torch")
    if found is None:
        raise WeightsError(
            f"Weights {weights.summary} are not on this machine; fetch them with: "
            f"fewclicks weights fetch {weights.name}"
        )
    return found


def _checked(folder: Path) -> Path:
    """Refuse a folder whose weights would have to be unpickled, or that has none."""
    if any(next(folder.glob(depth), None) for depth in ("*.safetensors", "*/*.safetensors")):
        return folder
    pickle = next(
        (file for form in ("*.bin", "*.pt", "*.pth", "*.ckpt") for file in folder.glob(form)), None
    )
    if pickle is not None:
        raise WeightsError(
            f"{pickle} is a pickle, which can run code as it is read; load it where you trust it, "
            "save it again with save_pretrained, and name that folder."
        )
    raise WeightsError(
        f"{folder} holds no .safetensors file; other forms of weights are not loaded."
    )


def _chosen_mirrors() -> dict[str, str]:
    """Read ``NAME=PLACE`` pairs, separated by blanks, from the environment."""
    pairs = {}
    for text in os.environ.get(MIRROR_VARIABLE, "").split():
        name, sign, place = text.partition("=")
        if not (sign and name and place):
            raise InputError(f"{MIRROR_VARIABLE} has '{text}'; needs NAME=PLACE.")
        pairs[name] = place
    return pairs
