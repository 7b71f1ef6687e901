"""Ray's workers, as Linux lists processes."""

from __future__ import annotations

from pathlib import Path


def ray_workers(ancestor: int, task: str) -> list[int]:
    """Processes below one that work on a task right now."""
    parents, working = {}, []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = status.read_text().splitlines()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        process = int(fields["Pid"])
        parents[process] = int(fields["PPid"])
        if command.startswith(f"ray::{task}".encode()):
            working.append(process)

    def is_below(process: int) -> bool:
        while process > 1 and process != ancestor:
            process = parents.get(process, 0)
        return process == ancestor

    return [process for process in working if is_below(process)]
