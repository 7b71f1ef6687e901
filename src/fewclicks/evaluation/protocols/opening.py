"""Opening: the targets that a plan's protocol makes of a data set."""

from __future__ import annotations

from pathlib import Path

from fewclicks.datasets.base import Dataset
from fewclicks.datasets.kinds import KindsDataset
from fewclicks.datasets.parts import PartedDataset
from fewclicks.errors import InputError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.protocols.combination import CombinationTargets
from fewclicks.evaluation.protocols.guiding import read_guidance
from fewclicks.evaluation.protocols.kinds import KindTargets
from fewclicks.evaluation.protocols.objects import ObjectTargets, WithInitialMasks
from fewclicks.evaluation.protocols.target import TargetSource
from fewclicks.methods.registry import find_method


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
