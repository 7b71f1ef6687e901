"""Network files: a click network as one safetensors file that says itself how it is built."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fewclicks.errors import InputError, WeightsError
from fewclicks.files import write_text, written_beside
from fewclicks.methods.transformer.published_names import is_published, read_published
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
    build_empty,
)
from fewclicks.methods.transformer.weights_file import FILE_NAME, find_file

_KIND: Final = "fewclicks.network"
_CONFIG: Final = "fewclicks.config"
_SIMPLECLICK: Final = "simpleclick"


def save_network(network: SimpleClickNetwork, path: Path) -> None:
    """Write a network, whole or not at all.

    Parameters
    ----------
    network
        On any device, of any precision; fp32 is written.
    path
        A file that ends in ``.safetensors``; else a folder, which gets ``model.safetensors`` and
        ``config.json``, as a hub has them.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    config = json.dumps(dataclasses.asdict(network.config))
    is_file = path.suffix == ".safetensors"
    tensors = {
        name: values.detach().float().cpu().contiguous()
        for name, values in network.state_dict().items()
    }
    with written_beside(path if is_file else path / FILE_NAME) as beside:
        save_file(tensors, beside, metadata={"format": "pt", _KIND: _SIMPLECLICK, _CONFIG: config})
    if not is_file:
        described = {"model_type": "fewclicks-simpleclick", **json.loads(config)}
        write_text(path / "config.json", json.dumps(described, indent=2) + "\n")


def load_network(path: Path | str) -> SimpleClickNetwork:
    """Read a network that `save_network` wrote, or one of SimpleClick's authors.

    Parameters
    ----------
    path
        A file, a folder, or a hub id; see `weights_file.find_file`.

    Returns
    -------
    SimpleClickNetwork
        In fp32 on the CPU, in evaluation mode.

    Raises
    ------
    WeightsError
        If it is not there, is no such network, or is damaged.
    """
    file = find_file(str(path))
    said, tensors = _read(file)
    if said.get(_KIND) == _SIMPLECLICK:
        config = _read_config(file, said)
    elif is_published(tensors):
        config, tensors = read_published(tensors)
    else:
        raise WeightsError(
            f"{file} holds no SimpleClick network; needs one that fewclicks saved, or the authors' "
            "tensors such as backbone.patch_embed.proj.weight."
        )
    network = build_empty(config)
    _check_fit(file, network, tensors)
    network.load_state_dict(tensors, assign=True)
    return network.float().eval()


def _read(file: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(file, framework="pt") as opened:
            said = opened.metadata() or {}
            return said, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} cannot be read ({error}); fetch or save it again.") from error


def _read_config(file: Path, said: dict[str, str]) -> SimpleClickNetworkConfig:
    try:
        values: dict[str, Any] = json.loads(said[_CONFIG])
        return SimpleClickNetworkConfig(**values)
    except (KeyError, TypeError, ValueError) as error:  # InputError is a ValueError
        reason = error if isinstance(error, InputError) else "not readable by this version"
        raise WeightsError(f"{file} says wrongly how it is built: {reason}") from error


def _check_fit(file: Path, network: SimpleClickNetwork, tensors: dict[str, Tensor]) -> None:
    """Say in one line what torch says in one for each tensor."""
    needed = {name: tuple(values.shape) for name, values in network.state_dict().items()}
    there = {name: tuple(values.shape) for name, values in tensors.items()}
    wrong = sorted(
        name for name in needed.keys() | there.keys() if needed.get(name) != there.get(name)
    )
    if wrong:
        first = wrong[0]
        raise WeightsError(
            f"{file} does not fit its network in {len(wrong)} tensors, such as {first}: "
            f"has {there.get(first)}, needs {needed.get(first)}."
        )
