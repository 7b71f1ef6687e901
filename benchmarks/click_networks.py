"""Time what a click costs click networks of base size, on one thread, in one run.

    python benchmarks/click_networks.py [--side 448] [--repeats 5] [--out FILE]

Numbers are drawn: time does not depend on them. A click is answered on the whole picture, without
its mirror; pictures and exemplars were looked at before. Networks take turns, so that whatever
else the machine does disturbs them alike.
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fewclicks.clicks import Click
from fewclicks.evaluation.machine import describe_machine
from fewclicks.files import write_text
from fewclicks.images.boxes import Box
from fewclicks.methods.guidance import Exemplar
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.methods.transformer.exemplar_inference import ExemplarInference
from fewclicks.methods.transformer.icmformer_network import (
    ICMFormerNetwork,
    ICMFormerNetworkConfig,
)
from fewclicks.methods.transformer.icmformer_pp_network import (
    ICMFormerPPNetwork,
    ICMFormerPPNetworkConfig,
)
from fewclicks.methods.transformer.inference import NetworkInference
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

BASELINE = "simpleclick"
GOAL = 1.5
SIZE = (480, 640)
CLICKS = [Click(x=320, y=240), Click(x=100, y=100, is_positive=False)]


def stages(side: int) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Give what is done once for each picture, and for each click, by method."""
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    before = np.random.default_rng(1).random(SIZE, dtype=np.float32)
    whole = Box(0, 0, SIZE[1], SIZE[0])
    mask = np.zeros(SIZE, dtype=bool)
    mask[100:200, 150:300] = True
    exemplar = Exemplar(mask=mask, clicks=(Click(x=200, y=150),))
    looks: dict[str, Any] = {"side": side, "flip": False, "device": "cpu", "precision": "fp32"}

    def stage(network: ClickNetwork) -> tuple[Callable[[], Any], Callable[[], Any]]:
        if isinstance(network, ICMFormerPPNetwork):
            inference: NetworkInference = ExemplarInference(network, **looks)
        else:
            inference = NetworkInference(network, **looks)

        def prepare() -> Any:
            seen = inference.embed(image, whole)
            if isinstance(inference, ExemplarInference):
                return inference.tell(seen, whole, exemplar)
            return seen

        kept = prepare()
        return prepare, lambda: inference.answer(kept, whole, CLICKS, before)

    return {
        BASELINE: stage(SimpleClickNetwork(SimpleClickNetworkConfig())),
        "icmformer": stage(ICMFormerNetwork(ICMFormerNetworkConfig())),
        "icmformer_pp": stage(ICMFormerPPNetwork(ICMFormerPPNetworkConfig())),
    }


def in_turns(work: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Processor seconds of each, after one round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for number in range(repeats + 1):
        for name, do in work.items():
            start = time.process_time()
            do()
            if number:
                taken[name].append(time.process_time() - start)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=448)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    timed = stages(given.side)
    prepare = in_turns({name: stage[0] for name, stage in timed.items()}, 1)
    click = in_turns({name: stage[1] for name, stage in timed.items()}, given.repeats)
    baseline = statistics.median(click[BASELINE])
    rows = [
        {
            "name": name,
            "prepare_cpu_s": round(statistics.median(prepare[name]), 3),
            "click_cpu_s": round(statistics.median(seconds), 3),
            "click_spread_s": round(max(seconds) - min(seconds), 3),
            "times_simpleclick": round(statistics.median(seconds) / baseline, 2),
        }
        for name, seconds in click.items()
    ]
    found = {
        "machine": describe_machine(workers=1, threads=1),
        "load": round(os.getloadavg()[0], 1),
        "side": given.side,
        "repeats": given.repeats,
        "goal": {"icmformer": f"at most {GOAL} times simpleclick"},
        "rows": rows,
    }
    for row in rows:
        print(
            f"{row['name']:14} prepare {row['prepare_cpu_s']:7.2f} s  "
            f"click {row['click_cpu_s']:6.2f} s  {row['times_simpleclick']:5.2f} x {BASELINE}"
        )
    if given.out is not None:
        write_text(given.out, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
