"""Trial: a process of its own reads damaged files one after the other, and is watched.

Run as ``python -m fuzzing.trial GROUP FOLDER SEEDS FIRST``: a line of JSON before each reading and
one after it. More than 5 seconds of processor time or a minute of waiting ends the process with a
list of what it was doing; memory is limited to 1 GB more than before the reading.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fuzzing.damage import damaged, strangers

SECONDS: Final = 5
GIGABYTE: Final = 1 << 30
_WAITING: Final = 60
_LONGEST_LINE: Final = 1500
_TESTS: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Something that reads files.

    Parameters
    ----------
    name
        Of what it reads.
    build
        Writes a whole layout into a folder; gives the files to damage.
    read
        Reads the layout, of which a file may be damaged.
    evil
        More contents for the first file.
    by_folder
        Whether it reads several files that must fit, so that messages may name another of them.
    """

    name: str
    build: Callable[[Path], Sequence[Path]]
    read: Callable[[Path, Path], object]
    evil: Mapping[str, bytes] = field(default_factory=dict)
    by_folder: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one damaged file."""

    case: str
    file: str
    answer: str  # "read", "refused", or what went wrong
    said: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0


def run_trials(group: str, folder: Path, seeds: int) -> list[Outcome]:
    """Read all damaged files of a group; a process that dies costs the one it was reading."""
    outcomes: list[Outcome] = []
    while True:
        rest = folder / f"from {len(outcomes)}"
        done = subprocess.run(
            [sys.executable, "-m", "fuzzing.trial", group, rest, str(seeds), str(len(outcomes))],
            cwd=_TESTS, capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        outcomes += [Outcome(**line) for line in lines if "answer" in line]
        shutil.rmtree(rest, ignore_errors=True)
        if done.returncode == 0:
            return outcomes
        begun = [line for line in lines if "answer" not in line]
        if not begun:
            raise RuntimeError(done.stderr[-2000:])
        died = f"died with {done.returncode}"
        outcomes.append(Outcome(**begun[-1], answer=died, said=done.stderr[-1500:]))


def cases(
    readers: Sequence[Reader], folder: Path, seeds: int
) -> Iterator[tuple[Reader, Path, str, bytes | None]]:
    """Every reader's every file in every state; None for a folder in its place, or nothing."""
    for number, reader in enumerate(readers):
        home = folder / str(number)
        home.mkdir(parents=True)
        files = list(reader.build(home))
        for position, file in enumerate(files):
            whole = file.read_bytes()
            yield reader, file, "whole", whole
            contents = list(damaged(whole, range(seeds)))
            if position == 0:
                contents += [*strangers().items(), *reader.evil.items()]
                yield reader, file, "a folder", None
            for name, content in contents:
                if content != whole:
                    yield reader, file, name, content
            file.write_bytes(whole)


def main(group: str, folder: str, seeds: str, first: str) -> None:
    """Read, and say what came of it."""
    warnings.simplefilter("error")
    readers: Sequence[Reader] = importlib.import_module(f"fuzzing.{group}").READERS
    faulthandler.enable()
    faulthandler.register(signal.SIGPROF, chain=True)  # says where it is; then the signal ends it
    for index, (reader, file, name, content) in enumerate(cases(readers, Path(folder), int(seeds))):
        is_whole = name == "whole"
        if index < int(first) and not is_whole:
            continue
        _put(file, content)
        case = {"case": f"{reader.name}, {file.name}, {name}", "file": file.name}
        home = next(each for each in file.parents if each.parent == Path(folder))
        if index >= int(first):
            print(json.dumps(case), flush=True)
        # What is read first is imported first: that is no part of the trial.
        outcome = _tried(reader, home, file, is_free=is_whole)
        if index >= int(first):
            print(json.dumps({**case, **outcome}), flush=True)
        if file.is_dir():
            file.rmdir()


def _put(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(content)


def _tried(reader: Reader, home: Path, file: Path, *, is_free: bool) -> dict[str, Any]:
    from fewclicks.errors import FewclicksError

    before, begin = _resident(), time.process_time()
    said = ""
    with _watched(is_free=is_free):
        try:
            reader.read(home, file)
            answer = "read"
        except FewclicksError as error:
            answer, said = "refused", str(error)
            if len(said.splitlines()) != 1 or len(said) > _LONGEST_LINE:
                answer = "refused in other than one line"
            elif file.name not in said and not (reader.by_folder and str(home) in said):
                answer = "refused without naming the file"
        except BaseException as error:  # whatever a broken file can do
            answer, said = f"let {type(error).__name__} out", f"{error} at {_place(error)}"
    seconds = time.process_time() - begin
    return {
        "answer": answer,
        "said": said[:400],
        "seconds": round(seconds, 3),
        "megabytes": round(max(0, _peak() - before) / 2**20, 1),
    }


def _place(error: BaseException) -> str:
    trace, places = error.__traceback__, []
    while trace:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places[-6:])


@contextmanager
def _watched(*, is_free: bool) -> Iterator[None]:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if is_free:
        yield
        return
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    virtual = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    faulthandler.dump_traceback_later(_WAITING, exit=True)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (virtual + GIGABYTE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{key}:")).split()[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
