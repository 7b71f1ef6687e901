"""Protocols by name: what each asks of a data set and a method, and the targets it makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from fewclicks.datasets.base import Dataset
from fewclicks.datasets.kinds import KindsDataset
from fewclicks.datasets.parts import PartedDataset
from fewclicks.errors import InputError, UnknownEntryError
from fewclicks.evaluation.protocols.combination import REFERENCE_MASKS, CombinationTargets
from fewclicks.evaluation.protocols.guiding import GuidanceConfig
from fewclicks.evaluation.protocols.kinds import EXEMPLAR_SOURCES, KindTargets
from fewclicks.evaluation.protocols.objects import ObjectTargets, WithInitialMasks
from fewclicks.evaluation.protocols.target import TargetSource
from fewclicks.methods.registry import find_method
from fewclicks.settings import read_settings

if TYPE_CHECKING:
    from fewclicks.evaluation.plan import Plan

ProtocolName: TypeAlias = Literal["noc", "combination", "collective", "additional"]
PROTOCOLS: Final[tuple[ProtocolName, ...]] = get_args(ProtocolName)


def read_guidance(settings: Mapping[str, str]) -> GuidanceConfig:
    """Read how guidance is made, as it was typed."""
    return GuidanceConfig(**read_settings(GuidanceConfig, settings, owner="guidance"))


def check_protocol(plan: Plan) -> None:
    """Refuse names that do not exist, and guidance that a protocol or a method has no use for.

    Raises
    ------
    InputError
        Saying which protocol would have a use for it, or which methods take it.
    """
    for what, name, known in (
        ("protocol", plan.protocol, PROTOCOLS),
        ("choice of reference masks", plan.reference, REFERENCE_MASKS),
        ("source of exemplars", plan.exemplar, EXEMPLAR_SOURCES),
    ):
        if name not in known:
            raise UnknownEntryError(what, name, known)
    if plan.reference != "none" and plan.protocol != "combination":
        raise InputError(
            f"Protocol '{plan.protocol}' has no references; needs protocol combination, or "
            "reference none."
        )
    if plan.exemplar != "none" and plan.protocol not in ("collective", "additional"):
        raise InputError(
            f"Protocol '{plan.protocol}' has no exemplars; needs protocol collective or "
            "additional, or exemplar none."
        )
    if plan.protocol == "collective" and plan.exemplar == "golden":
        raise InputError(
            "Protocol 'collective' counts an exemplar's clicks, and a golden one has none that "
            "were needed; choose exemplar automatic, or protocol additional."
        )
    if plan.exemplar != "none" and plan.initial_masks is not None:
        raise InputError("Clicks begin with an exemplar or with initial masks; leave one out.")
    if plan.guidance and plan.reference == plan.exemplar == "none":
        raise InputError(
            f"Guidance is set ({', '.join(plan.guidance)}), but none is given; choose a reference "
            "or an exemplar."
        )
    if read_guidance(plan.guidance).real and plan.exemplar != "golden":
        raise InputError("Real exemplars stand in the place of golden ones; choose golden.")


def check_method(plan: Plan) -> None:
    """Refuse references for a method that has no use for them.

    Raises
    ------
    InputError
        If it has none. An exemplar is of use to every method: as a mask to go on from.
    """
    if plan.reference != "none" and "references" not in find_method(plan.method).takes:
        raise InputError(
            f"Method '{plan.method}' takes no references; choose reference none, or a method "
            "that takes them: refcut or fewclicks."
        )


def open_targets(plan: Plan, dataset: Dataset) -> TargetSource:
    """Make the targets that a plan's protocol asks of a data set.

    Raises
    ------
    InputError
        If the data set has no parts, or no kinds, where the protocol needs them.
    """
    config = read_guidance(plan.guidance)
    source: TargetSource
    if plan.protocol == "combination":
        if not isinstance(dataset, PartedDataset):
            raise InputError(_lacks(plan, "objects with parts", "partimagenet, carparts"))
        source = CombinationTargets(dataset, reference=plan.reference, config=config)
    elif plan.protocol in ("collective", "additional"):
        if not isinstance(dataset, KindsDataset):
            raise InputError(_lacks(plan, "several objects of a category", "coco_mois, him2k"))
        source = KindTargets(
            dataset,
            exemplar=plan.exemplar,
            counts_exemplar=plan.protocol == "collective",
            takes_exemplar="exemplar" in find_method(plan.method).takes,
            seed=plan.seed,
            config=config,
        )
    else:
        source = ObjectTargets(dataset)
    if plan.initial_masks is None:
        return source
    return WithInitialMasks(source, Path(plan.initial_masks))


def _lacks(plan: Plan, what: str, known: str) -> str:
    return (
        f"Data set '{plan.dataset}' does not say which are {what}, which protocol "
        f"'{plan.protocol}' needs; choose one that does: {known}, or your own as 'instances'."
    )
