"""A PostgreSQL server of the tests' own: on a socket, in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browser import skip_or_fail

_USER = "postgres"


@contextmanager
def running_postgres() -> Iterator[str]:
    """Give the URL of a fresh database; skips where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        skip_or_fail("postgres", "No PostgreSQL on PATH; install it to test the store on it.")
    # A socket's path must be short, and root's server must be another user's.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        _run(programs / "initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        control = programs / "pg_ctl"
        _run(control, "-D", folder / "data", "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql://{_USER}@/postgres?host={folder}"
        finally:
            _run(control, "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


def _run(program: Path, *arguments: object) -> None:
    user = _USER if os.geteuid() == 0 else None
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
