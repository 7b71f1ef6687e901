"""Click the tuning pictures with the method itself and write down the lessons, for `fit_shape.py`.

    python tools/fitting/collect_shapes.py --data DIR --out LESSONS

DIR holds `photos` and `coco_tiny` (labels; 65535 is void). At most five objects of a picture, of at
least 900 pixels, drawn with a chance that grows with their side length; at most twelve clicks on
each, half the objects by a trembling hand. What the shape network is shown is written down, before
it corrects that; with `--uncorrected` it corrects nothing, as before the first fit. A picture that
is done is left, so that it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tuning_pictures import collect, parser_of, samples_of, void_of

from fewclicks.arrays import BoolMask
from fewclicks.backbones.registry import EMBEDDED_BACKBONE, create_backbone
from fewclicks.clicks import Click
from fewclicks.datasets.base import Sample
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.images.masks import iou
from fewclicks.images.resizing import resize_mask
from fewclicks.methods.markov.fewclicks import Fewclicks, RegionPicture
from fewclicks.methods.markov.shape_network import SHAPE_FILE, ShapeNetwork
from fewclicks.methods.markov.view import View
from fewclicks.session.session import Session

LEAST_AREA, MOST_OBJECTS, MOST_CLICKS = 900, 5, 12
GOOD_ENOUGH, TREMBLING = 0.95, 6.0


class NotingNetwork(ShapeNetwork):
    """Keeps what it was last shown of the regions."""

    noted: NDArray[np.floating]
    corrects: bool

    def correction(
        self,
        view: View,
        opinion: NDArray[np.floating],
        clicks: Sequence[Click],
        previous: BoolMask | None,
    ) -> NDArray[np.float64]:
        self.noted = opinion
        if not self.corrects:
            return np.zeros(opinion.size)
        return super().correction(view, opinion, clicks, previous)


def draw_objects(chance: np.random.Generator, samples: Sequence[Sample]) -> list[Sample]:
    sides = np.sqrt([sample.object_mask.mean() for sample in samples])
    count = min(MOST_OBJECTS, len(samples))
    drawn = chance.choice(len(samples), count, replace=False, p=sides / sides.sum())
    return [samples[index] for index in drawn]


def click_object(
    method: Fewclicks, network: NotingNetwork, prepared: RegionPicture, sample: Sample
) -> list[dict[str, Any]]:
    """Click one object until it is good enough; a lesson for each click."""
    void = void_of(sample)
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
                "opinion": network.noted.astype(np.float16),
                "previous": _packed(before, prepared.whole),
                "clicks": places,
                "iou": found,
            }
        )
        if found >= GOOD_ENOUGH:
            break
    return lessons


def collect_picture(options: argparse.Namespace, name: str, picture: str) -> dict[str, Any]:
    """Click the objects of one picture; its arrays, and a row in them for each lesson."""
    samples = samples_of(options.data, name, picture, least_area=LEAST_AREA)
    if not samples:
        return {}
    network = NotingNetwork(SHAPE_FILE)
    network.corrects = not options.uncorrected
    method = Fewclicks(create_backbone(options.backbone), shapes=network)
    prepared = method.prepare(samples[0].image)
    view = prepared.whole
    chance = np.random.default_rng(zlib.crc32(f"{method.backbone.name}{name}{picture}".encode()))
    drawn = draw_objects(chance, samples)
    clicked = [click_object(method, network, prepared, sample) for sample in drawn]
    lessons = [lesson for each in clicked for lesson in each]
    if not lessons:
        return {}
    return {
        "image": view.picture,
        "labels": view.regions.superpixels.labels.astype(np.int16),
        "truth": np.array([_packed(sample.object_mask, view) for sample in drawn]),
        "void": np.array([_packed(void_of(sample), view) for sample in drawn]),
        "of": np.repeat(np.arange(len(drawn)), [len(each) for each in clicked]),
        **{key: np.array([lesson[key] for lesson in lessons]) for key in lessons[0]},
    }


def _packed(mask: BoolMask, view: View) -> NDArray[np.uint8]:
    height, width = view.shape
    return np.packbits(resize_mask(mask, height=height, width=width))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--backbone", default=EMBEDDED_BACKBONE, help="a name, id or folder")
    parser.add_argument("--uncorrected", action="store_true")
    collect(parser.parse_args(), collect_picture, least_area=LEAST_AREA)


if __name__ == "__main__":
    main()
