"""`fewclicks annotate` as a process of its own, to be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


class AnnotationServer:
    """A server on a free port, or on the one it had before."""

    def __init__(self, folder: Path, *options: str, within: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._within = within  # a command that runs the server, with fewer rights say
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> str:
        """Start, and give the page's address once it answers."""
        command = [
            *self._within, sys.executable, "-m", "fewclicks", "annotate", str(self._folder),
            "--no-browser", "--port", str(self.port), *self._options,
        ]  # fmt: skip
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            found = re.search(r"(http://\S+:(\d+)/)(#\S+)?", line)
            if found:
                self.port = int(found[2])
                _wait_for(f"{found[1]}health")
                return found[0]
        raise AssertionError(f"the server did not start: {said}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.communicate(timeout=60)
        self._process = None


def _wait_for(address: str) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"{address} never answered")
