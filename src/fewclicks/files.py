"""Files that are whole or not there: written beside, then renamed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import InputError, StorageError

_BESIDE: Final = re.compile(r"\..{1,40}\.[0-9a-f]{12}(\.\w+)?")


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a new path in the same folder; rename it to ``path`` if the block ends well.

    Nothing is left where the block fails, and a file that stood there before stays as it was.

    Raises
    ------
    StorageError
        If the folder cannot be made or written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A short part of the name, so that this one is never longer than a name can be.
        beside = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(6)}{path.suffix}")
        beside.touch(exist_ok=False)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise StorageError(f"Cannot write {_shown(path)}: {_reason(error)}.") from error
    try:
        yield beside
        beside.replace(path)
    except Exception as error:
        from safetensors import SafetensorError  # its own error for a disk that is full

        if isinstance(error, StorageError) or not isinstance(error, (OSError, SafetensorError)):
            raise
        raise StorageError(f"Cannot write {path}: {_reason(error)}.") from error
    finally:
        beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left half written, where nobody else writes now.

    Parameters
    ----------
    folder
        Of a run that is taken up again; folders within it are left alone.
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if _BESIDE.fullmatch(path.name):
                path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    with written_beside(path) as beside:
        beside.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file whole, or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    write_bytes(path, content.encode("utf-8"))


def read_text(path: Path) -> str:
    """Read a UTF-8 file; the mark that some tools put before it is left out.

    Raises
    ------
    StorageError
        If it is not there, or cannot be read.
    InputError
        If it is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8.") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"Cannot read {_shown(path)}: {_reason(error)}.") from error


def sha256_of(path: Path) -> str:
    """Digest of a file's content, in hexadecimal digits.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {_reason(error)}.") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file, and say where it is broken.

    Raises
    ------
    StorageError
        If it is not there, or cannot be read.
    InputError
        If it is no TOML.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no TOML: {error}.") from None


def check_writable(path: Path) -> None:
    """Refuse a place for a file that could not be written, before the work and not after it.

    Raises
    ------
    StorageError
        If it is a folder, or its folder can neither be written nor made.
    """
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()  # complains of names that no file can have
        if path.is_dir():
            raise StorageError(f"Cannot write {path}: it is a folder; needs a file name.")
        folder = path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir():
            raise StorageError(f"Cannot write {path}: {folder} is a file, not a folder.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StorageError(f"Cannot write {path}: permission denied in {folder}.")
    except (OSError, ValueError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"Cannot write {_shown(path)}: {error}.") from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _shown(path: Path) -> str:
    """Give the path as typed, or quoted where it holds signs that cannot be seen."""
    return str(path) if str(path).isprintable() else repr(str(path))
