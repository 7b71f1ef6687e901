"""Whole clicks: what a person waits for, beside what people would use instead."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from skimage.segmentation import random_walker
from sklearn.datasets import load_sample_image

from fewclicks.arrays import RgbImage
from fewclicks.clicks import Click
from fewclicks.evaluation.speed.rows import Row, Stage
from fewclicks.evaluation.speed.stages import TEMPERATURES, SquareColours, token_side
from fewclicks.images.resizing import resize_image
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.energy.seeds import Seeds, draw_seeds
from fewclicks.methods.markov.m2n2 import M2N2
from fewclicks.methods.registry import create_method

WALKS: Final = ("m2n2", "m2n2, slow walk")
"""M2N2 on 64x64 tokens whose walk takes about twenty steps, and on some where it takes hundreds."""

_PLACES: Final = ((0.49, 0.42), (0.07, 0.12), (0.50, 0.62), (0.94, 0.90), (0.29, 0.58))
_GRABCUT_ROUNDS: Final = 5


def photograph(width: int, height: int) -> RgbImage:
    """Give scikit-learn's temple at another size."""
    return resize_image(load_sample_image("china.jpg"), height=height, width=width)


def usual_clicks(image: RgbImage) -> list[Click]:
    """Give five clicks, positive and negative in turn."""
    height, width = image.shape[:2]
    return [
        Click(x=int(right * width), y=int(down * height), is_positive=index % 2 == 0)
        for index, (right, down) in enumerate(_PLACES)
    ]


def timed_method(name: str, image: RgbImage) -> AnyMethod:
    """Make a method by its name, or one of `WALKS`."""
    if name in WALKS:
        temperature = TEMPERATURES[1 if name == WALKS[0] else 2]
        backbone: Any = SquareColours(token_side(image), temperature)
        return cast("AnyMethod", M2N2(backbone=backbone))
    return create_method(name)


def method_stages(name: str, image: RgbImage, clicks: list[Click], rivals: bool) -> Iterator[Stage]:
    """Time preparation, the first mask and a further click, the last beside its rivals."""
    method = timed_method(name, image)
    besides = " besides the backbone" if name in WALKS else ""
    yield Stage(name=f"{name}: prepare{besides}", ours=lambda: method.prepare(image))
    yield Stage(
        name=f"{name}: prepare and first mask{besides}",
        ours=lambda: method.predict(method.prepare(image), clicks[:1]),
    )
    prepared = method.prepare(image)
    before = method.predict(prepared, clicks[:-1])
    places = (_newest(image, index) for index in count())

    def click() -> Any:
        # At a place that was never clicked, so that nothing is remembered of it.
        return method.predict(prepared, [*clicks[:-1], next(places)], before)

    yield Stage(name=f"{name}: a click", ours=click)
    if rivals:
        seeds = draw_seeds(image.shape[:2], clicks)
        for rival, work in (("OpenCV GrabCut", _grabcut), ("scikit-image random walker", _walker)):
            theirs = partial(work, image, seeds)
            yield Stage(name=f"{name}: a click", ours=click, baseline=rival, theirs=theirs)


def peak_memory(name: str, width: int, height: int) -> Row:
    """Prepare and click in a process of its own, and ask for its largest memory."""
    code = f"from {__name__} import _print_peak; _print_peak({name!r}, {width}, {height})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Row(name=f"{name}: peak memory", megabytes=json.loads(done.stdout)["megabytes"])


def _print_peak(name: str, width: int, height: int) -> None:
    image = photograph(width, height)
    clicks = usual_clicks(image)
    method = timed_method(name, image)
    prepared = method.prepare(image)
    previous = None
    for number in range(1, len(clicks) + 1):
        previous = method.predict(prepared, clicks[:number], previous)
    print(json.dumps({"megabytes": _peak_megabytes()}))


def _peak_megabytes() -> float | None:
    """Of this process so far; unknown to Windows."""
    status = Path("/proc/self/status")
    if status.is_file():  # what getrusage says there counts the process that started this one
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(peak.split()[1]) / 2**10, 1)
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def _newest(image: RgbImage, index: int) -> Click:
    """Walk over the picture in strides that do not come back to a place soon."""
    height, width = image.shape[:2]
    x, y = (0.05 + 0.618 * index) % 0.9 + 0.05, (0.35 + 0.382 * index) % 0.9 + 0.05
    return Click(x=int(x * width), y=int(y * height), is_positive=False)


def _grabcut(image: RgbImage, seeds: Seeds) -> Any:
    mask = np.full(image.shape[:2], cv2.GC_PR_BGD, dtype=np.uint8)
    mask[seeds.positive], mask[seeds.negative] = cv2.GC_FGD, cv2.GC_BGD
    models = np.zeros((2, 1, 65))
    mode = cv2.GC_INIT_WITH_MASK
    cv2.grabCut(image, mask, (0, 0, 0, 0), models[0], models[1], _GRABCUT_ROUNDS, mode)
    return mask


def _walker(image: RgbImage, seeds: Seeds) -> Any:
    labels = np.where(seeds.positive, 1, np.where(seeds.negative, 2, 0))
    return random_walker(image / 255.0, labels, beta=130, mode="cg_j", channel_axis=2)
