"""What one object's clicks came to, and the journal that keeps it through a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fewclicks.errors import InputError, StorageError


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRecord:
    """One object, clicked to its end.

    Parameters
    ----------
    id, picture
        As in `fewclicks.datasets.base.Sample`.
    ious
        After click 1, 2, …
    clicks
        ``(x, y, is_positive)``, as many as IoUs.
    prepare_seconds
        For the picture; None where an earlier object's preparation was shared.
    click_seconds
        For all clicks together, in the session alone.
    elapsed_seconds
        For everything: preparation, clicks, simulated user, IoU. Reading files is left out.
    start_iou
        Before any click, where there was a mask then; None where there was none.
    exemplar_clicks
        How many of the clicks, the first ones, were on an exemplar.
    part_of
        The target that this one belongs to; None where it stands for itself.
    objects
        How many objects it unites.
    """

    id: str
    picture: str
    ious: tuple[float, ...]
    clicks: tuple[tuple[int, int, bool], ...]
    prepare_seconds: float | None
    click_seconds: float
    elapsed_seconds: float
    start_iou: float | None = None
    exemplar_clicks: int = 0
    part_of: str | None = None
    objects: int = 1


class Journal:
    """A file that grows by one line for each object and survives a kill.

    The first line says what is run, so that a run can only be resumed as itself. A last line that
    was cut short by a kill is dropped.

    Parameters
    ----------
    path
        Made anew if there is none.
    run
        What is run, as JSON can hold it.
    resume
        Go on with a journal that is there.

    Raises
    ------
    StorageError
        If a journal is there and `resume` was not asked for, or it cannot be written.
    InputError
        If the journal is of another run, or is no journal.
    """

    def __init__(self, path: Path, run: Mapping[str, Any], *, resume: bool) -> None:
        self.path = path
        self.records: list[ObjectRecord] = []
        """Of objects that were done before, in the order they were done."""
        if path.exists() and not resume:
            raise StorageError(
                f"{path} holds a run already; --resume goes on with it, another --out starts anew."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = self._read(run) if path.exists() else 0
            # Without a buffer, which would try again where there was no room.
            self._file: FileIO = path.open("r+b" if path.exists() else "wb", buffering=0)
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise self._no_room(error) from error
        try:
            self._file.truncate(kept)
            self._file.seek(kept)
            if kept == 0:
                self._write({"run": run})
        except OSError as error:
            self._file.close()
            if kept == 0:
                path.unlink()  # it says nothing yet
            raise self._no_room(error) from error

    def append(self, record: ObjectRecord) -> None:
        """Write one object's line, down to the disk.

        Raises
        ------
        StorageError
            If there is no room; the lines before stand.
        """
        try:
            self._write(asdict(record))
        except OSError as error:
            raise self._no_room(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        rest = memoryview(json.dumps(line).encode() + b"\n")
        while rest:
            rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())

    def _no_room(self, error: OSError) -> StorageError:
        reason = (error.strerror or str(error)).lower()
        return StorageError(f"Cannot write {self.path}: {reason}; --resume goes on from there.")

    def _read(self, run: Mapping[str, Any]) -> int:
        """Take over the whole lines; say how many bytes they are."""
        kept = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break  # cut short by a kill
            content = _read_json(self.path, line)
            if kept == 0:
                _check_same_run(self.path, content, json.loads(json.dumps(run)))
            else:
                self.records.append(_record(self.path, content))
            kept += len(line)
        return kept


def _read_json(path: Path, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (RecursionError, ValueError):
        raise InputError(f"{path} is no journal of a run; choose another --out.") from None


def _record(path: Path, content: Any) -> ObjectRecord:
    try:
        ious = tuple(content.pop("ious"))
        clicks = tuple((x, y, is_positive) for x, y, is_positive in content.pop("clicks"))
        return ObjectRecord(ious=ious, clicks=clicks, **content)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path} holds a line that is no object's record; choose another --out."
        ) from None


def _check_same_run(path: Path, content: Any, run: dict[str, Any]) -> None:
    before = content.get("run") if isinstance(content, dict) else None
    if not isinstance(before, dict):
        raise InputError(f"{path} is no journal of a run; choose another --out.")
    before, run = _flat(before), _flat(run)
    differing = sorted(key for key in before.keys() | run if before.get(key) != run.get(key))
    if differing:
        first = differing[0]
        raise InputError(
            f"{path} is of another run: it differs in {', '.join(differing)} ({first} was "
            f"{_short(before.get(first))}, now {_short(run.get(first))}). Ask for the same run, "
            "or choose another --out."
        )


def _flat(run: dict[str, Any]) -> dict[str, Any]:
    """Name settings by their paths, config.limit: what differs is one of them."""
    flat: dict[str, Any] = {}
    for key, value in run.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": one for inner, one in _flat(value).items()}
        else:
            flat[key] = value
    return flat


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
