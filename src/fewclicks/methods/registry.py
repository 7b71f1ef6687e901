"""Names build methods. Reading the table imports no method."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fewclicks.backbones.base import Backbone, DepthSource
from fewclicks.backbones.registry import (
    EMBEDDED_BACKBONE,
    NO_DEPTH,
    create_backbone,
    create_depth,
    require_weights,
)
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.methods.base import AnyMethod
from fewclicks.settings import read_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodEntry:
    """One method, as the table knows it.

    Parameters
    ----------
    name
        What a user types.
    family
        The room that holds it.
    target
        ``"module:Class"``, imported when the method is created.
    needs
        What it cannot run without: ``"backbone"``, ``"torch"``, ``"weights"``.
    takes
        What else it can use: ``"depth"``, ``"references"``, ``"exemplar"``, or the ``"levels"``
        that clicks may stand for.
    trainable
        Whether ``fewclicks train`` can train it.
    source
        The paper it follows.
    summary
        One line for people.
    parameters
        Of network methods at their published size, as their papers count: those of peers with
        position embeddings, the others without.
    """

    name: str
    family: str
    target: str
    source: str
    summary: str
    needs: frozenset[str] = field(default_factory=frozenset)
    takes: frozenset[str] = field(default_factory=frozenset)
    trainable: bool = False
    parameters: int | None = None


_BACKBONE: Final = frozenset({"backbone"})
_LEVELS: Final = frozenset({"levels"})
_GUIDED: Final = frozenset({"references", "exemplar", "levels"})

METHODS: Final = (
    MethodEntry(
        name="default",
        family="markov",
        target="fewclicks.methods.markov.fewclicks:Fewclicks",
        source="this package",
        summary="fewclicks on the embedded backbone: no download, no GPU",
        needs=_BACKBONE,
        takes=_GUIDED,
    ),
    MethodEntry(
        name="fewclicks",
        family="markov",
        target="fewclicks.methods.markov.fewclicks:Fewclicks",
        source="this package",
        summary="our own best: Markov distance, geodesic prior, colour models and one min cut",
        needs=_BACKBONE,
        takes=_GUIDED,
    ),
    MethodEntry(
        name="m2n2",
        family="markov",
        target="fewclicks.methods.markov.m2n2:M2N2",
        source="arXiv:2411.10411",
        summary="Markov-map nearest neighbour on a frozen network's attention, as published",
        needs=_BACKBONE,
        takes=_LEVELS,
    ),
    MethodEntry(
        name="m2n2v2",
        family="markov",
        target="fewclicks.methods.markov.m2n2v2:M2N2V2",
        source="arXiv:2503.16254",
        summary="m2n2 guided by depth, whose answers change no more than a click means them to",
        needs=_BACKBONE,
        takes=frozenset({"depth", "levels"}),
    ),
    MethodEntry(
        name="attention_nn",
        family="markov",
        target="fewclicks.methods.markov.neighbours:AttentionNN",
        source="arXiv:2411.10411, Table 3",
        summary="m2n2's frame around the attention itself, without a walk",
        needs=_BACKBONE,
        takes=_LEVELS,
    ),
    MethodEntry(
        name="kl_nn",
        family="markov",
        target="fewclicks.methods.markov.neighbours:KlNN",
        source="arXiv:2411.10411, Table 3",
        summary="m2n2's frame around the divergence of attentions, without a walk",
        needs=_BACKBONE,
        takes=_LEVELS,
    ),
    MethodEntry(
        name="m2n2_no_flood_fill",
        family="markov",
        target="fewclicks.methods.markov.neighbours:M2N2NoFloodFill",
        source="arXiv:2411.10411, Table 3",
        summary="m2n2 whose clicks reach all that is alike, joined to them or not",
        needs=_BACKBONE,
        takes=_LEVELS,
    ),
    MethodEntry(
        name="graphcut",
        family="classical",
        target="fewclicks.methods.classical.graphcut:GraphCut",
        source="Boykov & Jolly, ICCV 2001",
        summary="colour histograms of the seeds and one min cut",
    ),
    MethodEntry(
        name="grabcut",
        family="classical",
        target="fewclicks.methods.classical.grabcut:GrabCut",
        source="Rother et al., SIGGRAPH 2004",
        summary="iterated colour mixtures and min cuts",
    ),
    MethodEntry(
        name="random_walker",
        family="classical",
        target="fewclicks.methods.classical.random_walker:RandomWalker",
        source="Grady, TPAMI 2006",
        summary="which seed a random walk reaches first",
    ),
    MethodEntry(
        name="geodesic",
        family="classical",
        target="fewclicks.methods.classical.geodesic:Geodesic",
        source="Bai & Sapiro, IJCV 2009",
        summary="nearest seed along paths of constant colour likelihood",
    ),
    MethodEntry(
        name="gsc",
        family="classical",
        target="fewclicks.methods.classical.star_convexity:GeodesicStarConvexity",
        source="Gulshan et al., CVPR 2010",
        summary="graph cut whose object is star-convex along geodesic paths",
    ),
    MethodEntry(
        name="esc",
        family="classical",
        target="fewclicks.methods.classical.star_convexity:EuclideanStarConvexity",
        source="Gulshan et al., CVPR 2010",
        summary="graph cut whose object is star-convex along straight lines",
    ),
    MethodEntry(
        name="simpleclick",
        family="transformer",
        target="fewclicks.methods.transformer.simpleclick:SimpleClick",
        source="arXiv:2210.11006",
        summary="a trained vision transformer that sees picture and clicks together",
        needs=frozenset({"torch", "weights"}),
        trainable=True,
        parameters=96_465_857,
    ),
    MethodEntry(
        name="refcut",
        family="transformer",
        target="fewclicks.methods.transformer.refcut:RefCut",
        source="arXiv:2503.17820",
        summary="simpleclick, told by the same parts on another picture what is meant",
        needs=frozenset({"torch", "weights"}),
        takes=frozenset({"references"}),
        trainable=True,
        parameters=98_828_225,
    ),
    MethodEntry(
        name="icmformer",
        family="transformer",
        target="fewclicks.methods.transformer.icmformer:ICMFormer",
        source="arXiv:2307.02280",
        summary="a trained vision transformer in which clicks look at the picture",
        needs=frozenset({"torch", "weights"}),
        trainable=True,
        parameters=124_821_185,
    ),
    MethodEntry(
        name="icmformer_swin",
        family="transformer",
        target="fewclicks.methods.transformer.icmformer:ICMFormerSwin",
        source="arXiv:2307.02280",
        summary="icmformer on a hierarchical transformer",
        needs=frozenset({"torch", "weights"}),
        trainable=True,
        parameters=121_267_833,
    ),
    MethodEntry(
        name="icmformer_pp",
        family="transformer",
        target="fewclicks.methods.transformer.icmformer_pp:ICMFormerPP",
        source="arXiv:2406.11472",
        summary="icmformer, told by one finished object to look for all of its kind",
        needs=frozenset({"torch", "weights"}),
        takes=frozenset({"exemplar"}),
        trainable=True,
        parameters=178_528_007,
    ),
    MethodEntry(
        name="sam",
        family="peers",
        target="fewclicks.methods.peers.sam:SAM",
        source="arXiv:2304.02643",
        summary="Segment Anything, to compare with",
        needs=frozenset({"torch", "weights"}),
        parameters=93_735_728,
    ),
    MethodEntry(
        name="sam2",
        family="peers",
        target="fewclicks.methods.peers.sam:SAM2",
        source="arXiv:2408.00714",
        summary="Segment Anything 2 on single pictures, to compare with",
        needs=frozenset({"torch", "weights"}),
        parameters=38_962_498,
    ),
    MethodEntry(
        name="sam_hq",
        family="peers",
        target="fewclicks.methods.peers.sam:SAMHQ",
        source="arXiv:2306.01567",
        summary="Segment Anything in High Quality, to compare with",
        needs=frozenset({"torch", "weights"}),
        parameters=94_806_832,
    ),
)

_BY_NAME: Final = {entry.name: entry for entry in METHODS}


def find_method(name: str) -> MethodEntry:
    """Look a name up.

    Raises
    ------
    UnknownEntryError
        With the nearest known name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownEntryError("method", name, _BY_NAME) from None


def create_method(
    name: str = "default",
    *,
    backbone: str | Backbone | None = None,
    depth: str | DepthSource | None = None,
    **settings: Any,
) -> AnyMethod:
    """Build a method by name.

    Parameters
    ----------
    name
        As listed by ``fewclicks methods``.
    backbone
        As listed by ``fewclicks backbones``, the folder or hub id of a ViT, or a backbone that was
        built before; the embedded one if left out.
    depth
        As listed by ``fewclicks backbones``, or a source of depth that was built before; none if
        left out or ``"none"``.
    **settings
        Fields of the method's own configuration; ``backbone.KEY`` and ``depth.KEY`` are fields of
        theirs. Text is read as the field's type, so that a command line can pass what was typed.

    Raises
    ------
    UnknownEntryError
        For a method, backbone or setting that does not exist.
    InputError
        For a setting out of its range, a backbone or depth for a method that takes none, or
        settings of a backbone or depth that is not there or was built before.
    WeightsError
        If the weights of a backbone or depth are not on this machine; told before anything loads.

    Examples
    --------
    >>> create_method("graphcut").config.radius
    5
    """
    entry = find_method(name)
    of_backbone, settings = _split(settings, "backbone.")
    of_depth, settings = _split(settings, "depth.")
    if "backbone" in entry.needs and isinstance(backbone, str):
        require_weights(backbone, of_backbone)
    if "depth" in entry.takes and isinstance(depth, str):
        require_weights(depth, of_depth)
    module, _, class_name = entry.target.partition(":")
    method_class = getattr(importlib.import_module(module), class_name)
    config_type = method_class.config_type
    config = config_type(**read_settings(config_type, settings, owner=f"'{entry.name}'"))
    given: dict[str, Any] = {}
    chosen = EMBEDDED_BACKBONE if backbone is None and "backbone" in entry.needs else backbone
    if chosen is not None and "backbone" not in entry.needs:
        raise InputError(f"Method '{name}' takes no backbone, but got '{backbone}'; leave it out.")
    _check_owner(of_backbone, "backbone", chosen, name)
    if chosen is not None:
        given["backbone"] = (
            create_backbone(chosen, **of_backbone) if isinstance(chosen, str) else chosen
        )
    if depth == NO_DEPTH:
        depth = None
    if depth is not None and "depth" not in entry.takes:
        raise InputError(f"Method '{name}' takes no depth, but got '{depth}'; leave it out.")
    _check_owner(of_depth, "depth", depth, name)
    if depth is not None:
        given["depth"] = create_depth(depth, **of_depth) if isinstance(depth, str) else depth
    method: AnyMethod = method_class(config=config, **given)
    return method


def _split(settings: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the settings of something else, named without their prefix, from the others."""
    of_it = {
        key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)
    }
    return of_it, {key: value for key, value in settings.items() if not key.startswith(prefix)}


def _check_owner(settings: Mapping[str, Any], part: str, chosen: object, method: str) -> None:
    """Refuse settings of a backbone or depth that is not there, or that has its settings."""
    if not settings or isinstance(chosen, str):
        return
    setting = f"{part}.{next(iter(settings))}"
    if chosen is None:
        raise InputError(
            f"Setting {setting} was given, but method '{method}' runs without a {part} here; "
            "leave it out."
        )
    raise InputError(
        f"Setting {setting} was given beside a {part} that is built already; "
        f"give it when you build the {part}."
    )
