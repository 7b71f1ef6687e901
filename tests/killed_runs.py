"""Runs that are killed at random moments and taken up again; each has a process of its own."""

from __future__ import annotations

import multiprocessing
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PACE = 0.01  # seconds that a unit of work takes at least, so that kills fall within it
LOADED_ONCE = ("fewclicks.cli.app", "fewclicks.evaluation.run", "fewclicks.proposals.run")


def logged(log: Path) -> Counter[str]:
    """How often each unit of work was begun."""
    return Counter(log.read_text().split()) if log.exists() else Counter()


def log_calls(owner: Any, name: str, log: Path, describe: Callable[..., object]) -> None:
    """Write a line whenever a function is called, in this process."""
    call = getattr(owner, name)

    def calling(*arguments: Any, **options: Any) -> Any:
        with log.open("a") as file:
            file.write(f"{describe(*arguments)}\n")
        time.sleep(PACE)
        return call(*arguments, **options)

    setattr(owner, name, calling)


def run_killed(
    work: Callable[..., None],
    *arguments: Any,
    log: Path,
    kills: int,
    units: int = 2,
    also_load: tuple[str, ...] = (),
) -> None:
    """Let work begin and be killed as often, and then come to its end.

    Each kill comes after 0 to so many further units have begun, and a little while.
    """
    context = multiprocessing.get_context("forkserver")  # so that modules are loaded once
    context.set_forkserver_preload([*LOADED_ONCE, *also_load])
    chance = np.random.default_rng(0)
    for kill in range(kills + 1):
        process = context.Process(target=work, args=arguments)
        before = logged(log).total()
        process.start()
        if kill < kills:
            wanted = before + int(chance.integers(0, units + 1))
            while process.is_alive() and logged(log).total() < wanted:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 2 * PACE))
            assert process.is_alive(), "it ended before it could be killed"
            process.kill()
        process.join()
    assert process.exitcode == 0


def evaluate_logged(plan: Any, out: Path, log: Path) -> None:
    """Measure graphcut, and log each picture that it prepares."""
    from fewclicks.evaluation.run import evaluate
    from fewclicks.methods.classical.graphcut import GraphCut

    log_calls(GraphCut, "prepare", log, lambda _method, image: zlib.crc32(image.tobytes()))
    evaluate(plan, out, resume=True)


def propose_logged(plan: Any, pictures: Path, out: Path, log: Path, rows: int) -> None:
    """Keep shards of so many pictures, and log each that the backbone looks at."""
    from fewclicks.backbones.colour import ColourBackbone
    from fewclicks.proposals import run

    log_calls(ColourBackbone, "features", log, lambda _, image: zlib.crc32(image.tobytes()))
    run._MOST_ROWS = rows
    run.propose(plan, pictures, out, workers=2, resume=True)


def train_logged(plan: Any, data: Path, out: Path, log: Path) -> None:
    """Log each step that is begun."""
    import torch

    from fewclicks.training import loop
    from fewclicks.training.run import train

    torch.set_num_threads(1)
    log_calls(loop, "_step", log, lambda _plan, learner, *_: learner.step)
    train(plan, out, data=str(data), resume=True, device="cpu")
