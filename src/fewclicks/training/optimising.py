"""Optimising: which weights follow their gradients, and at which share of the rate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.training.plan import NetworkChoice, TrainingPlan

_OPTIMISERS: Final[Mapping[str, type[Adam]]] = {"adam": Adam, "adamw": AdamW}


def create_optimiser(plan: TrainingPlan, network: ClickNetwork) -> Optimizer:
    """Build an optimiser of all weights that are trained.

    Returns
    -------
    Optimizer
        Each of its groups has a ``share``; see `set_rate`. Two groups where the plan's
        ``start_share`` is not 1, the weights that have learnt before first.
    """
    settings = plan.optimiser
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    before: set[int] = set()
    if settings.start_share != 1:
        parts = parts_with_start(network, plan.network)
        before = {id(weight) for weight in chain(*(part.parameters() for part in parts))}
    groups = [
        {"params": weights, "share": share}
        for weights, share in (
            ([each for each in trained if id(each) in before], settings.start_share),
            ([each for each in trained if id(each) not in before], 1.0),
        )
        if weights
    ]
    return _OPTIMISERS[settings.name](
        groups,
        lr=plan.schedule.rate,
        betas=(settings.beta1, settings.beta2),
        weight_decay=settings.weight_decay,
        fused=True,
    )


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Set the rate of the next step; each group takes its share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def parts_with_start(network: ClickNetwork, choice: NetworkChoice) -> list[nn.Module]:
    """Tell the parts of a network that had learnt from pictures before this training.

    These are its transformer, and its network for crops, where the choice has weights for them;
    what turns clicks into tokens, and tokens into an answer, is never among them.
    """
    is_given = choice.weights is not None
    parts: list[nn.Module] = []
    if is_given or choice.start is not None:
        parts += network.transformers()
    if is_given or choice.crop_start is not None:
        parts += network.crop_networks()
    return parts
