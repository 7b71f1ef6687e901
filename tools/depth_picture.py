"""Draw what depth adds: two clicks on a photograph whose depth was measured, with and without.

    .venv/bin/python tools/depth_picture.py docs/pictures/depth_motorcycle.png

The photograph and its disparity come with scikit-image (Scharstein et al., "High-resolution stereo
datasets with subpixel-accurate ground truth", GCPR 2014).
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.data import stereo_motorcycle

import fewclicks as fc
from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.images.overlay import draw_overlay
from fewclicks.images.resizing import resize_image, resize_map

CLICKS = (fc.Click(x=240, y=205), fc.Click(x=540, y=150))  # black seat before black shadow; lamp
TITLES = ("map, colour alone", "answer", "map, guided by depth", "answer")
WIDTH, GAP, TITLE = 360, 6, 24  # of a tile, between tiles, of the line above them


def read() -> tuple[RgbImage, FloatMap]:
    """Give the left picture and its depth."""
    left, _, disparity = stereo_motorcycle()
    with TemporaryDirectory() as folder:
        np.save(Path(folder) / "disparity.npy", disparity)
        depth = fc.read_depth(Path(folder) / "disparity.npy", shape=left.shape[:2])
    print(f"Disparity is unknown in {depth.unknown:.1%} of the pixels")
    return np.ascontiguousarray(left), depth.values


def tiles(image: RgbImage, depth: FloatMap) -> list[list[RgbImage]]:
    """Map and answer of each click, by colour alone and then with depth."""
    method = fc.create_method("m2n2v2")
    plain = method.prepare(image)
    guided = method.condition(plain, fc.Guidance(depth=depth))
    height = round(WIDTH * image.shape[0] / image.shape[1])
    rows = []
    for click in CLICKS:
        row = []
        for prepared in (plain, guided):
            distances = method.map_of(prepared, click).distances
            near = resize_map(1.0 - distances / distances.max(), height=height, width=WIDTH)
            shades = cv2.applyColorMap(np.rint(near * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
            mask = method.predict(prepared, [click]).mask
            answer = draw_overlay(image, mask, [click])
            row += [shades[..., ::-1], resize_image(answer, height=height, width=WIDTH)]
        rows.append(row)
    return rows


def sheet(rows: list[list[RgbImage]]) -> Image.Image:
    """Set the tiles side by side, under their titles."""
    height = rows[0][0].shape[0]
    size = len(TITLES) * (WIDTH + GAP) - GAP, TITLE + len(rows) * (height + GAP) - GAP
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    for column, title in enumerate(TITLES):
        left = column * (WIDTH + GAP)
        pen.text((left + 2, 3), title, fill="black", font=ImageFont.load_default(16))
        for number, row in enumerate(rows):
            picture.paste(Image.fromarray(row[column]), (left, TITLE + number * (height + GAP)))
    return picture


def main(target: Path) -> None:
    picture = sheet(tiles(*read()))
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(192, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"Wrote {target}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: depth_picture.py TARGET.png")
    main(Path(sys.argv[1]))
