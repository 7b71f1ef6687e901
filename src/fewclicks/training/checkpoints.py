"""Checkpoints: all that a training must know to go on, in one safetensors file.

Tensors are called ``network.NAME``, ``average.NAME`` and ``optimiser.NAME.KEY``, where NAME is the
weight's; what is no tensor is JSON in the file's header. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from fewclicks.errors import InputError, StorageError
from fewclicks.files import written_beside

CHECKPOINT: Final = "checkpoint.safetensors"
_FORM: Final = "fewclicks.training/1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds.

    Parameters
    ----------
    step
        So many are done.
    described
        The plan, as `TrainingPlan.describe` says it, and what else must be alike.
    tensors
        By the names that the file has for them.
    path
        Of the file.
    """

    step: int
    described: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    path: Path = Path(CHECKPOINT)


def write_checkpoint(
    path: Path,
    *,
    step: int,
    described: Mapping[str, Any],
    network: nn.Module,
    optimiser: Optimizer,
    average: Mapping[str, Tensor] | None = None,
) -> None:
    """Keep a training, whole or not at all.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    names = _names(network, optimiser)
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in (average or {}).items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{names[index]}.{key}": value for key, value in state.items()}
    header = {"form": _FORM, "training": json.dumps({"step": step, "plan": described})}
    with written_beside(path) as beside:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
            beside,
            metadata=header,
        )


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a training.

    Raises
    ------
    StorageError
        If there is none, or it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header.get("form") != _FORM:
            raise StorageError(f"{path} is no checkpoint of a training; choose another --out.")
        said = json.loads(header["training"])
        return Checkpoint(
            step=int(said["step"]), described=said["plan"], tensors=tensors, path=path
        )
    except (
        OSError,
        SafetensorError,
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
    ) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"Cannot read {path} ({error}); start the training anew, or restore the file."
        ) from error


def restore(
    checkpoint: Checkpoint,
    *,
    described: Mapping[str, Any],
    network: nn.Module,
    optimiser: Optimizer,
    average: dict[str, Tensor] | None = None,
) -> None:
    """Put a network, its optimiser and its average back to where a checkpoint was.

    Raises
    ------
    InputError
        If the checkpoint is of another plan; the message names the first difference.
    StorageError
        If its tensors are not those of the network.
    """
    _check_same(checkpoint.described, json.loads(json.dumps(described)))
    try:
        _fill(checkpoint, network, optimiser, average)
    except (KeyError, RuntimeError, ValueError) as error:
        raise StorageError(
            f"{checkpoint.path} does not fit its network; start the training anew, or restore the "
            "file."
        ) from error


def _fill(
    checkpoint: Checkpoint,
    network: nn.Module,
    optimiser: Optimizer,
    average: dict[str, Tensor] | None,
) -> None:
    parts = {prefix: _of(checkpoint.tensors, prefix) for prefix in ("network", "average")}
    network.load_state_dict(parts["network"])
    if average is not None:
        for name, value in parts["average"].items():
            average[name].copy_(value)
    state: dict[int, dict[str, Tensor]] = {}
    saved = _of(checkpoint.tensors, "optimiser")
    for index, name in _names(network, optimiser).items():
        own = {key.rpartition(".")[2]: v for key, v in saved.items() if _belongs(key, name)}
        if own:
            state[index] = own
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})


def _belongs(key: str, name: str) -> bool:
    return key.rpartition(".")[0] == name


def _of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {
        name.removeprefix(start): each for name, each in tensors.items() if name.startswith(start)
    }


def _names(network: nn.Module, optimiser: Optimizer) -> dict[int, str]:
    """Name the optimiser's weights, which it only numbers."""
    by_identity = {id(weight): name for name, weight in network.named_parameters()}
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    return {index: by_identity[id(weight)] for index, weight in enumerate(weights)}


def _check_same(saved: Any, asked: Any, place: str = "") -> None:
    if isinstance(saved, dict) and isinstance(asked, dict):
        for key in sorted(saved.keys() | asked.keys()):
            _check_same(saved.get(key), asked.get(key), f"{place}.{key}".strip("."))
    elif saved != asked:
        raise InputError(
            f"The training that is kept there has {place} {saved!r}, this one {asked!r}; choose "
            "another --out, or the same plan."
        )


def update_average(average: dict[str, Tensor], network: nn.Module, keep: float) -> None:
    """Move a running average of the weights a little towards them."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1 - keep)
            else:
                average[name].copy_(value)
