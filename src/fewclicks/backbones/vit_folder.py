"""ViT folder: what a Hugging Face folder says of its network, read without loading any of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fewclicks.errors import WeightsError

_LARGEST: Final = 1000  # more layers, or pixels of a patch, than any network has
_WIDEST: Final = 1_000_000
_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, slots=True)
class VitFolder:
    """A network on disk, in the form that transformers writes.

    Parameters
    ----------
    path
        Holds ``config.json`` and ``*.safetensors``.
    model_type
        As transformers calls the architecture: ``"vit"``, ``"dinov2"``.
    patch
        Side of a patch, in pixels.
    blocks
        How many layers there are.
    mean, deviation
        Of the colours in [0, 1] that the network was trained on.
    """

    path: Path
    model_type: str
    patch: int
    blocks: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def read_vit_folder(path: Path) -> VitFolder:
    """Read ``config.json`` and, if there is one, ``preprocessor_config.json``.

    Raises
    ------
    WeightsError
        If the folder holds no ViT.
    """
    if not (path / "config.json").is_file():
        raise WeightsError(
            f"{path} has no config.json; needs a folder as transformers' save_pretrained writes it."
        )
    config = _read_json(path / "config.json")
    patch, blocks = config.get("patch_size"), config.get("num_hidden_layers")
    if isinstance(patch, list) and len(set(patch)) == 1:
        patch = patch[0]
    if not (isinstance(patch, int) and isinstance(blocks, int)):
        raise WeightsError(
            f"{path}/config.json describes a '{config.get('model_type')}' without patch_size and "
            "num_hidden_layers; needs a plain vision transformer such as vit, dinov2 or vit_mae."
        )
    if not (0 < patch <= _LARGEST and 0 < blocks <= _LARGEST):
        raise WeightsError(
            f"{path}/config.json says patch_size {patch} and num_hidden_layers {blocks}; needs 1 "
            f"to {_LARGEST}."
        )
    for key in ("hidden_size", "num_attention_heads", "intermediate_size"):
        if not (type(config.get(key, 1)) is int and 0 < config.get(key, 1) <= _WIDEST):
            raise WeightsError(f"{path}/config.json says {key} {config[key]!r}; fetch it again.")
    mean, deviation = _read_colours(path / "preprocessor_config.json")
    return VitFolder(
        path=path,
        model_type=str(config.get("model_type")),
        patch=patch,
        blocks=blocks,
        mean=mean,
        deviation=deviation,
    )


def _read_colours(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the colours; ImageNet's if the folder does not say."""
    if not path.is_file():
        return _IMAGENET_MEAN, _IMAGENET_DEVIATION
    said = _read_json(path)
    if not said.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return (
        tuple(said.get("image_mean", _IMAGENET_MEAN)),
        tuple(said.get("image_std", _IMAGENET_DEVIATION)),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        raise WeightsError(f"{path} is no JSON ({error}); fetch it again.") from None
    if not isinstance(said, dict):
        raise WeightsError(f"{path} holds no JSON object; fetch it again.")
    return said
