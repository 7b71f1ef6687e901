"""Measuring in between: the network as it is, clicked by the simulated user, by the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.scores import TARGETS, number_of_clicks
from fewclicks.evaluation.tasks import list_tasks
from fewclicks.evaluation.workers import Clicker
from fewclicks.training.plan import PLAIN, Measuring


def measure_network(
    weights: Path, measuring: Measuring, *, family: str = PLAIN, data: str | None, fabric: Any
) -> dict[str, float]:
    """Click a network through a data set, its pictures shared out over the processes.

    Parameters
    ----------
    weights
        Of the network, as it was just saved.
    measuring
        On what, and how far.
    family
        Of the network.
    data
        Folder of data sets.
    fabric
        Of Lightning; all of its processes must call this.

    Returns
    -------
    dict
        ``noc80`` to ``noc95``, and ``miou1``: mean IoU after one click.
    """
    plan = evaluation_plan(weights, measuring, family=family, data=data)
    dataset = plan.open_dataset()
    clicker = Clicker(plan, plan.create_method(), dataset)
    sums = torch.zeros(len(TARGETS) + 2, dtype=torch.float32)
    for task in list_tasks(plan, dataset)[fabric.global_rank :: fabric.world_size]:
        for record in clicker.click(task):
            clicks = [
                number_of_clicks(record.ious, target, max_clicks=plan.max_clicks)
                for target in TARGETS
            ]
            first = record.ious[0] if record.ious else 0.0
            sums += torch.tensor([*clicks, first, 1.0], dtype=torch.float32)
    whole = fabric.all_reduce(sums.to(fabric.device), reduce_op="sum").cpu()
    means = (whole[:-1] / whole[-1]).tolist()
    return dict(zip([*(f"noc{target}" for target in TARGETS), "miou1"], means, strict=True))


def check_measuring(measuring: Measuring, *, family: str = PLAIN, data: str | None) -> None:
    """Open what will be measured on, so that nothing fails hours later.

    Raises
    ------
    FewclicksError
        If it is not there, or no object of it is chosen.
    """
    plan = evaluation_plan(Path(), measuring, family=family, data=data)
    list_tasks(plan, plan.open_dataset())


def evaluation_plan(
    weights: Path, measuring: Measuring, *, family: str = PLAIN, data: str | None
) -> Plan:
    """Say how a network is measured, in the words of ``fewclicks evaluate``."""
    settings: Mapping[str, Any] = {"threshold": 0.5, **measuring.settings}
    typed = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in settings.items()
    }
    return Plan(
        method=family,
        settings={**typed, "weights": str(weights)},
        dataset=measuring.dataset or "",
        data=data,
        subset=measuring.subset,
        limit=measuring.limit,
        max_clicks=measuring.max_clicks,
    )
