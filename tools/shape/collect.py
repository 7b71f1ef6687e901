"""Click the tuning pictures with the method itself and write down the lessons, for `fit.py`.

    python tools/shape/collect.py --data DIR --out LESSONS

DIR holds `photos` and `coco_tiny` (labels; 65535 is void). At most five objects of a picture, of at
least 900 pixels, drawn with a chance that grows with their side length; at most eight clicks on
each, half the objects by a trembling hand. A picture that is done is left, so that it goes on where
it stopped.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask
from fewclicks.backbones.registry import EMBEDDED_BACKBONE, create_backbone
from fewclicks.clicks import Click
from fewclicks.datasets.base import Dataset, Sample, sharing_pixels
from fewclicks.datasets.registry import open_dataset
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.images.masks import iou
from fewclicks.images.resizing import resize_mask
from fewclicks.methods.base import Prediction
from fewclicks.methods.markov.fewclicks import Fewclicks, RegionPicture
from fewclicks.methods.markov.fewclicks_config import FewclicksConfig
from fewclicks.methods.markov.view import View
from fewclicks.session.session import Session

LEAST_AREA, MOST_OBJECTS, MOST_CLICKS = 900, 5, 8
GOOD_ENOUGH, TREMBLING = 0.95, 6.0


class Noting(Fewclicks):
    """The method without a shape network, which keeps its last opinion of the regions."""

    noted: NDArray[np.floating]

    def _opinion(
        self,
        prepared: RegionPicture,
        view: View,
        clicks: Sequence[Click],
        previous: Prediction | None,
    ) -> NDArray[np.floating]:
        self.noted = super()._opinion(prepared, view, clicks, previous)
        return self.noted


def draw_objects(chance: np.random.Generator, samples: Sequence[Sample]) -> list[Sample]:
    sides = np.sqrt([sample.object_mask.mean() for sample in samples])
    count = min(MOST_OBJECTS, len(samples))
    drawn = chance.choice(len(samples), count, replace=False, p=sides / sides.sum())
    return [samples[index] for index in drawn]


def click_object(
    method: Noting, prepared: RegionPicture, sample: Sample, void: BoolMask
) -> list[dict[str, Any]]:
    """Click one object until it is good enough; a lesson for each click."""
    session = Session(method, prepared)
    trembling = zlib.crc32(sample.id.encode()) % 2
    user = SimulatedUser(jitter=TREMBLING * trembling, seed=0)
    lessons: list[dict[str, Any]] = []
    for _ in range(MOST_CLICKS):
        click = user.next_click(
            sample.object_mask,
            session.mask,
            void=void,
            clicked=session.clicks,
            object_id=sample.id,
        )
        if click is None:
            break
        before = session.mask
        session.click(click.x, click.y, is_positive=click.is_positive)
        found = iou(session.mask, sample.object_mask, void=void)
        places = np.full((MOST_CLICKS, 3), -1.0, dtype=np.float32)
        for row, each in zip(places, session.clicks, strict=False):
            at = (each.x + 0.5) / prepared.width, (each.y + 0.5) / prepared.height
            row[:] = *at, each.is_positive
        lessons.append(
            {
                "opinion": method.noted.astype(np.float16),
                "previous": _packed(before, prepared.whole),
                "clicks": places,
                "iou": found,
            }
        )
        if found >= GOOD_ENOUGH:
            break
    return lessons


def collect_picture(options: argparse.Namespace, name: str, picture: str) -> int:
    """Click the objects of one picture and write their lessons."""
    target = options.out / f"{name}-{picture}.npz"
    if target.exists():
        return 0
    cv2.setNumThreads(1)
    samples = list(sharing_pixels(_open(options.data, name).samples(picture)))
    if not samples:
        return 0
    method = Noting(create_backbone(EMBEDDED_BACKBONE), FewclicksConfig(shape=0.0))
    prepared = method.prepare(samples[0].image)
    view = prepared.whole
    chance = np.random.default_rng(zlib.crc32(f"{name}{picture}".encode()))
    kept: dict[str, list[Any]] = {"truth": [], "void": [], "of": []}
    for number, sample in enumerate(draw_objects(chance, samples)):
        void = np.zeros_like(sample.object_mask) if sample.void_mask is None else sample.void_mask
        kept["truth"].append(_packed(sample.object_mask, view))
        kept["void"].append(_packed(void, view))
        for lesson in click_object(method, prepared, sample, void):
            kept["of"].append(number)
            for key, value in lesson.items():
                kept.setdefault(key, []).append(value)
    np.savez(
        target,
        image=view.picture,
        labels=view.regions.superpixels.labels.astype(np.int16),
        **{key: np.array(values) for key, values in kept.items()},
    )
    return len(kept["of"])


def _packed(mask: BoolMask, view: View) -> NDArray[np.uint8]:
    height, width = view.shape
    return np.packbits(resize_mask(mask, height=height, width=width))


def _open(data: Path, name: str) -> Dataset:
    settings = {"masks": "labels", "void": 65535, "min_area": LEAST_AREA, "unlabelled": "skip"}
    return open_dataset("folder", data / name, **settings)


def _pictures(data: Path, name: str) -> list[str]:
    known = json.loads((data / name / "instances.json").read_text())
    return [
        picture
        for picture in _open(data, name).pictures
        if picture in known and known[picture].get("split", "train2017") == "train2017"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="so many pictures of each set only")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    todo = [
        (name, picture)
        for name in ("coco_tiny", "photos")
        for picture in _pictures(options.data, name)[: options.limit]
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(collect_picture, options, name, picture) for name, picture in todo]
        for done, job in enumerate(jobs, 1):
            job.result()
            if done % 20 == 0:
                print(f"{done} of {len(todo)} pictures", flush=True)


if __name__ == "__main__":
    main()
