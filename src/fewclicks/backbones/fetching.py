"""Fetching: weights arrive whole and checked under their name, or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from fewclicks.backbones.origins import Origin, open_origin
from fewclicks.backbones.verifying import (
    MANIFEST,
    FileRecord,
    Manifest,
    read_manifest,
    record,
    unreadable,
)
from fewclicks.backbones.weights import Weights, find_weights, weights_folder, weights_table
from fewclicks.errors import StorageError, UnknownEntryError, WeightsError
from fewclicks.files import sha256_of, write_text

PIECE: Final = 16 * 2**20
"""Bytes asked for at a time; as much may have to be fetched again after a stop."""

_BEGUN: Final = "begun.json"
_PICKLES: Final = {".bin", ".ckpt", ".pt", ".pth", ".pkl", ".h5", ".msgpack"}


def fetch(
    weights: Weights,
    *,
    source: str | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> Path:
    """Bring weights to this machine.

    Parameters
    ----------
    weights
        What to fetch.
    source
        Where from, see `origins.open_origin`; by the table and ``FEWCLICKS_MIRROR`` if left out.
    watch
        Is told how many bytes of how many are here.

    Returns
    -------
    Path
        Their folder. What lay there before is replaced.

    Raises
    ------
    WeightsError
        If they cannot be fetched, are pickles, or are not what they should be.
    StorageError
        If the disk is full, or cannot be written.
    InputError
        For a place that is none.

    Notes
    -----
    Files grow in a folder ``NAME.partial`` beside, which takes the final name by one rename when
    all are there and checked. After a stop, of whatever kind, the next fetch goes on with it.
    """
    origin = open_origin(source or weights.source, weights)
    wanted = _choose(weights, origin)
    partial = _partial(weights)
    try:
        with _alone(weights):
            _take_up(partial, origin)
            _bring(origin, wanted, partial, watch or _unwatched)
            _check(weights, origin, wanted, partial)
            Manifest(
                name=weights.name,
                source=origin.address,
                revision=origin.revision,
                files=record(partial, tuple(wanted)),
            ).write(partial)
            _rename(partial, weights.folder)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"Cannot write {partial}: {error.strerror or error}.") from error
    return weights.folder


def clean(chosen: Iterable[Weights] | None = None) -> dict[str, int]:
    """Delete fetched weights, whole and begun ones, from our own cache.

    Parameters
    ----------
    chosen
        All that were fetched if left out.

    Returns
    -------
    dict
        Bytes freed, by the name of the folder.

    Notes
    -----
    The cache of the hub's library is not touched; other programs use it.
    """
    if chosen is None:
        folders = [path for path in sorted(weights_folder().glob("*")) if _is_ours(path)]
    else:
        folders = [path for row in chosen for path in (row.folder, _partial(row))]
    freed = {}
    for folder in folders:
        if folder.is_dir():
            freed[folder.name] = size_of(folder)
            shutil.rmtree(folder)
    return freed


def known() -> list[Weights]:
    """All weights of the table, then those that were fetched by another hub id."""
    rows = dict(weights_table())
    for folder in sorted(weights_folder().glob("*")):
        with suppress(WeightsError, UnknownEntryError):
            manifest = read_manifest(folder)
            if manifest is not None and folder.suffix != ".partial":
                rows.setdefault(manifest.name, find_weights(manifest.name))
    return list(rows.values())


def size_of(folder: Path) -> int:
    """Bytes that the files of a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def begun(weights: Weights) -> int:
    """Bytes of a fetch that was stopped; 0 if there is none."""
    return size_of(_partial(weights)) if _partial(weights).is_dir() else 0


def _partial(weights: Weights) -> Path:
    return weights.folder.with_name(f"{weights.folder.name}.partial")


def _is_ours(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() or (folder / _BEGUN).is_file()


def _choose(weights: Weights, origin: Origin) -> dict[str, FileRecord]:
    """Choose the files to fetch: those of the table, whatever else lies there."""
    there = origin.files()
    missing = [file for file in weights.files if file not in there]
    if any(file.endswith(".safetensors") for file in missing):
        pickles = [file for file in there if PurePosixPath(file).suffix in _PICKLES]
        if pickles:
            raise WeightsError(
                f"{origin.address} holds {weights.summary} as pickles only ({pickles[0]}), which "
                "are not loaded; name a place that has safetensors with --from."
            )
    if missing:
        raise WeightsError(
            f"{origin.address} lacks {', '.join(missing)} of {weights.summary}; name another "
            "place with --from."
        )
    return {file: there[file] for file in (*weights.files, *weights.extras) if file in there}


@contextmanager
def _alone(weights: Weights) -> Iterator[None]:
    """Keep a second fetch of the same weights off; the lock ends with the process that has it."""
    weights_folder().mkdir(parents=True, exist_ok=True)
    try:
        from filelock import FileLock, Timeout
    except ImportError:  # comes with the hub's library; a copy from a folder can do without
        yield
        return
    lock = FileLock(weights.folder.with_name(f".{weights.folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WeightsError(f"{weights.summary} is being fetched by another process.") from None
    with lock:
        yield


def _take_up(partial: Path, origin: Origin) -> None:
    """Go on with what was begun, unless that came from elsewhere."""
    begun_with = json.dumps({"source": origin.address, "revision": origin.revision})
    note = partial / _BEGUN
    if partial.is_dir() and not (note.is_file() and note.read_text("utf-8") == begun_with):
        shutil.rmtree(partial)
    if not partial.is_dir():
        partial.mkdir()
        write_text(note, begun_with)


def _bring(
    origin: Origin,
    wanted: Mapping[str, FileRecord],
    partial: Path,
    watch: Callable[[int, int], None],
) -> None:
    total = sum(stated.size for stated in wanted.values())
    here = sum((partial / file).stat().st_size for file in wanted if (partial / file).is_file())
    free = shutil.disk_usage(partial).free
    if total - here > free:
        raise WeightsError(
            f"{partial.parent} has {free / 1e9:.1f} GB free; needs {(total - here) / 1e9:.1f} GB "
            "more. FEWCLICKS_CACHE names another place."
        )
    done = 0
    for file, stated in wanted.items():
        path = partial / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as grown:
            if grown.tell() > stated.size:
                grown.truncate(0)
            watch(done + grown.tell(), total)
            while grown.tell() < stated.size:
                start = grown.tell()
                grown.write(origin.read(file, start, min(start + PIECE, stated.size)))
                grown.flush()
                watch(done + grown.tell(), total)
        done += stated.size


def _unwatched(done: int, total: int) -> None:
    del done, total


def _check(
    weights: Weights, origin: Origin, wanted: Mapping[str, FileRecord], partial: Path
) -> None:
    """Refuse what is not as stated, and forget it, so that the next fetch gets it anew."""
    for file, stated in wanted.items():
        path = partial / file
        known = {stated.sha256, weights.sha256.get(file, "")} - {""}
        wrong = unreadable(path)
        if known and known != {sha256_of(path)}:
            wrong = f"{file} has another sha256 than was stated"
        if wrong:
            path.unlink()
            raise WeightsError(
                f"{origin.address} gave {weights.summary} damaged or altered: {wrong}; fetch "
                "again, or name another place with --from."
            )


def _rename(partial: Path, folder: Path) -> None:
    old = folder.with_name(f"{folder.name}.old.partial")
    with suppress(FileNotFoundError):
        shutil.rmtree(old)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    (folder / _BEGUN).unlink(missing_ok=True)
    shutil.rmtree(old, ignore_errors=True)
