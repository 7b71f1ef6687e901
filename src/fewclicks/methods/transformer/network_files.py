"""Network files: a click network as one safetensors file that says itself how it is built."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final, TypeVar, overload

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fewclicks.errors import InputError, WeightsError
from fewclicks.files import write_text, written_beside
from fewclicks.methods.transformer.click_network import FAMILIES, ClickNetwork, find_network
from fewclicks.methods.transformer.icmformer_network import ICMFormerNetwork
from fewclicks.methods.transformer.published_names import is_published, read_published
from fewclicks.methods.transformer.simpleclick_network import SimpleClickNetwork
from fewclicks.methods.transformer.weights_file import FILE_NAME, find_file

_FAMILY: Final = "fewclicks.network"
_CONFIG: Final = "fewclicks.config"

NetworkT = TypeVar("NetworkT", bound=ClickNetwork)


def save_network(network: ClickNetwork, path: Path) -> None:
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
        name: (values.float() if values.is_floating_point() else values).cpu().contiguous()
        for name, values in network.state_dict().items()
    }
    said = {"format": "pt", _FAMILY: network.family, _CONFIG: config}
    with written_beside(path if is_file else path / FILE_NAME) as beside:
        save_file(tensors, beside, metadata=said)
    if not is_file:
        described = {"model_type": f"fewclicks-{network.family}", **json.loads(config)}
        write_text(path / "config.json", json.dumps(described, indent=2) + "\n")


@overload
def load_network(path: Path | str) -> SimpleClickNetwork: ...
@overload
def load_network(path: Path | str, into: type[NetworkT]) -> NetworkT: ...
def load_network(path: Path | str, into: type[ClickNetwork] = SimpleClickNetwork) -> ClickNetwork:
    """Read a network that `save_network` wrote, or one of SimpleClick's or iCMFormer's authors.

    Parameters
    ----------
    path
        A file, a folder, or a hub id; see `weights_file.find_file`.
    into
        What the file holds, or a network that can begin as what it holds; tensors that the file
        then lacks are drawn anew.

    Returns
    -------
    ClickNetwork
        Of the class ``into``; in fp32 on the CPU, in evaluation mode.

    Raises
    ------
    WeightsError
        If it is not there, is no such network, or is damaged.
    """
    file = find_file(str(path))
    said, tensors = _read(file)
    family = said.get(_FAMILY, "")
    config: Any = None
    if not family and is_published(tensors):
        config, tensors = read_published(tensors)
        is_simple = type(config) is SimpleClickNetwork.config_type
        family = (SimpleClickNetwork if is_simple else ICMFormerNetwork).family
    if family != into.family and family not in into.begins_as:
        raise WeightsError(f"{file} holds {_held(family)}; needs {_needed(into)}.")
    held = find_network(family)
    config = config or _read_config(file, said, held)
    _check_depth(file, config, len(tensors))
    try:
        network = build_empty(held, config)
    except (OverflowError, RuntimeError) as error:  # sizes beyond counting
        raise WeightsError(f"{file} says wrongly how it is built: {config}") from error
    _check_fit(file, network, tensors)
    if held is into:
        network.load_state_dict(tensors, assign=True)
    else:
        network = into(into.config_type(**dataclasses.asdict(config)))
        network.load_state_dict(tensors, strict=False)
    return network.float().eval()


def build_empty(network: type[NetworkT], config: Any) -> NetworkT:
    """Build a network without numbers, for those that a file holds."""
    with torch.device("meta"):
        return network(config)


def _held(family: str) -> str:
    return f"a network of {family}" if family in FAMILIES else "no network of clicks"


def _needed(into: type[ClickNetwork]) -> str:
    families = [into.family, *sorted(into.begins_as)]
    theirs = ", or the authors' tensors such as backbone.patch_embed.proj.weight"
    return f"one of {' or '.join(families)} that fewclicks saved" + (
        theirs if {SimpleClickNetwork.family, ICMFormerNetwork.family} & {*families} else ""
    )


def _read(file: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(file, framework="pt") as opened:
            said = opened.metadata() or {}
            return said, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} cannot be read ({error}); fetch or save it again.") from error


def _read_config(file: Path, said: dict[str, str], held: type[ClickNetwork]) -> Any:
    try:
        values: dict[str, Any] = json.loads(said[_CONFIG])
        return held.config_type(**values)
    except (KeyError, RecursionError, TypeError, ValueError) as error:  # InputError is a ValueError
        reason = error if isinstance(error, InputError) else "not readable by this version"
        raise WeightsError(f"{file} says wrongly how it is built: {reason}") from error


def _check_depth(file: Path, config: Any, tensors: int) -> None:
    """Refuse more layers than there are tensors, before any layer is built."""
    for name, value in dataclasses.asdict(config).items():
        layers = sum(value) if isinstance(value, tuple) else value
        if name.endswith(("depth", "depths")) and layers > tensors:
            raise WeightsError(f"{file} says {name}={value}, but holds {tensors} tensors.")


def _check_fit(file: Path, network: ClickNetwork, tensors: dict[str, Tensor]) -> None:
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
