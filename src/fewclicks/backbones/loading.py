"""Loading: transformers reads a network from a folder; safetensors only, quiet, and whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig
from transformers.utils import logging

from fewclicks.errors import FewclicksError, WeightsError

_OF_BROKEN_FILES: Final = (
    AttributeError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    SafetensorError,
    StrictDataclassError,
)


def load_config(folder: Path) -> Any:
    """Read how a network is built.

    Raises
    ------
    WeightsError
        If transformers does not know it.
    """
    with _one_line(folder):
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def load_network(
    network_class: Any,
    folder: Path,
    *,
    dtype: torch.dtype,
    may_lack: tuple[str, ...] = (),
    **options: Any,
) -> nn.Module:
    """Load a frozen network that is ready to run.

    Parameters
    ----------
    network_class
        Has transformers' ``from_pretrained``.
    folder
        As ``save_pretrained`` writes it.
    dtype
        Of its numbers.
    may_lack
        How the names of tensors begin that nobody needs; they stay random.
    **options
        For ``from_pretrained``: ``config``, ``attn_implementation``.

    Raises
    ------
    WeightsError
        If the file is damaged, or holds other tensors than the network has: transformers alone
        would fill the gap with random numbers and go on.
    """
    with _one_line(folder), _quiet():
        network, report = network_class.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    _check_whole(folder, report, may_lack)
    frozen: nn.Module = network.eval().requires_grad_(False)
    return frozen


@contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    """Say in one line what the libraries below say in many."""
    try:
        yield
    except FewclicksError:
        raise
    except _OF_BROKEN_FILES as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0].rstrip(".:") if lines else type(error).__name__
        raise WeightsError(f"{folder} cannot be loaded ({reason}); fetch it again.") from error


def _check_whole(folder: Path, report: Mapping[str, Any], may_lack: tuple[str, ...]) -> None:
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(may_lack))
    if missing:
        raise WeightsError(
            f"{folder} lacks {len(missing)} tensors of its network, such as {missing[0]}; "
            "fetch it again."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from reporting layers that are left out on purpose."""
    transformers_logging: Any = logging  # has no types
    verbosity = transformers_logging.get_verbosity()
    has_bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if has_bar:
            transformers_logging.enable_progress_bar()
