"""Verifying: whether weights on disk are those that were fetched, and those that were published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open

from fewclicks.backbones.weights import Weights
from fewclicks.errors import WeightsError
from fewclicks.files import sha256_of, write_text

MANIFEST: Final = "manifest.json"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRecord:
    """One file as it was when it was fetched.

    Parameters
    ----------
    size
        In bytes.
    sha256
        Of its content, in hexadecimal digits.
    """

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What was fetched, written beside it.

    Parameters
    ----------
    name
        Of the weights.
    source
        Where they came from.
    revision
        Commit on the hub; empty if they came from a folder.
    files
        By their path within the folder.
    """

    name: str
    source: str
    revision: str
    files: Mapping[str, FileRecord]

    def write(self, folder: Path) -> None:
        """Write it into the folder that it describes."""
        write_text(folder / MANIFEST, json.dumps(asdict(self), indent=2) + "\n")


def record(folder: Path, files: tuple[str, ...]) -> dict[str, FileRecord]:
    """Measure files as they are now."""
    return {
        file: FileRecord(size=(folder / file).stat().st_size, sha256=sha256_of(folder / file))
        for file in files
    }


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if it has none.

    Raises
    ------
    WeightsError
        If it has one that cannot be read.
    """
    file = folder / MANIFEST
    if not file.is_file():
        return None
    try:
        values = json.loads(file.read_text("utf-8"))
        files = {path: FileRecord(**entry) for path, entry in values.pop("files").items()}
        return Manifest(files=files, **values)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        raise WeightsError(f"{file} is no manifest that can be read; fetch anew.") from error


def is_recorded(folder: Path) -> bool:
    """Whether a folder holds what its manifest says, by size; reads no weights.

    Notes
    -----
    What is fetched was checked when it was recorded; `problems` looks at every byte again.
    """
    try:
        manifest = read_manifest(folder)
        return manifest is not None and all(
            (folder / file).stat().st_size == entry.size for file, entry in manifest.files.items()
        )
    except OSError:
        return False


def problems(weights: Weights, folder: Path) -> list[str]:
    """Compare every byte with what was published, what was recorded and what can be read.

    Returns
    -------
    list
        One sentence for each file with something wrong; empty if nothing is.

    Notes
    -----
    A file's digest is compared with that of the table, that of the manifest, and that which the
    cache of the hub's library keeps as the file's own name. Where none of them is known, a file
    still has to be whole: as long as its header says.
    """
    try:
        manifest = read_manifest(folder)
    except WeightsError as error:
        return [str(error)]
    recorded = manifest.files if manifest else {}
    found = []
    for file in dict.fromkeys((*weights.files, *recorded, *weights.extras)):
        path = folder / file
        if path.is_file():
            expected = list(_expected_digests(weights, file, recorded, path))
            problem = unreadable(path) or _altered(path, file, expected)
        else:
            problem = f"{file} is missing" if file not in weights.extras or file in recorded else ""
        if problem:
            found.append(problem)
    return found


def unreadable(path: Path) -> str:
    """Say why a file cannot be what its ending says, without reading its tensors; else empty."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy"):
                pass
        elif path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        kind = "whole safetensors file" if path.suffix == ".safetensors" else "JSON"
        return f"{path.name} is no {kind} ({' '.join(str(error).split())[:120]})"
    return ""


def _expected_digests(
    weights: Weights, file: str, recorded: Mapping[str, FileRecord], path: Path
) -> Iterator[tuple[str, str]]:
    if file in weights.sha256:
        yield weights.sha256[file], "what its publisher states"
    if file in recorded:
        yield recorded[file].sha256, "what was fetched"
    blob = path.resolve().name
    if path.is_symlink() and _SHA256.fullmatch(blob):
        yield blob, "what was fetched"


def _altered(path: Path, file: str, expected: list[tuple[str, str]]) -> str:
    digest = sha256_of(path) if expected else ""
    for known, whose in expected:
        if digest != known:
            return f"{file} is not {whose} (sha256 {digest[:12]}…, needs {known[:12]}…)"
    return ""
