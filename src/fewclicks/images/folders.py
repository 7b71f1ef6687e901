"""Folders of pictures: what counts as one, in an order that never changes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fewclicks.errors import InputError, StorageError

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def list_pictures(folder: Path) -> list[str]:
    """Name the pictures of a folder and of the folders in it.

    Parameters
    ----------
    folder
        What is hidden, files and folders, is left out; the extension decides what is a picture.

    Returns
    -------
    list of str
        Sorted; relative to the folder, with ``/`` between the parts.

    Raises
    ------
    StorageError
        If there is no such folder.
    InputError
        If it has no picture.
    """
    if not folder.is_dir():
        raise StorageError(f"There is no folder {folder}.")
    inside = (path.relative_to(folder) for path in folder.rglob("*"))
    found = sorted(
        path.as_posix()
        for path in inside
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.parts)
    )
    if not found:
        raise InputError(f"{folder} has no picture; needs {', '.join(IMAGE_SUFFIXES)} files.")
    return found
