"""A training from its plan to a network file: what is read, built, learnt, measured and kept."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from fewclicks.backbones.device import choose_device
from fewclicks.errors import InputError
from fewclicks.methods.transformer.click_network import ClickNetwork, find_network
from fewclicks.methods.transformer.icmformer_pp_network import ICMFormerPPNetwork
from fewclicks.methods.transformer.icmformer_swin_network import ICMFormerSwinNetwork
from fewclicks.methods.transformer.initialising import initialise_from
from fewclicks.methods.transformer.network_files import load_network, save_network
from fewclicks.methods.transformer.simpleclick_network import SimpleClickNetwork
from fewclicks.training.chance import Purpose, chance_of
from fewclicks.training.journal import read_result, write_result
from fewclicks.training.loop import Watcher, learn
from fewclicks.training.measuring import check_measuring, measure_network
from fewclicks.training.plan import PRECISIONS, NetworkChoice, TrainingPlan
from fewclicks.training.samples import Samples

NETWORK: Final = "network.safetensors"


def train(
    plan: TrainingPlan,
    out: Path,
    *,
    data: str | None = None,
    resume: bool = False,
    device: str = "auto",
    fabric: Any = None,
    watch: Watcher = lambda _done, _total, _loss: None,
) -> dict[str, Any]:
    """Carry out a plan, and write ``network.safetensors`` and ``training.json``.

    Parameters
    ----------
    out
        Folder for these, for the checkpoint and for TensorBoard's events.
    data
        Folder of data sets.
    resume
        Go on with the training that `out` holds, if there is one.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    fabric
        As `launch` gives it, for several trainings in one process; made here if left out.
    watch
        Called after each step.

    Returns
    -------
    dict
        What ``training.json`` holds.

    Raises
    ------
    FewclicksError
        For a plan that cannot be carried out, an `out` that holds another training, or a loss
        that is no number any more.
    """
    started = time.perf_counter()
    own = fabric is None
    fabric = fabric or launch(plan.run.precision, device)
    # What cannot be shared out or measured is refused before hours pass.
    plan.run.portions(fabric.world_size)
    if plan.evaluation.dataset:
        check_measuring(plan.evaluation, family=plan.network.family, data=data)
    samples = Samples(plan, {name: each.open(data) for name, each in plan.targets.items()})
    network = create_network(plan.network, plan.run.seed)
    weights = out / NETWORK

    def measure(_learnt: nn.Module, _step: int) -> dict[str, float]:
        _save(network, weights, fabric)
        return measure_network(
            weights, plan.evaluation, family=network.family, data=data, fabric=fabric
        )

    learner = learn(
        plan,
        network,
        samples,
        out,
        fabric=fabric,
        resume=resume,
        measure=measure if plan.evaluation.dataset else None,
        watch=watch,
    )
    _save(network, weights, fabric)
    # A training that was done already is not measured again, unless it was stopped while it was.
    figures = learner.figures or read_result(out).get("measured", {})
    if plan.evaluation.dataset and not figures:
        figures = measure(network, learner.step)
    result = {
        "title": plan.title,
        "steps": learner.step,
        "pictures": samples.pictures,
        "seconds": round(time.perf_counter() - started, 1),
        "processes": fabric.world_size,
        "measured": figures,
        "published": dict(plan.published),
        "plan": plan.describe(),
    }
    if fabric.global_rank == 0:
        write_result(out, result)
    if own:
        del learner, network, samples
        close(fabric)
    return result


def launch(precision: str, device: str = "auto") -> Any:
    """Join the other processes that torchrun started, or be the only one."""
    from lightning.fabric import Fabric

    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    everywhere = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=choose_device(device).type,
        devices=here,
        num_nodes=max(1, everywhere // here),
        strategy="ddp" if everywhere > 1 else "auto",
        precision=PRECISIONS[precision],
    )
    fabric.launch()
    return fabric


def set_threads(count: int) -> None:
    """Hold torch to so many threads; 0 leaves it as it is."""
    if count:
        torch.set_num_threads(count)


def close(fabric: Any) -> None:
    """Part from the other processes; without this some abort at their end."""
    fabric.barrier()
    gc.collect()
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def create_network(choice: NetworkChoice, seed: int) -> ClickNetwork:
    """Build a network that begins as the plan says; what is not given is drawn by the seed.

    Raises
    ------
    WeightsError
        If the weights to begin with are not on this machine, or do not fit.
    InputError
        If the family cannot begin as the plan says.
    """
    built = find_network(choice.family)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(chance_of(Purpose.WEIGHTS, seed).integers(2**31)))
        if choice.weights is not None:
            return load_network(choice.weights, built).requires_grad_(True)
        network = built(built.config_type(**choice.shape))
    _begin(network, choice)
    return network


def _begin(network: ClickNetwork, choice: NetworkChoice) -> None:
    """Give a network what others have learnt from pictures."""
    if choice.start is not None and isinstance(network, ICMFormerSwinNetwork):
        network.backbone.initialise_from(choice.start)
    elif choice.start is not None and isinstance(network, SimpleClickNetwork):
        initialise_from(network, choice.start)
    crops = None
    if isinstance(network, ICMFormerPPNetwork):
        network.follow_backbone()
        crops = network.compare
    if choice.crop_start is not None:
        if crops is None:
            raise InputError("The network looks at no crops; leave network.crop_start out.")
        crops.features.initialise_from(choice.crop_start)


def _save(network: ClickNetwork, path: Path, fabric: Any) -> None:
    if fabric.global_rank == 0:
        save_network(network, path)
    fabric.barrier()
