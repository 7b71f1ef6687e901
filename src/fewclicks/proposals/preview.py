"""Preview: a picture's proposals to look at, from the coarsest to the finest."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fewclicks.arrays import LabelMap, RgbImage
from fewclicks.images.overlay import FINISHED_COLOURS, contact_sheet, draw_overlay
from fewclicks.images.reading import read_image
from fewclicks.images.resizing import resize_mask, shrink_to_longest_side
from fewclicks.images.writing import write_image
from fewclicks.proposals.store import ProposalStore

GRANULARITIES: Final = (2, 4, 8, 16, 32, 64, 128)
"""Regions that are left where a tree is drawn."""

_LONGEST_SIDE: Final = 480  # pixels of a tile
_COLUMNS: Final = 4
_TINT: Final = 0.55
_MOST_MASKS: Final = 11


def draw_proposals(store: ProposalStore, image: str, picture: RgbImage) -> RgbImage:
    """Draw a tree cut into few and into many regions, or masks one by one.

    Parameters
    ----------
    store
        Of the proposals.
    image
        As the store knows the picture.
    picture : (H, W, 3)
        Itself.

    Returns
    -------
    (h, w, 3)
        The picture and its proposals beside each other, with a caption each.
    """
    small = shrink_to_longest_side(picture, _LONGEST_SIDE)
    tiles, captions = [small], [image]
    if store.recipe.kind == "tree":
        tree = store.tree(image)
        for count in GRANULARITIES:
            if count <= tree.grid.count:
                tiles.append(_draw_regions(small, tree.cut(count)))
                captions.append(f"{count} regions")
    else:
        masks = store.masks(image)
        for number, mask in enumerate(masks[:_MOST_MASKS], start=1):
            height, width = small.shape[:2]
            tiles.append(draw_overlay(small, resize_mask(mask, height=height, width=width)))
            captions.append(f"{number} of {len(masks)}, {mask.mean():.0%}")
    return contact_sheet(tiles, captions, _COLUMNS)


def write_previews(store: ProposalStore, folder: Path, out: Path, count: int) -> list[Path]:
    """Draw the store's first so many pictures, and write each as PNG.

    Raises
    ------
    StorageError, ImageError
        If one cannot be read or written.
    """
    written = []
    for image in store.images[:count]:
        path = out / f"{image}.png"
        write_image(path, draw_proposals(store, image, read_image(folder / image)))
        written.append(path)
    return written


def _draw_regions(picture: RgbImage, labels: LabelMap) -> RgbImage:
    """Tint each region; colours repeat, but neighbours in the tree differ."""
    height, width = picture.shape[:2]
    large = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    colours = np.array(FINISHED_COLOURS, dtype=np.float32)[
        np.asarray(large) % len(FINISHED_COLOURS)
    ]
    tinted = picture * (1.0 - _TINT) + colours * _TINT
    edge = np.zeros((height, width), dtype=np.bool_)
    edge[:, 1:] |= large[:, 1:] != large[:, :-1]
    edge[1:] |= large[1:] != large[:-1]
    tinted[edge] = 255.0
    return np.asarray(np.rint(tinted), dtype=np.uint8)
