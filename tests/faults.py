"""A disk without room, and what a program says and leaves when it meets one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fewclicks.cli.app import main


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file grow over a size: what a full disk answers, the kernel answers then."""
    import resource  # not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a verb in this process; give its exit code and what it said on stderr."""
    sys.argv = ["fewclicks", *arguments]
    with pytest.raises(SystemExit) as end:
        main()
    err = capsys.readouterr().err
    return int(end.value.code or 0), err


def complaint(err: str) -> str:
    """The one line that begins with Error; progress may stand above it."""
    [line] = [line for line in err.splitlines() if "Error" in line or "Traceback" in line]
    assert line.startswith("Error: ")
    assert "--debug" not in line  # that is what we say of what we did not foresee
    return line
