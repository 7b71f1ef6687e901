"""The error tree: what can go wrong, and how a message must help.

FewclicksError
├── InputError (ValueError)           a value that cannot be used
│   ├── ShapeError                    arrays whose shapes do not fit each other
│   ├── ImageError                    a picture or mask file that cannot be read
│   └── UnknownEntryError             a name that no registry knows
├── MissingExtraError (ImportError)   an optional part that is not installed
└── StorageError (OSError)            a file or folder that cannot be read or written
    └── WeightsError                  weights that are not on this machine, or not whole

Every message says in one line what came, what was needed and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

_SHOWN: Final = 80  # signs of a name that nobody knows


class FewclicksError(Exception):
    """Whatever this package raises on purpose."""


class InputError(FewclicksError, ValueError):
    """A value that was given cannot be used."""


class ShapeError(InputError):
    """Arrays do not fit each other; the message gives both shapes."""

    @classmethod
    def differs(
        cls, name: str, shape: tuple[int, ...], *, needed: tuple[int, ...], of: str
    ) -> ShapeError:
        """Say that the array ``name`` needs the shape of the array ``of``."""
        return cls(f"{name} has shape {shape}; needs the shape of {of}, {needed}.")


class ImageError(InputError):
    """A file is no picture that can be read whole."""


class UnknownEntryError(InputError):
    """No registry entry has this name; near misses are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = list(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        shown = name if name.isprintable() and len(name) <= _SHOWN else f"{ascii(name)[1:_SHOWN]}…"
        super().__init__(f"No {kind} is called '{shown}'.{hint} Known: {', '.join(names)}.")
        self._made_of = (kind, name, names)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), self._made_of  # a worker process sends it home


class MissingExtraError(FewclicksError, ImportError):
    """An optional part is not installed; the message is the command to type."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'fewclicks[{extra}]'")
        self._made_of = (what, extra)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), self._made_of


class StorageError(FewclicksError, OSError):
    """A file or folder cannot be read or written."""


class WeightsError(StorageError):
    """Weights are not on this machine, or not as they were published."""
