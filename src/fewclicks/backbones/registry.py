"""Names build backbones and sources of depth. Reading the tables imports neither."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fewclicks.backbones.base import Backbone, DepthSource
from fewclicks.backbones.weights import find_on_disk, find_weights, locate
from fewclicks.errors import InputError, StorageError, UnknownEntryError
from fewclicks.settings import read_settings

if TYPE_CHECKING:
    from fewclicks.images.depth_files import DepthFiles, DepthKind

EMBEDDED_BACKBONE: Final = "builtin"
"""What the default method looks through; part of the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneEntry:
    """One backbone or source of depth, as the table knows it.

    Parameters
    ----------
    name
        What a user types.
    target
        ``"module:Class"``, imported when the backbone is created.
    kind
        What it gives: ``"attention"``, ``"features"``, ``"depth"``.
    licence
        Of its weights, as an SPDX name.
    size
        Of its weights, in bytes.
    source
        Where it comes from.
    weights
        Name in the table of weights; empty if it has none of its own.
    settings
        Fields of its configuration in which it differs from others of its class.
    """

    name: str
    target: str
    kind: tuple[str, ...]
    licence: str
    size: int
    source: str
    weights: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def found(self) -> str | None:
        """Where it lies on this machine, ``"in the package"`` or a folder; None if nowhere."""
        if not self.weights:
            return "in the package"
        folder = find_on_disk(find_weights(self.weights))
        return None if folder is None else str(folder)


def _published(
    name: str, target: str, *, gives: tuple[str, ...], settings: Mapping[str, Any] | None = None
) -> BackboneEntry:
    """Describe a network by the row of its name in the table of weights."""
    weights = find_weights(name)
    return BackboneEntry(
        name=name,
        target=target,
        kind=gives,
        licence=weights.licence,
        size=weights.size,
        source=weights.hub_id,
        weights=name,
        settings={"weights": name, **(settings or {})},
    )


_ANY_VIT: Final = "fewclicks.backbones.vit:VitBackbone"
_STABLE_DIFFUSION: Final = "fewclicks.backbones.stable_diffusion:StableDiffusionBackbone"
_TOKENS: Final = ("attention", "features")

BACKBONES: Final = (
    BackboneEntry(
        name="colour",
        target="fewclicks.backbones.colour:ColourBackbone",
        kind=("attention", "features"),
        licence="Apache-2.0",
        size=0,
        source="this package; no weights",
    ),
    BackboneEntry(
        name="builtin",
        target="fewclicks.backbones.builtin:BuiltInBackbone",
        kind=("attention", "features"),
        licence="Apache-2.0",
        size=5_306_332,
        source="this package; its own network, by onnxruntime",
    ),
    BackboneEntry(
        name="none",
        target="fewclicks.backbones.none:NoBackbone",
        kind=("attention", "features"),
        licence="Apache-2.0",
        size=0,
        source="this package; sees nothing, for depth alone",
    ),
    # The last layer's keys are what unsupervised segmentation takes from DINO (LOST, TokenCut).
    *(
        _published(name, _ANY_VIT, gives=_TOKENS, settings={"block": -1, "stride": 8})
        for name in ("dino-vits8", "dino-vits16", "dino-vitb8", "dino-vitb16")
    ),
    # As M2N2 has it: the last layer's attention on a square of 80 x 80 tokens.
    *(
        _published(
            name,
            _ANY_VIT,
            gives=_TOKENS,
            settings={"kind": "attention", "block": -1, "stride": 14, "side": 1120},
        )
        for name in ("dinov2-small", "dinov2-base", "dinov2-large")
    ),
    _published("vit-mae-base", _ANY_VIT, gives=_TOKENS),
    # As M2N2 has them: 128 x 128 and 112 x 112 tokens.
    _published("stable-diffusion-2", _STABLE_DIFFUSION, gives=_TOKENS),
    _published("stable-diffusion-1", _STABLE_DIFFUSION, gives=_TOKENS, settings={"side": 896}),
)

NO_DEPTH: Final = "none"
"""What a user types for no depth at all."""

_PLAIN: Final = "fewclicks.backbones.plain_depth"

DEPTHS: Final = (
    *(
        _published(name, "fewclicks.backbones.depth_anything:DepthAnythingSource", gives=("depth",))
        for name in (
            "depth-anything-v2-small",
            "depth-anything-v2-base",
            "depth-anything-v2-large",
        )
    ),
    _published(
        "marigold-depth-lcm", "fewclicks.backbones.marigold:MarigoldSource", gives=("depth",)
    ),
    *(
        BackboneEntry(
            name=name,
            target=f"{_PLAIN}:{class_name}",
            kind=("depth",),
            licence="Apache-2.0",
            size=0,
            source="this package; for comparisons",
        )
        for name, class_name in (("constant", "ConstantDepth"), ("noise", "NoiseDepth"))
    ),
)

_BACKBONE_BY_NAME: Final = {entry.name: entry for entry in BACKBONES}
_DEPTH_BY_NAME: Final = {entry.name: entry for entry in DEPTHS}


def find_backbone(name: str) -> BackboneEntry:
    """Look a name up.

    Raises
    ------
    UnknownEntryError
        With the nearest known name.
    """
    try:
        return _BACKBONE_BY_NAME[name]
    except KeyError:
        raise UnknownEntryError("backbone", name, _BACKBONE_BY_NAME) from None


def create_backbone(name: str = EMBEDDED_BACKBONE, **settings: Any) -> Backbone:
    """Build a backbone by name.

    Parameters
    ----------
    name
        As listed by ``fewclicks backbones``; or any Hugging Face ViT, as a folder or as
        ``owner/name``.
    **settings
        Fields of the backbone's own configuration, as values or as typed.

    Raises
    ------
    UnknownEntryError
        With the nearest known name, for a backbone or a setting.
    """
    if name not in _BACKBONE_BY_NAME and ("/" in name or Path(name).is_dir()):
        backbone: Backbone = _build(_ANY_VIT, name, {"weights": name, **settings})
        return backbone
    entry = find_backbone(name)
    registered: Backbone = _build(entry.target, name, {**entry.settings, **settings})
    return registered


def create_depth(name: str, **settings: Any) -> DepthSource | None:
    """Build a source of depth by name; see `create_backbone`.

    Returns
    -------
    DepthSource, optional
        None for ``"none"``.

    Raises
    ------
    UnknownEntryError
        With the nearest known name, for a source or a setting.
    """
    if name == NO_DEPTH:
        return None
    if name not in _DEPTH_BY_NAME:
        raise UnknownEntryError("depth source", name, [*_DEPTH_BY_NAME, NO_DEPTH])
    entry = _DEPTH_BY_NAME[name]
    source: DepthSource = _build(entry.target, name, {**entry.settings, **settings})
    return source


def require_weights(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse a backbone or source of depth whose weights are not here, before anything loads.

    Parameters
    ----------
    name
        As `create_backbone` or `create_depth` takes it; one that is unknown is left to them.
    settings
        Of it; ``weights`` may name others.

    Raises
    ------
    WeightsError
        With the command that fetches them.
    MissingExtraError
        If the library that fetches them is not installed.
    """
    entry = _BACKBONE_BY_NAME.get(name) or _DEPTH_BY_NAME.get(name)
    own = entry.weights if entry else name if "/" in name or Path(name).is_dir() else ""
    weights = settings.get("weights", own)
    if weights and own:  # a backbone of the package's own checks a file that replaces it itself
        locate(weights)


def choose_depth(choice: str | None, kind: DepthKind) -> tuple[str | None, DepthFiles | None]:
    """Tell a source of depth, by its name, from files of measured depth.

    Parameters
    ----------
    choice
        As typed; a name wins over a file that is called alike.
    kind
        What the numbers of files mean.

    Raises
    ------
    StorageError, UnknownEntryError
        If it is neither a name nor a file or folder.
    """
    if choice is None or choice == NO_DEPTH:
        return None, None
    if choice in _DEPTH_BY_NAME:
        return choice, None
    from fewclicks.images.depth_files import DepthFiles

    path = Path(choice)
    if path.exists():
        return None, DepthFiles(path, kind)
    if path.suffix or len(path.parts) > 1:
        raise StorageError(f"There is no depth file or folder {choice}.")
    raise UnknownEntryError("depth source or file", choice, [*_DEPTH_BY_NAME, NO_DEPTH])


def device_settings(
    device: str | None,
    *,
    backbone: str | None = None,
    depth: str | None = None,
    method_is_network: bool = False,
) -> dict[str, str]:
    """Put what is a network on a device: settings for `fewclicks.create_method`.

    Parameters
    ----------
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``, which the networks check; None leaves each
        to itself.
    backbone, depth
        Names, as for `create_backbone` and `create_depth`.
    method_is_network
        Whether the method has a device of its own.

    Raises
    ------
    InputError
        If none is a network and the device is not the CPU.
    """
    if device is None:
        return {}
    networks = [""] if method_is_network else []
    if backbone is not None and (
        backbone not in _BACKBONE_BY_NAME or find_backbone(backbone).weights
    ):
        networks.append("backbone")
    if depth in _DEPTH_BY_NAME and _DEPTH_BY_NAME[depth].weights:
        networks.append("depth")
    if not networks and device not in ("auto", "cpu"):
        raise InputError(
            f"Device is '{device}', but neither backbone nor depth is a network; leave it out, or "
            "choose another --backbone."
        )
    return {f"{part}.device" if part else "device": device for part in networks}


def _build(target: str, name: str, settings: Mapping[str, Any]) -> Any:
    module, _, class_name = target.partition(":")
    built_class = getattr(importlib.import_module(module), class_name)
    config_type = built_class.config_type
    return built_class(config_type(**read_settings(config_type, settings, owner=f"'{name}'")))
