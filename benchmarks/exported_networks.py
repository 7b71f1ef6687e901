"""Time a click of SimpleClick's base network by torch and by onnxruntime, in one run.

    python benchmarks/exported_networks.py [--size base] [--threads 1] [--repeats 5] [--out FILE]

Numbers are drawn: time does not depend on them. The network is saved, exported, and asked by the
very methods that users ask, with the mirror and without; they take turns, so that whatever else the
machine does disturbs them alike. The run also says how far both answers are apart, click after
click, on a photograph.
"""

from __future__ import annotations

import argparse
import os
import sys

_asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
_asked.add_argument("--size", default="base", choices=["xtiny", "base"])
_asked.add_argument("--threads", type=int, default=1)
_asked.add_argument("--repeats", type=int, default=5)
_asked.add_argument("--out")
GIVEN = _asked.parse_args() if __name__ == "__main__" else _asked.parse_args([])
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = str(GIVEN.threads)

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage import data

from fewclicks import create_method
from fewclicks.clicks import Click
from fewclicks.evaluation.machine import describe_machine
from fewclicks.files import write_text
from fewclicks.methods.base import AnyMethod, Prediction, Prepared
from fewclicks.methods.transformer.network_files import save_network
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)

CLICKS = [
    Click(x=220, y=140),
    Click(x=40, y=40, is_positive=False),
    Click(x=300, y=200),
    Click(x=420, y=280, is_positive=False),
]


def built(folder: Path, size: str) -> tuple[Path, Path]:
    """Save a network with drawn numbers, half of a picture its object, and export it."""
    torch.manual_seed(0)
    network = SimpleClickNetwork(SimpleClickNetworkConfig(size=size)).eval()
    side = network.config.side
    with torch.no_grad():
        logits = network(torch.rand(1, 3, side, side), torch.zeros(1, 3, side, side))
        network.head.classify.weight *= 2 / logits.std()
        network.head.classify.bias[:] = -logits.median() * 2 / logits.std()
    save_network(network, folder / "drawn.safetensors")
    method: Any = create_method("simpleclick", weights=str(folder / "drawn.safetensors"))
    method.export_onnx(folder / "exported")
    return folder / "drawn.safetensors", folder / "exported"


def apart(methods: dict[str, AnyMethod], image: Any) -> dict[str, Any]:
    """Say how far the answers are apart, click after click."""
    prepared = {name: method.prepare(image) for name, method in methods.items()}
    before: dict[str, Prediction | None] = dict.fromkeys(methods)
    largest, differ, shares = 0.0, 0, []
    for count in range(1, len(CLICKS) + 1):
        answers = {
            name: method.predict(prepared[name], CLICKS[:count], before[name])
            for name, method in methods.items()
        }
        one, other = answers.values()
        largest = max(largest, float(np.abs(one.probability - other.probability).max()))
        differ += int(np.count_nonzero(one.mask != other.mask))
        shares.append(round(float(one.mask.mean()), 3))
        before = dict(answers)
    return {"probability": largest, "mask_pixels": differ, "on_the_object": shares}


def in_turns(work: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[list[float]]]:
    """Wall and processor seconds of each, after one round that does not count."""
    taken: dict[str, list[list[float]]] = {name: [] for name in work}
    for number in range(repeats + 1):
        for name, do in work.items():
            start, worked = time.perf_counter(), time.process_time()
            do()
            if number:
                taken[name].append([time.perf_counter() - start, time.process_time() - worked])
    return taken


def measured(files: tuple[Path, Path], image: Any, *, flip: bool, repeats: int) -> dict[str, Any]:
    """Time a click on the whole picture, whose part does not change."""
    settings: dict[str, Any] = {"flip": flip, "zoom": False, "device": "cpu"}
    methods = {
        name: create_method("simpleclick", weights=str(file), **settings)
        for name, file in zip(("torch", "onnxruntime"), files, strict=True)
    }
    difference = apart(methods, image)
    prepared = {name: method.prepare(image) for name, method in methods.items()}

    def ask(method: AnyMethod, picture: Prepared) -> Callable[[], Any]:
        return lambda: method.predict(picture, CLICKS[:2])

    taken = in_turns({name: ask(methods[name], prepared[name]) for name in methods}, repeats)
    rows = {
        name: {
            "click_s": round(statistics.median(wall for wall, _ in seconds), 3),
            "click_cpu_s": round(statistics.median(cpu for _, cpu in seconds), 3),
            "cpu_spread_s": round(max(c for _, c in seconds) - min(c for _, c in seconds), 3),
        }
        for name, seconds in taken.items()
    }
    ratio = rows["torch"]["click_cpu_s"] / rows["onnxruntime"]["click_cpu_s"]
    return {"flip": flip, "rows": rows, "torch_over_onnx": round(ratio, 2), "apart": difference}


def main() -> None:
    torch.set_num_threads(GIVEN.threads)
    image = np.ascontiguousarray(data.chelsea())
    with tempfile.TemporaryDirectory() as folder:
        files = built(Path(folder), GIVEN.size)
        runs = [measured(files, image, flip=flip, repeats=GIVEN.repeats) for flip in (False, True)]
    found = {
        "machine": describe_machine(workers=1, threads=GIVEN.threads),
        "load": round(os.getloadavg()[0], 1),
        "network": f"simpleclick {GIVEN.size}, side 448",
        "repeats": GIVEN.repeats,
        "runs": runs,
    }
    text = json.dumps(found, indent=2) + "\n"
    sys.stdout.write(text)
    if GIVEN.out is not None:
        write_text(Path(GIVEN.out), text)


if __name__ == "__main__":
    main()
