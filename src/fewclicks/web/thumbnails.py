"""Thumbnails and views: small JPEGs of pictures, kept on disk up to a limit."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from PIL import Image

from fewclicks.errors import StorageError
from fewclicks.files import write_bytes
from fewclicks.images.reading import read_image
from fewclicks.images.resizing import shrink_to_longest_side

KEPT_BYTES: Final = 2 * 2**30
_QUALITY: Final = 90
_LOOKED_AT_EVERY: Final = 64


class Thumbnails:
    """JPEGs of pictures by file and size.

    Parameters
    ----------
    folder
        For the files; may vanish at any time.
    kept_bytes
        What they may weigh together; those looked at longest ago go first.

    Notes
    -----
    A file is named by the picture's path, size on disk and time of change, so that an edited
    picture is never shown as it was. Where the disk is full, nothing is kept and all works.
    """

    def __init__(self, folder: Path, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        self._written = 0

    def get(self, path: Path, longest: int) -> bytes:
        """Give a picture as JPEG, at most so many pixels long.

        Raises
        ------
        StorageError, ImageError
            As `read_image`.
        """
        kept = self._folder / f"{_key(path, longest)}.jpg"
        with suppress(OSError):
            content = kept.read_bytes()
            with suppress(OSError):  # a folder may be there to be read only
                kept.touch()
            return content
        content = _draw(path, longest)
        with suppress(StorageError):
            write_bytes(kept, content)
            self._count()
        return content

    def _count(self) -> None:
        with self._lock:
            self._written += 1
            if self._written % _LOOKED_AT_EVERY == 1:
                self._make_room()

    def _make_room(self) -> None:
        found = sorted(self._files(), key=lambda one: one[1], reverse=True)
        total = 0
        for path, _, size in found:
            total += size
            if total > self._kept_bytes:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        for path in self._folder.glob("*.jpg"):
            with suppress(OSError):
                stat = path.stat()
                yield path, stat.st_mtime, stat.st_size


def _key(path: Path, longest: int) -> str:
    try:
        stat = path.stat()
    except OSError:
        raise StorageError(f"There is no file {path}.") from None
    described = f"{path}\n{stat.st_size}\n{stat.st_mtime_ns}\n{longest}"
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def _draw(path: Path, longest: int) -> bytes:
    image = shrink_to_longest_side(read_image(path), longest)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
