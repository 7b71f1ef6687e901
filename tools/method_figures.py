"""Draw the figure of each method's page, with the methods themselves.

    .venv/bin/python tools/method_figures.py docs/pictures/methods [NAME ...]

The photographs come with scikit-image: Eileen Collins (NASA, public domain), a cat (Stéfan van der
Walt, CC0), a cup of coffee (Rachel Michetti, CC0), Greek coins (Brooklyn Museum, no known
restrictions); and two views of a motorcycle (Middlebury stereo benchmark 2014, Scharstein et al.).
What needs trained weights that the package does not bring is drawn up to the network, and its page
says what stands in for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data
from skimage.color import gray2rgb
from skimage.segmentation import find_boundaries

import fewclicks as fc
from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.images.boxes import Box
from fewclicks.images.heat_maps import draw_heat_map
from fewclicks.images.overlay import FINISHED_COLOURS, contact_sheet, draw_overlay
from fewclicks.images.resizing import resize_image, resize_mask

Tiles = dict[str, RgbImage]
LIMIT = 250_000  # bytes
GREEN, RED, AMBER = (27, 158, 62), (208, 38, 38), (240, 160, 0)
EYE = (fc.Click(x=172, y=118), fc.Click(x=30, y=60, is_positive=False))
CUP = (
    fc.Click(x=290, y=150),
    fc.Click(x=250, y=90),
    fc.Click(x=315, y=225),
    fc.Click(x=110, y=230, is_positive=False),
    fc.Click(x=500, y=100, is_positive=False),
    fc.Click(x=280, y=360, is_positive=False),
)
SPOON = (fc.Click(x=365, y=278), fc.Click(x=440, y=220, is_positive=False))
COIN = fc.Click(x=102, y=124)
WHEEL = ((170, 275), (68, 72))  # on the left view: its middle, and half its axes
REST = (
    (105, 190), (125, 130), (300, 140), (420, 130), (480, 150), (560, 260), (590, 340),
    (560, 390), (500, 350), (440, 280), (400, 310), (300, 320), (245, 280), (245, 235), (190, 195),
)  # fmt: skip
HUB = fc.Click(x=138, y=272)
HEAD = fc.Click(x=223, y=120)


def heat(values: FloatMap, shape: tuple[int, ...], *, is_high_light: bool = False) -> RgbImage:
    palette = "magma" if is_high_light else "viridis"
    height, width = shape[:2]
    return draw_heat_map(
        values, height=height, width=width, palette=palette, is_high_light=is_high_light
    )


def framed(picture: RgbImage, boxes: dict[tuple[int, int, int], Box], width: int = 3) -> RgbImage:
    drawn = picture.copy()
    for colour, box in boxes.items():
        cv2.rectangle(drawn, (box.x0, box.y0), (box.x1 - 1, box.y1 - 1), colour, width)
    return drawn


def black_and_white(values: FloatMap | BoolMask) -> RgbImage:
    return np.repeat(np.rint(values * 255.0).astype(np.uint8)[..., None], 3, axis=2)


def m2n2() -> Tiles:
    image, method = data.astronaut(), fc.create_method("m2n2")
    prepared = method.prepare(image)
    (maps,) = method.maps(prepared, [HEAD])
    prediction = method.predict(prepared, [HEAD])
    tiles = {"click": draw_overlay(image, None, [HEAD])}
    names = {
        "attention": "attention of the click's token",
        "markov": "Markov map: steps until it is reached",
        "upsampled": "upsampled along the picture's edges",
        "flooded": "flood fill: what is joined to the click",
    }
    for stage, caption in names.items():
        values = maps.stages[stage]
        is_attention = stage == "attention"
        tiles[caption] = heat(
            np.sqrt(values) if is_attention else values, image.shape, is_high_light=is_attention
        )
    tiles[f"answer: at most {maps.threshold:.2f} of it"] = draw_overlay(
        image, prediction.mask, [HEAD]
    )
    return tiles


def fewclicks() -> Tiles:
    from fewclicks.methods.energy.colour_models import lab_image
    from fewclicks.methods.energy.superpixels import find_superpixels

    image, method = data.chelsea(), fc.create_method("fewclicks")
    prepared = method.prepare(image)
    maps = method.maps(prepared, EYE)[0].stages
    regions = image.copy()
    regions[find_boundaries(find_superpixels(lab_image(image), count=1000).labels)] = 255
    chosen = {
        "a path over colour and edges": "path-over-the-plainest-of-colour-and-edge",
        "the smallest union by features": "area-of-the-smallest-union-by-features",
        "a walk over features": "steps-of-a-walk-over-the-backbone-features",
        "doubt of both networks": "doubt",
        "off: by colours of each place": "off",
    }
    tiles = {"clicks": draw_overlay(image, None, EYE), "regions": regions}
    tiles |= {caption: heat(maps[name], image.shape) for caption, name in chosen.items()}
    tiles["answer, by one min cut"] = draw_overlay(image, method.predict(prepared, EYE).mask, EYE)
    return tiles


def classical() -> Tiles:
    from fewclicks.methods.energy.seeds import draw_seeds

    image = data.coffee()
    seeds = draw_seeds(image.shape[:2], CUP, radius=5)
    shown = image // 3 + 150
    shown[seeds.positive], shown[seeds.negative] = GREEN, RED
    tiles = {"clicks": draw_overlay(image, None, CUP), "seeds": shown}
    for name in ("graphcut", "grabcut", "random_walker", "geodesic", "gsc", "esc"):
        method = fc.create_method(name)
        tiles[name] = draw_overlay(image, method.predict(method.prepare(image), CUP).mask, CUP)
    return tiles


def simpleclick() -> Tiles:
    from fewclicks.methods.transformer.click_maps import click_disks, move_clicks
    from fewclicks.methods.transformer.zoom_in import ZoomIn

    image, method, side = data.coffee(), fc.create_method(), 448
    answer = method.predict(method.prepare(image), SPOON[:1])
    part = ZoomIn().choose(answer.mask, SPOON, kept=None)
    disks = click_disks([move_clicks(SPOON, part, (side, side))], (side, side))[0]
    tiles = {
        "clicks, and the part to look at": framed(draw_overlay(image, None, SPOON), {AMBER: part}),
        "the part, stretched to 448 x 448": resize_image(part.crop(image), height=side, width=side),
        "the previous answer in it": black_and_white(
            cv2.resize(part.crop(answer.probability), (side, side))
        ),
    }
    for disk, which in zip(disks, ("positive", "negative"), strict=True):
        tiles[f"disks of {which} clicks"] = black_and_white(disk)
    return tiles


def refcut() -> Tiles:
    from fewclicks.images.resizing import shrink_to_longest_side
    from fewclicks.methods.markov.reference_match import see_marks, votes_by_likeness

    left, right, _ = data.stereo_motorcycle()
    left, right = (
        shrink_to_longest_side(np.ascontiguousarray(each), 640) for each in (left, right)
    )
    height, width = left.shape[:2]
    drawn = np.zeros((2, height, width), dtype=np.uint8)
    cv2.fillPoly(drawn[1], [np.array(REST, dtype=np.int32)], 1)
    cv2.ellipse(drawn[0], *WHEEL, 0, 0, 360, 1, thickness=-1)
    wheel, rest = drawn[0] > 0, (drawn[1] > 0) & (drawn[0] == 0)
    method = fc.create_method()
    features = [
        method.backbone.features(shrink_to_longest_side(each, 480)) for each in (left, right)
    ]
    votes = votes_by_likeness(features[1], see_marks(features[0], positive=wheel, negative=rest))
    grid = features[1].grid
    prepared = method.prepare(right)
    reference = fc.Reference(image=left, positive=wheel, negative=rest)
    told = method.condition(prepared, fc.Guidance(references=(reference,)))
    marked = draw_overlay(left, wheel, colour=GREEN)
    return {
        "reference: meant, and not meant": draw_overlay(marked, rest, colour=RED),
        "a click on another picture": draw_overlay(right, None, [HUB]),
        "how like the reference each token is": heat(
            votes.reshape(grid.height, grid.width) - votes.min(), right.shape, is_high_light=True
        ),
        "answer without the reference": draw_overlay(
            right, method.predict(prepared, [HUB]).mask, [HUB]
        ),
        "answer with it": draw_overlay(right, method.predict(told, [HUB]).mask, [HUB]),
    }


def icmformer() -> Tiles:
    image = gray2rgb(data.coins())
    session = fc.Session(fc.create_method(), image)
    session.click(COIN.x, COIN.y)
    mask = session.mask
    session.finish_object("coin")
    session.others.of(0)
    found = np.zeros_like(mask)
    for proposal in session.others.proposals:
        found |= proposal.mask
    tight = Box.around(mask)
    crops = {}
    for scale, colour in zip((0.8, 1.0, 1.2), (GREEN, AMBER, RED), strict=True):
        crops[colour] = grown(tight, scale).clamped(height=mask.shape[0], width=mask.shape[1])
    tiles = {
        "exemplar: a coin, and its click": draw_overlay(image, mask, [COIN]),
        "its box, 0.8, 1 and 1.2 times as long": framed(image, crops, width=2),
    }
    for scale, crop in zip((0.8, 1.2), (crops[GREEN], crops[RED]), strict=True):
        tiles[f"the crop of {scale}, stretched"] = resize_image(
            crop.crop(image), height=300, width=300
        )
    tiles["others of its kind, before any click"] = draw_overlay(
        image, found, finished=[(mask, "coin")]
    )
    return tiles


def tutorial() -> Tiles:
    image = gray2rgb(data.coins())
    session = fc.Session(fc.create_method(), image)
    session.click(COIN.x, COIN.y)
    session.finish_object("coin")
    one = draw_overlay(image, None, [COIN], finished=[(session.objects[0].mask, "coin")])
    session.others.of(0)
    found = np.zeros(image.shape[:2], dtype=bool)
    for proposal in session.others.proposals:
        found |= proposal.mask
    return {
        "one click, finished as a coin": one,
        "others of its kind are proposed": draw_overlay(
            image, found, finished=[(session.objects[0].mask, "coin")]
        ),
    }


def peers() -> Tiles:
    image, box = data.coffee(), Box(165, 10, 425, 290)
    scale, side = 1024 / max(image.shape[:2]), 1024
    filled = np.zeros((side, side, 3), dtype=np.uint8)
    height, width = (round(length * scale) for length in image.shape[:2])
    filled[:height, :width] = resize_image(image, height=height, width=width)
    stretched = resize_image(image, height=side, width=side)
    down, across = (side / length for length in image.shape[:2])

    def asked(picture: RgbImage, across: float, down: float, frame: int) -> RgbImage:
        moved = fc.Click(x=round(SPOON[0].x * across), y=round(SPOON[0].y * down))
        moved_box = Box(
            round(box.x0 * across), round(box.y0 * down),
            round(box.x1 * across), round(box.y1 * down),
        )  # fmt: skip
        return framed(draw_overlay(picture, None, [moved]), {AMBER: moved_box}, frame)

    return {
        "a click, and a box of another object": asked(image, 1.0, 1.0, 3),
        "SAM and SAM-HQ: 1024 long, the rest filled": asked(filled, scale, scale, 6),
        "SAM 2: stretched to 1024 x 1024": asked(stretched, across, down, 6),
    }


def grown(box: Box, scale: float) -> Box:
    middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    half = box.width * scale / 2, box.height * scale / 2
    return Box(
        round(middle[0] - half[0]), round(middle[1] - half[1]),
        round(middle[0] + half[0]), round(middle[1] + half[1]),
    )  # fmt: skip


def mis() -> Tiles:
    from fewclicks.evaluation.clicker import next_click
    from fewclicks.proposals.generators import create_generator
    from fewclicks.proposals.merge_tree import MergeTree
    from fewclicks.proposals.sampling import draw_node

    image = data.coffee()
    features = fc.create_backbone("builtin").features(image)
    children = create_generator("tree").propose(features).children
    assert children is not None
    tree = MergeTree.from_children(children, features.grid)
    height, width = image.shape[:2]
    tiles = {"a photograph without labels": image}
    for count in (4, 16, 64):
        labels = cv2.resize(
            tree.cut(count).astype(np.int32), (width, height), interpolation=cv2.INTER_NEAREST
        )
        colours = np.array(FINISHED_COLOURS)[labels % len(FINISHED_COLOURS)]
        shown = np.rint(image * 0.45 + colours * 0.55).astype(np.uint8)
        shown[find_boundaries(labels)] = 255
        tiles[f"the merge tree, cut into {count}"] = shown
    rng = np.random.default_rng(3)
    for number in range(1, 5):
        region = resize_mask(tree.region(draw_node(tree, rng)), height=height, width=width)
        click = next_click(region, np.zeros_like(region))
        tiles[f"target {number}, and its first click"] = draw_overlay(image, region, [click])
    return tiles


FIGURES: dict[str, tuple[Callable[[], Tiles], int]] = {
    "fewclicks": (fewclicks, 4),
    "m2n2": (m2n2, 3),
    "classical": (classical, 4),
    "simpleclick": (simpleclick, 5),
    "refcut": (refcut, 5),
    "icmformer": (icmformer, 5),
    "mis": (mis, 4),
    "peers": (peers, 3),
    "tutorial": (tutorial, 2),
}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or list(FIGURES):
        draw, columns = FIGURES[name]
        tiles = draw()
        sheet = contact_sheet(
            list(tiles.values()), list(tiles), columns, tile_width=1200 // columns
        )
        target = folder / f"{name}.jpg"
        for quality in range(88, 50, -4):
            Image.fromarray(sheet).save(target, quality=quality, optimize=True)
            if target.stat().st_size <= LIMIT:
                break
        else:
            sys.exit(f"{target} has {target.stat().st_size} bytes; needs {LIMIT} at most.")
        print(f"Wrote {target}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Usage: method_figures.py FOLDER [NAME ...]")
    main(Path(sys.argv[1]), sys.argv[2:])
