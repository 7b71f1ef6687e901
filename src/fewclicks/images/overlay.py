"""What a person looks at: masks as tints with a rim, clicks as numbered marks, sheets of pictures.

Colours are told apart by colour-blind eyes too, and negative clicks differ in shape as well:
they are square.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias, cast

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fewclicks.arrays import BoolMask, FloatImage, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.images.resizing import resize_image

Colour: TypeAlias = tuple[int, int, int]

OBJECT_COLOUR: Final[Colour] = (30, 136, 255)
FINISHED_COLOURS: Final[tuple[Colour, ...]] = (
    (240, 150, 0),
    (204, 95, 170),
    (0, 175, 125),
    (245, 225, 60),
    (215, 75, 0),
    (95, 195, 240),
    (150, 110, 225),
)
"""After Okabe and Ito, a little brighter to shine through a photograph; they repeat after seven."""

POSITIVE_COLOUR: Final[Colour] = (0, 150, 80)
NEGATIVE_COLOUR: Final[Colour] = (214, 40, 40)

_FINER: Final = 4  # marks are drawn so many times larger and averaged down
_BLACK_OR_WHITE_ABOVE: Final = 150  # brightness of a ground that needs black text


def draw_overlay(
    image: RgbImage,
    mask: BoolMask | None = None,
    clicks: Sequence[Click] = (),
    *,
    colour: Colour = OBJECT_COLOUR,
    opacity: float = 0.45,
    contour: bool = True,
    finished: Sequence[tuple[BoolMask, str]] = (),
    first_number: int = 1,
) -> RgbImage:
    """Draw masks and clicks over a picture.

    Parameters
    ----------
    image : (H, W, 3)
        In [0, 255]; it is not changed.
    mask : (H, W), optional
        The object being clicked.
    clicks
        In their order, which is their number: positive ones green and round, negative ones red
        and square. Those outside the picture are not seen.
    colour
        Red, green, blue of the mask, in [0, 255].
    opacity
        Of the tint, in [0, 1].
    contour
        Whether masks get a rim.
    finished
        Masks of other objects, each (H, W), with their labels (may be empty); each has a colour
        of its own.
    first_number
        Of the first click.

    Returns
    -------
    (H, W, 3)

    Raises
    ------
    ShapeError
        If a mask is not of the picture's size.
    InputError
        If the opacity is outside [0, 1].
    """
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity is {opacity}; needs a number in [0, 1].")
    layers = [
        (finished_mask, FINISHED_COLOURS[index % len(FINISHED_COLOURS)])
        for index, (finished_mask, _) in enumerate(finished)
    ]
    if mask is not None:
        layers.append((mask, colour))
    for layer, _ in layers:
        if layer.shape != image.shape[:2]:
            raise ShapeError.differs("mask", layer.shape, needed=image.shape[:2], of="the image")

    unit = _unit(image)
    canvas = image.copy()
    for layer, layer_colour in layers:
        if layer.any():
            _draw_mask(canvas, layer, layer_colour, opacity, unit if contour else 0.0)
    picture = Image.fromarray(canvas)
    for (layer, layer_colour), (_, label) in zip(layers, finished, strict=False):
        if label and layer.any():
            _draw_label(picture, layer, layer_colour, label, unit)
    for number, click in enumerate(clicks, start=first_number):
        _draw_click(picture, click, number, unit)
    return np.array(picture)


def contact_sheet(
    tiles: Sequence[RgbImage],
    captions: Sequence[str],
    columns: int = 4,
    *,
    tile_width: int = 360,
) -> RgbImage:
    """Lay pictures out in rows, each with its caption below.

    Parameters
    ----------
    tiles : (H, W, 3) each
        In [0, 255], of any sizes; each is fitted into a cell.
    captions
        One for each tile; it may have several lines, which are cut where too long.
    columns
        How many tiles stand beside each other.
    tile_width
        Of a cell, in pixels; a row is as high as its highest tile, and never higher than wide.

    Returns
    -------
    (H, W, 3)
        On a white ground.

    Raises
    ------
    InputError
        If there is no tile, or not one caption for each.
    """
    if not tiles or len(tiles) != len(captions) or columns < 1:
        raise InputError(
            f"Contact sheet has {len(tiles)} tiles, {len(captions)} captions and {columns} "
            "columns; needs one caption for each tile, and at least one of each."
        )
    fitted = [_fit(tile, tile_width) for tile in tiles]
    columns = min(columns, len(fitted))
    gap, font = max(4, tile_width // 24), _font(max(10, tile_width // 22))
    line_height = math.ceil(font.size * 1.35)

    rows = [
        range(first, min(first + columns, len(fitted))) for first in range(0, len(fitted), columns)
    ]
    baselines, bottom = [], gap
    for row in rows:
        baselines.append(bottom + max(fitted[index].shape[0] for index in row))
        lines = max(captions[index].count("\n") + 1 for index in row)
        bottom = baselines[-1] + lines * line_height + 2 * gap

    sheet = Image.new("RGB", (gap + columns * (tile_width + gap), bottom), "white")
    draw = ImageDraw.Draw(sheet)
    for row, baseline in zip(rows, baselines, strict=True):
        for index in row:
            middle = gap + (index - row.start) * (tile_width + gap) + tile_width // 2
            height, width = fitted[index].shape[:2]
            sheet.paste(Image.fromarray(fitted[index]), (middle - width // 2, baseline - height))
            for number, line in enumerate(captions[index].split("\n")):
                draw.text(
                    (middle, baseline + gap / 2 + number * line_height),
                    _shortened(line, font, tile_width),
                    fill=(30, 30, 30) if number == 0 else (110, 110, 110),
                    font=font,
                    anchor="ma",
                )
    return np.array(sheet)


def _unit(image: RgbImage) -> float:
    """How thick a line looks right, in pixels: 1 on a small picture, more on a big one."""
    return max(1.0, math.sqrt(image.shape[0] * image.shape[1]) / 500)


def _draw_mask(
    canvas: RgbImage, mask: BoolMask, colour: Colour, opacity: float, line: float
) -> None:
    """Tint the mask, and draw a rim ``line`` pixels thick with a thin light one around it."""
    box = Box.around(mask, margin=math.ceil(4 * line) + 2)
    part, inside = box.crop(canvas), box.crop(mask)
    blended = part.astype(np.float32)
    _blend(blended, inside.astype(np.float32) * opacity, colour)
    if line:
        depth = _depth(inside, smoothing=0.8 * line)
        _blend(blended, _stroke(depth, 3.6 * line) * 0.85, (255, 255, 255))
        _blend(blended, _stroke(depth, 1.9 * line), colour)
    part[...] = np.rint(blended).astype(np.uint8)


def _blend(onto: FloatImage, share: FloatMap, colour: Colour) -> None:
    onto += share[..., None] * (np.array(colour, dtype=np.float32) - onto)


def _depth(mask: BoolMask, *, smoothing: float) -> FloatMap:
    """Signed distance to the rim in pixels, smoothed so that stairs of pixels become a line."""
    inner = np.pad(mask, 1, mode="edge").astype(np.uint8)
    outward = cv2.distanceTransform(1 - inner, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inward = cv2.distanceTransform(inner, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = np.where(inner > 0, inward - 0.5, 0.5 - outward)
    near = np.clip(signed, -8 * smoothing - 4, 8 * smoothing + 4).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), smoothing)[1:-1, 1:-1])


def _stroke(depth: FloatMap, width: float) -> FloatMap:
    """How much of each pixel a line of this width along the rim covers."""
    return np.clip(width / 2 + 0.5 - np.abs(depth), 0, 1).astype(np.float32)


def _draw_click(picture: Image.Image, click: Click, number: int, unit: float) -> None:
    """Stamp a numbered mark; it is drawn large and averaged down, so that its edge is smooth."""
    text = str(number)
    radius = max(6.5, 7.5 * unit) * (1.0 if len(text) < 3 else 1.25)
    ring = max(1.5, 1.2 * unit)
    side = 2 * math.ceil(radius + ring + 1) + 1
    stamp = Image.new("RGBA", (side * _FINER, side * _FINER), (255, 255, 255, 0))
    draw = ImageDraw.Draw(stamp)
    middle = side * _FINER / 2
    fill = POSITIVE_COLOUR if click.is_positive else NEGATIVE_COLOUR
    for reach, tone in ((radius + ring, (255, 255, 255)), (radius, fill)):
        extent = reach * _FINER if click.is_positive else reach * _FINER * 0.9
        corners = (middle - extent, middle - extent, middle + extent, middle + extent)
        if click.is_positive:
            draw.ellipse(corners, fill=(*tone, 255))
        else:
            draw.rounded_rectangle(corners, radius=extent * 0.35, fill=(*tone, 255))
    size = radius * (1.45 if len(text) == 1 else 1.2) * _FINER
    draw.text(
        (middle, middle),
        text,
        fill="white",
        font=_font(size),
        anchor="mm",
        stroke_width=size * 0.03,
        stroke_fill="white",
    )
    small = stamp.resize((side, side), Image.Resampling.BOX)
    picture.paste(small, (click.x - side // 2, click.y - side // 2), small)


def _draw_label(
    picture: Image.Image, mask: BoolMask, colour: Colour, label: str, unit: float
) -> None:
    """Write the label on a plate in the mask's colour, at the deepest place of the mask."""
    font = _font(max(9.0, 12.0 * unit))
    text = _shortened(label.replace("\n", " "), font, picture.width * 0.9)
    pad = font.size * 0.4
    width, height = font.getlength(text) + 2 * pad, font.size * 1.5
    depth = cv2.distanceTransform(
        np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    left = min(max(0.0, float(x) - width / 2), max(0.0, picture.width - width))
    top = min(max(0.0, float(y) - height / 2), max(0.0, picture.height - height))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((left, top, left + width, top + height), height / 3, fill=colour)
    brightness = float(np.dot(colour, (0.299, 0.587, 0.114)))
    draw.text(
        (left + width / 2, top + height / 2),
        text,
        fill="black" if brightness > _BLACK_OR_WHITE_ABOVE else "white",
        font=font,
        anchor="mm",
    )


def _fit(tile: RgbImage, side: int) -> RgbImage:
    """Scale a picture until it touches the sides of a square."""
    scale = side / max(tile.shape[:2])
    height, width = (max(1, round(extent * scale)) for extent in tile.shape[:2])
    return resize_image(tile, height=height, width=width)


def _font(size: float) -> ImageFont.FreeTypeFont:
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))  # as it is given a size


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
