"""Folders of pictures: what counts as one, in an order that never changes."""

from __future__ import annotations

import os
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
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        within = "" if place == str(folder) else Path(place).relative_to(folder).as_posix() + "/"
        found += [
            within + name
            for name in files
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise InputError(f"{folder} has no picture; needs {', '.join(IMAGE_SUFFIXES)} files.")
    return sorted(found)
