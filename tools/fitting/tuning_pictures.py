"""The pictures kept for tuning, clicked one after the other by several processes.

A folder of data holds `coco_tiny`, of which split train2017 is taken, and `photos`, of which those
with labels are; 65535 is void.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike

from fewclicks.datasets.base import Dataset, Sample, sharing_pixels
from fewclicks.datasets.registry import open_dataset
from fewclicks.files import written_beside

FOLDERS = ("coco_tiny", "photos")
SPLIT = "train2017"


def samples_of(data: Path, name: str, picture: str, *, least_area: int) -> list[Sample]:
    """Read the objects of a picture that have so many pixels at least."""
    return list(sharing_pixels(_open(data, name, least_area).samples(picture)))


def pictures_of(data: Path, *, least_area: int, limit: int | None) -> Iterator[tuple[str, str]]:
    """Name the folder and the picture of each, at most so many of a folder."""
    for name in FOLDERS:
        known = json.loads((data / name / "instances.json").read_text(encoding="utf-8"))
        pictures = [
            picture
            for picture in _open(data, name, least_area).pictures
            if picture in known and known[picture].get("split", SPLIT) == SPLIT
        ]
        for picture in pictures[:limit]:
            yield name, picture


def void_of(sample: Sample) -> np.ndarray:
    return np.zeros_like(sample.object_mask) if sample.void_mask is None else sample.void_mask


def collect(
    options: argparse.Namespace,
    work_out: Callable[[argparse.Namespace, str, str], dict[str, ArrayLike]],
    *,
    least_area: int,
) -> None:
    """Write a file of arrays for each picture that gives some; what is there already is left."""
    options.out.mkdir(parents=True, exist_ok=True)
    todo = list(pictures_of(options.data, least_area=least_area, limit=options.limit))
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(_keep, options, work_out, *each) for each in todo]
        for done, job in enumerate(jobs, 1):
            job.result()
            if done % 20 == 0:
                print(f"{done} of {len(todo)} pictures", flush=True)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="so many pictures of each set only")
    parser.add_argument("--workers", type=int, default=2)
    return parser


def _keep(
    options: argparse.Namespace,
    work_out: Callable[[argparse.Namespace, str, str], dict[str, ArrayLike]],
    name: str,
    picture: str,
) -> None:
    target = options.out / f"{name}-{picture}.npz"
    if target.exists():
        return
    cv2.setNumThreads(1)
    if arrays := work_out(options, name, picture):
        with written_beside(target) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)


def _open(data: Path, name: str, least_area: int) -> Dataset:
    settings = {"masks": "labels", "void": 65535, "min_area": least_area, "unlabelled": "skip"}
    return open_dataset("folder", data / name, **settings)
