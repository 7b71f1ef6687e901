"""A Ray cluster: the one that RAY_ADDRESS names, else one that is started for the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Final

from fewclicks.errors import FewclicksError, InputError, MissingExtraError

_ENGINES: Final = ("local", "ray")
_STARTS: Final = 3  # that are tried; a busy machine may miss Ray's time limit
_STORE_BYTES: Final = 200_000_000  # Ray's least but for some room: only small things travel
_QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""No statistics go to Ray's makers; and an environment variable keeps its meaning for CUDA."""


class WorkerDied(Exception):  # noqa: N818, whoever asked decides whether it is an error
    """A worker process is gone, and what it was asked is not answered."""


def check_engine(engine: str) -> None:
    """Refuse an engine that does not exist.

    Raises
    ------
    InputError
        If it is none.
    """
    if engine not in _ENGINES:
        raise InputError(f"engine is '{engine}'; needs one of {', '.join(_ENGINES)}.")


@contextmanager
def ray_cluster(cores: int) -> Iterator[Any]:
    """Join a cluster, give the module ``ray``, and part at the end.

    Parameters
    ----------
    cores
        That work is shared out over, where the cluster is started here.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    FewclicksError
        If it does not start.
    """
    ray = _import_ray()
    with redirect_stdout(sys.stderr):  # Ray tells of dead workers, and stdout is for the answer
        is_ours = not ray.is_initialized()
        if is_ours:
            _start(ray, cores)
        try:
            yield ray
        finally:
            if is_ours:
                ray.shutdown()


def fetch(ray: Any, answer: Any) -> Any:
    """Bring an answer home.

    Raises
    ------
    FewclicksError
        What the worker ran into.
    WorkerDied
        If it died instead.
    """
    try:
        return ray.get(answer)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, FewclicksError):
            raise FewclicksError(str(cause)) from None
        raise
    except ray.exceptions.RayError as error:
        raise WorkerDied from error


def _import_ray() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise MissingExtraError("The engine ray", "ray") from None
    return ray


def _start(ray: Any, cores: int) -> None:
    """Join the cluster that is named, or start one."""
    own = {
        "num_cpus": cores,
        "include_dashboard": False,
        "logging_level": "ERROR",
        "object_store_memory": _STORE_BYTES,
    }
    for left in reversed(range(_STARTS)):
        try:
            ray.init(log_to_driver=False, **({} if os.environ.get("RAY_ADDRESS") else own))
        except Exception as error:  # Ray has no class of its own for it
            ray.shutdown()
            if not left:
                reason = " ".join(str(error).split())
                raise FewclicksError(f"Ray did not start ({reason}); try again.") from error
        else:
            return
