"""Time the default's preparation and click against what people would use instead, in one run.

    python benchmarks/click.py [--out FILE.json]

One photograph at 854 x 480 and five clicks, one thread; OpenCV's GrabCut and scikit-image's random
walker get the very same seeds. Rows and machine are printed as JSON; a ratio above 1 means that
we are so many times faster.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import cv2
import numpy as np
from skimage.segmentation import random_walker
from sklearn.datasets import load_sample_image

from fewclicks.clicks import Click
from fewclicks.evaluation.machine import describe_machine
from fewclicks.methods.energy.seeds import Seeds, draw_seeds
from fewclicks.methods.registry import create_method

WIDTH, HEIGHT, RUNS = 854, 480, 7
CLICKS = (
    Click(x=420, y=200),
    Click(x=60, y=60, is_positive=False),
    Click(x=430, y=300),
    Click(x=800, y=430, is_positive=False),
    Click(x=250, y=280),
)


def timed(work: Callable[[], object]) -> dict[str, Any]:
    """Median wall and processor seconds of several runs after a warm-up, and the spread."""
    work()
    walls, cpus = [], []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "median_s": round(statistics.median(walls), 4),
        "cpu_s": round(statistics.median(cpus), 4),
        "spread_s": round(max(walls) - min(walls), 4),
    }


def opencv_grabcut(image: np.ndarray, seeds: Seeds) -> np.ndarray:
    mask = np.full(image.shape[:2], cv2.GC_PR_BGD, dtype=np.uint8)
    mask[seeds.positive], mask[seeds.negative] = cv2.GC_FGD, cv2.GC_BGD
    models = np.zeros((2, 1, 65))
    cv2.grabCut(image, mask, None, models[0], models[1], 5, cv2.GC_INIT_WITH_MASK)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


def scikit_random_walker(image: np.ndarray, seeds: Seeds) -> np.ndarray:
    labels = np.where(seeds.positive, 1, np.where(seeds.negative, 2, 0))
    return random_walker(image / 255.0, labels, beta=130, mode="cg_j", channel_axis=2) == 1


def start_up(code: Sequence[str]) -> dict[str, Any]:
    return timed(lambda: subprocess.run([sys.executable, *code], check=True, capture_output=True))


def measure() -> dict[str, Any]:
    cv2.setNumThreads(1)
    image = cv2.resize(
        load_sample_image("china.jpg"), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA
    )
    image = np.ascontiguousarray(image, dtype=np.uint8)
    method = create_method()
    prepared = method.prepare(image)
    seeds = draw_seeds((HEIGHT, WIDTH), CLICKS)
    before = method.predict(prepared, CLICKS[:-1])
    places = iter(range(60, 60 + 40 * (RUNS + 1), 40))

    def new_click() -> object:
        # A region that was never clicked, so that nothing is remembered of it.
        newest = Click(x=next(places), y=450, is_positive=False)
        return method.predict(prepared, [*CLICKS[:-1], newest], before)

    click = {"name": "default: a click", **timed(new_click)}
    peak = {"name": "default: peak memory", "megabytes": _peak_megabytes()}
    rows = [{"name": "default: prepare", **timed(lambda: method.prepare(image))}, peak]
    for name, work in (
        ("OpenCV GrabCut, 5 rounds", lambda: opencv_grabcut(image, seeds)),
        ("scikit-image random walker", lambda: scikit_random_walker(image, seeds)),
    ):
        baseline = timed(work)
        rows.append({"name": name, **baseline})
        ratio = round(baseline["median_s"] / click["median_s"], 1)
        rows.append({**click, "baseline": name, "ratio": ratio})
    rows.append({"name": "import fewclicks", **start_up(["-c", "import fewclicks"])})
    rows.append({"name": "fewclicks --help", **start_up(["-m", "fewclicks", "--help"])})
    return {"machine": describe_machine(), "width": WIDTH, "height": HEIGHT, "rows": rows}


def _peak_megabytes() -> float:
    """Of this process so far; kilobytes on Linux, bytes on macOS, unknown to Windows."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    text = json.dumps(measure(), indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
