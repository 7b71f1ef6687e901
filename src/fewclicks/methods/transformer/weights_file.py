"""Weights file: where the trained weights of a click network lie; finding them loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fewclicks.backbones.weights import locate
from fewclicks.errors import WeightsError

FILE_NAME: Final = "model.safetensors"
"""Within a folder of weights."""


def find_file(weights: str) -> Path:
    """Find the safetensors file of trained weights.

    Parameters
    ----------
    weights
        A file; or a folder or hub id with ``model.safetensors``, or with one such file only.

    Raises
    ------
    WeightsError
        If it is not on this machine, or has another form; the message is what to do.

    Notes
    -----
    A file of pickled weights is refused: reading it can run any code.
    """
    path = Path(weights).expanduser()
    if path.is_file():
        if path.suffix != ".safetensors":
            raise WeightsError(
                f"{weights} is no .safetensors file; other forms of weights are not loaded. "
                "docs/methods/simpleclick.md says how to save a checkpoint anew."
            )
        return path
    if path.suffix == ".safetensors":
        raise WeightsError(f"There is no file {weights}; needs trained weights of a click network.")
    folder = locate(weights)
    files = sorted(folder.glob("*.safetensors"))
    if folder / FILE_NAME in files:
        return folder / FILE_NAME
    if len(files) != 1:
        raise WeightsError(
            f"{folder} holds {len(files)} .safetensors files and no {FILE_NAME}; name one of them."
        )
    return files[0]
