"""Maps as files: what a method saw from each click, stage by stage, and a sheet of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fewclicks.arrays import RgbImage
    from fewclicks.clicks import Click
    from fewclicks.methods.maps import ClickMaps

_SHEET_COLUMNS: Final = 3


def write_maps(folder: Path, image: RgbImage, maps: Sequence[ClickMaps]) -> list[Path]:
    """Write ``NN-STAGE.png`` for each stage of click NN, and ``NN-sheet.png`` with all of them.

    Light is near the click. Attention is drawn as its square root, since one token often takes
    most of it. The last stage has the rim of the click's segment.

    Parameters
    ----------
    folder
        Is made if need be.
    image : (H, W, 3)
        The picture.
    maps
        In the order of the clicks.

    Returns
    -------
    list of Path
        Of all files that were written.
    """
    from fewclicks.images.overlay import contact_sheet
    from fewclicks.images.writing import write_image

    written = []
    for number, one in enumerate(maps, start=1):
        tiles = dict(_tiles(image, one, number))
        captions = [_caption(name, one) for name in tiles]
        tiles_and_sheet = {
            **tiles,
            "sheet": contact_sheet(list(tiles.values()), captions, _SHEET_COLUMNS),
        }
        for name, tile in tiles_and_sheet.items():
            path = folder / f"{number:02d}-{name}.png"
            write_image(path, tile)
            written.append(path)
    return written


def _tiles(image: RgbImage, maps: ClickMaps, number: int) -> Iterator[tuple[str, RgbImage]]:
    from fewclicks.images.heat_maps import draw_heat_map
    from fewclicks.images.overlay import draw_overlay
    from fewclicks.images.resizing import resize_image

    last = list(maps.stages)[-1]
    height, width = maps.stages[last].shape
    click = _moved(maps.click, image, height, width)
    segment = maps.stages[last] <= np.float32(maps.threshold)
    picture = resize_image(image, height=height, width=width)
    yield "segment", draw_overlay(picture, segment, [click], first_number=number)
    for name, values in maps.stages.items():
        is_attention = name == "attention"
        heat = draw_heat_map(
            np.sqrt(values) if is_attention else values,
            height=height,
            width=width,
            palette="magma" if is_attention else "viridis",
            is_high_light=is_attention,
        )
        rim = segment if name == last else None
        yield name, draw_overlay(heat, rim, [click], opacity=0.0, first_number=number)
    if maps.depth is not None:
        heat = draw_heat_map(maps.depth, height=height, width=width, palette="cividis")
        yield "depth", draw_overlay(heat, None, [click], first_number=number)


def _moved(click: Click, image: RgbImage, height: int, width: int) -> Click:
    """Move a click to a picture of another size."""
    x, y = click.x * width // image.shape[1], click.y * height // image.shape[0]
    return replace(click, x=x, y=y)


def _caption(name: str, maps: ClickMaps) -> str:
    if name == "segment":
        return f"segment\nmap at most {maps.threshold:.4f}"
    if name == "depth":
        return "depth\nlight is near the camera"
    values = maps.stages[name]
    return f"{name}\n{values.shape[1]} x {values.shape[0]}, up to {values.max():.4g}"
