"""Click the tuning pictures and write down the evidence, for `fit_evidence.py`.

    collect="python tools/fitting/collect_evidence.py --data DIR --backbone NAME_OR_FOLDER"
    $collect --out runs/alone
    $collect --out runs/together --first runs
    $collect --out runs/again --first runs --second runs/evidence.safetensors
    $collect --out runs/other --second evidence_vit.safetensors

DIR holds `photos` and `coco_tiny` (labels; 65535 is void). At most two objects of a picture, drawn
with a chance that grows with their side length, of at least 1500 pixels, and a random crop around
one of them, so that objects come in all sizes. The first round clicks by a rule of thumb; the
second by the networks that `fit_evidence.py` made of the first, each on the pictures that it has
not seen; the third by the whole method, so that the network learns from the masks that it makes
itself. The last begins from networks that were fitted to another backbone, and skips the first two
rounds.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tuning_pictures import collect, parser_of, samples_of, void_of

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.backbones.registry import EMBEDDED_BACKBONE, create_backbone
from fewclicks.datasets.base import Sample
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.images.masks import iou
from fewclicks.methods.markov.evidence import RegionClick, gather_context, gather_evidence
from fewclicks.methods.markov.evidence_network import Perceptron
from fewclicks.methods.markov.fewclicks import Fewclicks, RegionPicture
from fewclicks.methods.markov.fewclicks_config import FewclicksConfig
from fewclicks.methods.markov.regions import Regions
from fewclicks.session.session import Session

LEAST_AREA, MOST_OBJECTS, MOST_CLICKS, KEPT_REGIONS = 1500, 2, 8, 400
GOOD_ENOUGH = 0.95
CROP_SIDE = 400

# Columns of the evidence that the rule of thumb reads; the ratios are of paths over features.
OFF_RATIO, BORDER_RATIO, FEATURE_ODDS, NEGATIVES = 33, 52, 54, 81


def fold_of(picture: str) -> int:
    """0..5; fold 0 is kept for validation, the others alternate between two networks."""
    return zlib.crc32(picture.encode()) % 6


@dataclass
class Notebook:
    """A network that writes down what it is shown."""

    alone: Perceptron | None
    together: Perceptron | None
    context: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    weighs_token_walk: bool = True

    def log_odds(
        self,
        regions: Regions,
        clicks: Sequence[RegionClick],
        previous: NDArray[np.float64] | None,
    ) -> NDArray[np.float32]:
        evidence = gather_evidence(regions, clicks, previous)
        first = self.alone.log_odds(evidence) if self.alone else _rule_of_thumb(evidence)
        self.context = gather_context(regions, evidence, first, previous)
        return self.together.log_odds(self.context) if self.together else first


def _rule_of_thumb(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    ratio = BORDER_RATIO if evidence[0, NEGATIVES] == 0 else OFF_RATIO
    return 6 * (1 - 2 * evidence[:, ratio]) + 0.5 * evidence[:, FEATURE_ODDS]


def crop_around(
    chance: np.random.Generator, image: RgbImage, truth: BoolMask, void: BoolMask
) -> tuple[RgbImage, BoolMask, BoolMask]:
    """Cut out a window around the object, mirrored half the time, of at least 400 pixels."""
    ys, xs = np.nonzero(truth)
    window = []
    margin = chance.uniform(0.15, 1.0)
    for places, extent in ((ys, truth.shape[0]), (xs, truth.shape[1])):
        low, high = int(places.min()), int(places.max()) + 1
        before, after = (margin * (high - low) * chance.uniform(0.2, 1.5, 2) + 8).astype(int)
        window.append(slice(max(0, low - before), min(extent, high + after)))
    parts = [np.ascontiguousarray(array[tuple(window)]) for array in (image, truth, void)]
    if chance.random() < 0.5:
        parts = [np.ascontiguousarray(part[:, ::-1]) for part in parts]
    height, width = parts[1].shape
    scale = max(1.0, CROP_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    picture = cv2.resize(parts[0], size, interpolation=cv2.INTER_CUBIC)
    masks = [
        cv2.resize(p.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) for p in parts[1:]
    ]
    return picture, masks[0] > 0, masks[1] > 0


def click_object(
    method: Fewclicks,
    notebook: Notebook,
    prepared: RegionPicture,
    truth: BoolMask,
    void: BoolMask,
    name: str,
) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Click one object until it is good enough; one set of rows for each click."""
    session = Session(method, prepared)
    regions = prepared.whole.regions
    superpixels = regions.superpixels
    shape = superpixels.labels.shape
    small = [
        cv2.resize(m.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
        for m in (truth, void)
    ]
    label = superpixels.mean(small[0])
    judged = regions.shares * superpixels.count * (1 - superpixels.mean(small[1]))
    user = SimulatedUser(jitter=10.0 * (zlib.crc32(name.encode()) % 2), seed=0)
    chance = np.random.default_rng(zlib.crc32(name.encode()))
    for _ in range(MOST_CLICKS):
        click = user.next_click(
            truth, session.mask, void=void, clicked=session.clicks, object_id=name
        )
        if click is None:
            return
        session.click(click.x, click.y, is_positive=click.is_positive)
        kept = chance.choice(len(label), min(KEPT_REGIONS, len(label)), replace=False)
        size = float((label * regions.shares).sum())
        weight = judged[kept] * min(1.5, 0.2 + 2 * np.sqrt(size))
        yield {
            "context": notebook.context[kept].astype(np.float16),
            "label": label[kept].astype(np.float16),
            "weight": weight.astype(np.float16),
        }
        if iou(session.mask, truth, void=void) >= GOOD_ENOUGH:
            return


def draw_objects(chance: np.random.Generator, samples: Sequence[Sample]) -> list[Sample]:
    """Draw a few objects of a picture; large ones are likelier, as people mean them more often."""
    if not samples:
        return []
    sides = np.sqrt([sample.object_mask.mean() for sample in samples])
    count = min(MOST_OBJECTS, len(samples))
    drawn = chance.choice(len(samples), count, replace=False, p=sides / sides.sum())
    return [samples[index] for index in sorted(drawn)]


def read_networks(
    fold: int, first: Path | None, second: Path | None
) -> tuple[Perceptron | None, Perceptron | None]:
    """Read the networks of earlier rounds; the first, if given, has not seen the fold."""
    alone = together = None
    if second is not None:
        named = load_file(second)
        alone, together = (Perceptron.from_tensors(named, kind) for kind in ("alone", "together"))
    if first is not None:
        file = "alone.safetensors" if fold == 0 else f"alone-{fold % 2}.safetensors"
        alone = Perceptron.from_tensors(load_file(first / file), "alone")
    return alone, together


def collect_picture(
    options: argparse.Namespace, name: str, picture: str
) -> dict[str, NDArray[np.generic]]:
    """Click the objects of one picture; rows of evidence for all clicks."""
    fold = fold_of(picture)
    notebook = Notebook(*read_networks(fold, options.first, options.second))
    config = FewclicksConfig(longest_side=480, zoom=0, shape=0)
    method = Fewclicks(create_backbone(options.backbone), config, notebook)
    chance = np.random.default_rng(zlib.crc32(f"{options.out.name} {picture}".encode()))
    samples = samples_of(options.data, name, picture, least_area=LEAST_AREA)
    scenes = []
    prepared = None
    for sample in draw_objects(chance, samples):
        prepared = prepared or method.prepare(sample.image)
        scenes.append((prepared, sample.object_mask, void_of(sample), sample.id))
    if scenes:
        _, truth, void, identity = scenes[int(chance.integers(len(scenes)))]
        image, truth, void = crop_around(chance, samples[0].image, truth, void)
        scenes.append((method.prepare(image), truth, void, identity + " cropped"))
    clicks = [row for scene in scenes for row in click_object(method, notebook, *scene)]
    if not clicks:
        return {}
    arrays = {key: np.concatenate([rows[key] for rows in clicks]) for key in clicks[0]}
    lengths = [len(rows["label"]) for rows in clicks]
    return {
        "fold": np.full(len(arrays["label"]), fold, np.int8),
        "click": np.repeat(np.arange(len(clicks), dtype=np.int16), lengths),
        **arrays,
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", default=EMBEDDED_BACKBONE)
    parser.add_argument("--first", type=Path)
    parser.add_argument("--second", type=Path)
    collect(parser.parse_args(), collect_picture, least_area=LEAST_AREA)


if __name__ == "__main__":
    main()
