"""What a speed was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

_PACKAGES: Final = (
    "numpy",
    "scipy",
    "numba",
    "opencv-python-headless",
    "scikit-image",
    "onnxruntime",
    "torch",
)


def describe_machine(**setup: int | str) -> dict[str, Any]:
    """Name processor, cores, system, Python and the versions that decide about speed.

    Parameters
    ----------
    **setup
        How the run used the machine: engine, workers, threads.
    """
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        **setup,
    }


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # no Linux
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
