"""Export of a click network: encoder and decoder as ONNX, with the drawing of clicks inside."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from fewclicks.errors import InputError, MissingExtraError
from fewclicks.files import sha256_of, written_beside
from fewclicks.methods.transformer.click_maps import DISK_RADIUS
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.methods.transformer.exported import DECODER, ENCODER, ExportedNetwork

_OPSET: Final = 17
_LARGEST: Final = 2**31 - 2**24  # bytes; one ONNX file holds less than 2 GiB


def export_network(network: ClickNetwork, folder: Path, *, side: int = 0) -> ExportedNetwork:
    """Write a network as two ONNX files, their description and a card.

    Parameters
    ----------
    network
        In fp32 on the CPU.
    folder
        Made if need be.
    side
        Of the square that it will see, in pixels; the network's own if 0.

    Raises
    ------
    InputError
        If the network is too large, or takes more than picture and clicks.
    MissingExtraError
        If onnx is not installed.
    ShapeError
        If the network cannot see squares of this side.
    StorageError
        If the folder cannot be written.
    """
    if importlib.util.find_spec("onnx") is None:
        raise MissingExtraError("Exporting a network", "train")
    if network.takes is not None:
        raise InputError(
            f"'{network.family}' takes {network.takes}, which an exported network cannot; "
            "export simpleclick, icmformer or icmformer_swin."
        )
    size = sum(values.numel() * values.element_size() for values in network.parameters())
    if size > _LARGEST:
        raise InputError(
            f"'{network.family}' has {size / 1e9:.1f} GB of numbers; an ONNX file holds 2 GB. "
            "Export a smaller network."
        )
    network = network.eval().requires_grad_(False)
    side = side or int(network.config.side)
    pictures = torch.zeros(2, 3, side, side)
    network.check_size(pictures, pictures)
    with torch.no_grad():
        seen = network.see(pictures)
    tensors = list(_tensors(seen))
    names = [f"seen_{number}" for number in range(len(tensors))]
    encoder = _Encoder(network).eval()  # the exporter leaves a module's parts as the whole is
    _write(encoder, (pictures,), folder / ENCODER, ["image"], names, dict.fromkeys(names, "seen"))
    given = (
        torch.zeros(3, 3, dtype=torch.float64),
        torch.zeros(1, 1, side, side),
        torch.tensor([False, True]),
        *tensors,
    )
    _write(
        _Decoder(network, seen, side).eval(),
        given,
        folder / DECODER,
        ["points", "previous", "mirror", *names],
        ["logits"],
        {"points": "points", "mirror": "batch", **dict.fromkeys(names, "seen")},
    )
    exported = ExportedNetwork(
        family=network.family,
        side=side,
        seen=tuple(names),
        version=version("fewclicks"),
        sha256={name: sha256_of(folder / name) for name in (ENCODER, DECODER)},
        folder=folder,
    )
    exported.write()
    return exported


class _Encoder(nn.Module):
    def __init__(self, network: ClickNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(_tensors(self.network.see(image)))


class _Decoder(nn.Module):
    middles: Tensor

    def __init__(self, network: ClickNetwork, like: Any, side: int) -> None:
        super().__init__()
        self.network = network
        self._like = like
        # Double, as `click_disks` counts: a pixel lies on a disk in both or in neither.
        self.register_buffer("middles", torch.arange(side, dtype=torch.float64))

    def forward(self, points: Tensor, previous: Tensor, mirror: Tensor, *seen: Tensor) -> Tensor:
        maps = torch.cat([previous, self._disks(points)], dim=1)
        guidance = torch.where(mirror.view(-1, 1, 1, 1), maps.flip(-1), maps)
        return self.network.answer(_rebuilt(self._like, iter(seen)), guidance)

    def _disks(self, points: Tensor) -> Tensor:
        """Draw what `click_disks` draws, (1, 2, side, side)."""
        x, y, kind = (points[:, number].view(-1, 1, 1) for number in range(3))
        down, across = self.middles.view(1, -1, 1) - y, self.middles.view(1, 1, -1) - x
        on = down * down + across * across <= DISK_RADIUS**2
        disks = [(on & (kind == wanted)).float().amax(dim=0) for wanted in (1.0, 0.0)]
        return torch.stack(disks)[None]


def _tensors(seen: Any) -> Iterator[Tensor]:
    """Go through all tensors of what a network sees, in order."""
    if isinstance(seen, Tensor):
        yield seen
        return
    for part in _parts(seen):
        yield from _tensors(part)


def _rebuilt(like: Any, tensors: Iterator[Tensor]) -> Any:
    """Put tensors in the places of those of ``like``."""
    if isinstance(like, Tensor):
        return next(tensors)
    parts = [_rebuilt(part, tensors) for part in _parts(like)]
    return tuple(parts) if type(like) is tuple else type(like)(*parts)


def _parts(seen: Any) -> tuple[Any, ...]:
    if is_dataclass(seen):
        return tuple(getattr(seen, each.name) for each in fields(seen))
    return tuple(seen)


def _write(
    module: nn.Module,
    given: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    counted: dict[str, str],
) -> None:
    """Trace a module; the first axis of pictures, points and what was seen may have any length."""
    import onnx

    axes = {name: {0: f"{word} {name}"} for name, word in counted.items()}
    axes |= {name: {0: "batch"} for name in ("image", "logits") if name in (*inputs, *outputs)}
    with written_beside(path) as beside:
        with warnings.catch_warnings():
            # The newer exporter needs one more package. Sizes that tracing warns of are fixed.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                given,
                str(beside),
                dynamo=False,
                opset_version=_OPSET,
                input_names=inputs,
                output_names=outputs,
                dynamic_axes=axes,
            )
        onnx.checker.check_model(str(beside))
