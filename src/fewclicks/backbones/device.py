"""Device and precision: where a network runs and in which numbers, as a person asks for them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from fewclicks.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import torch

DEVICES: Final = ("auto", "cpu", "cuda", "mps")
PRECISIONS: Final = ("auto", "fp32", "fp16", "bf16")
_DTYPES: Final = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def check_device(device: str, precision: str) -> None:
    """Refuse words that name no device or precision; imports nothing.

    Raises
    ------
    InputError
        With the words there are.
    """
    for name, value, known in (
        ("device", device, DEVICES),
        ("precision", precision, PRECISIONS),
    ):
        if value not in known:
            raise InputError(f"{name} is '{value}'; needs one of {', '.join(known)}.")


def check_installed(what: str, *, extra: str = "torch", packages: Sequence[str] = ()) -> None:
    """Refuse to go on without the packages of networks; looks for them, imports none.

    Parameters
    ----------
    what
        Needs them, as a message begins: ``"A ViT backbone"``.
    extra
        Of this package, that installs them.
    packages
        Besides torch and transformers.

    Raises
    ------
    MissingExtraError
        With the command to type.
    """
    for package in ("torch", "transformers", *packages):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(what, extra)


def choose_device(device: str) -> torch.device:
    """Find the device that is asked for; ``auto`` takes CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    InputError
        If this machine has it not.
    """
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return torch.device(next(name for name, is_there in present.items() if is_there))
    if not present[device]:
        raise InputError(
            f"device is '{device}', but torch {torch.__version__} finds none here; "
            "use device=cpu, or install the build of torch for it."
        )
    return torch.device(device)


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Find the numbers that are asked for; ``auto`` takes half precision on CUDA only."""
    import torch

    if precision == "auto":
        precision = "fp16" if device.type == "cuda" else "fp32"
    dtype: torch.dtype = getattr(torch, _DTYPES[precision])
    return dtype
