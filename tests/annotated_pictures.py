"""Pictures with awkward objects: holes, parts, corners, an island in a hole, markup in names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from drawing import mask
from fewclicks.formats.annotated import AnnotatedObject, AnnotatedPicture, Annotations

RING = mask(
    "............",
    ".#######....",
    ".#.....#..##",
    ".#.###.#..##",
    ".#.#.#.#....",
    ".#.###.#.#..",
    ".#.....##...",
    ".#######...#",
    "............",
)
DOT = mask(
    "............",
    "............",
    "............",
    "............",
    "....#.......",
    "............",
    "............",
    "............",
    "#...........",
)
STRANGE = 'cat & "dog" <b>é</b>'


def blobs(seed: int, *, height: int = 40, width: int = 56) -> list[np.ndarray]:
    """Give two masks of a picture that share no pixel, with ragged rims."""
    rng = np.random.default_rng(seed)
    noise = rng.random((height, width))
    for _ in range(3):
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, -1, 1)) / 4
    middle = np.median(noise)
    return [noise > middle + 0.03, noise < middle - 0.03]


def make(folder: Path) -> Annotations:
    """Write pictures into a folder and annotate them; the last one has no object."""
    one, other = blobs(5)
    drawn: dict[str, list[tuple[str, np.ndarray]]] = {
        "a/dog.jpg": [("ring", RING), (STRANGE, DOT)],
        "a/dog.png": [("blob", one), ("ring", other)],
        "empty.png": [],
    }
    pictures = []
    for number, (name, objects) in enumerate(drawn.items()):
        height, width = objects[0][1].shape if objects else (5, 7)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height), (90 * number, 40, 200)).save(path)
        pictures.append(
            AnnotatedPicture(
                name=name,
                height=height,
                width=width,
                objects=tuple(AnnotatedObject.of(label, drawn) for label, drawn in objects),
                path=path,
            )
        )
    return Annotations(pictures=pictures, labels=("ring", "unused"))
