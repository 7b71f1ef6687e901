"""View: a picture, or a part of it seen more closely, as the regions that clicks fall on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.backbones.base import Features, Grid
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.images.resizing import resize_image, resize_map, resize_mask
from fewclicks.methods.energy.band_cut import contrast_pyramid
from fewclicks.methods.energy.colour_models import ColourBins, colour_bins, lab_image
from fewclicks.methods.energy.edges import EdgeMap
from fewclicks.methods.energy.full_size import refine_at_full_size
from fewclicks.methods.energy.local_colours import Palette, find_palette
from fewclicks.methods.markov.distances import distances_from
from fewclicks.methods.markov.evidence import RegionClick
from fewclicks.methods.markov.regions import Regions, describe_regions
from fewclicks.methods.markov.token_walk import WalkedMaps, read_at
from fewclicks.methods.memo import Memo

_REMEMBERED_CLICKS: Final = 64
_TOKENS_IN_A_PART: Final = 64  # along its longest side
_LEAST_SIDE: Final = 400  # pixels; a smaller part is enlarged, as regions need pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewConfig:
    """How a part of a picture is looked at.

    Parameters
    ----------
    regions
        About so many superpixels.
    longest_side
        In pixels; a larger part is shrunk to it.
    bins, strength, levels
        As of `FewclicksConfig`.
    """

    regions: int
    longest_side: int
    bins: int
    strength: float
    levels: int


@dataclass(frozen=True, kw_only=True)
class View:
    """A box of a picture, at the size h x w that is worked at.

    Parameters
    ----------
    box
        In pixels of the picture.
    picture : (h, w, 3)
        The part, at the size that is worked at.
    regions
        Superpixels of the part.
    places : (n, 2)
        Centres of the regions, as shares of the whole picture's width and height.
    walked
        Walks over the whole picture's tokens; None where nobody asks for them.
    colours : (h, w)
        Bin of each pixel's colour.
    palette
        The few colours that the part is made of.
    pyramid
        Prices of a cut between neighbours, at h x w and halved.
    """

    box: Box
    picture: RgbImage
    regions: Regions
    places: NDArray[np.float64]
    walked: WalkedMaps | None
    colours: ColourBins
    palette: Palette
    pyramid: list[EdgeMap]
    _distances: Memo[int, NDArray[np.float64]] = field(
        default_factory=lambda: Memo(_REMEMBERED_CLICKS)
    )

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w), of the size that is worked at."""
        height, width = self.regions.superpixels.labels.shape
        return height, width

    def locate(self, clicks: Sequence[Click]) -> list[Click]:
        """Find the clicks of the picture that fall into the box, in pixels of the view."""
        height, width = self.shape
        return [
            Click(
                x=(click.x - self.box.x0) * width // self.box.width,
                y=(click.y - self.box.y0) * height // self.box.height,
                is_positive=click.is_positive,
            )
            for click in clicks
            if self.box.holds(click.x, click.y)
        ]

    def seen(self, click: Click) -> RegionClick:
        """Look at a click, in pixels of the view, from the regions' side."""
        region = int(self.regions.superpixels.labels[click.y, click.x])
        distances = self._distances.get(region, self._measure)
        return RegionClick(region=region, is_positive=click.is_positive, distances=distances)

    def _measure(self, region: int) -> NDArray[np.float64]:
        if self.walked is None:
            return distances_from(self.regions, region)
        log_steps = self.walked.log_steps(*self.places[region])
        return distances_from(self.regions, region, log_steps=read_at(log_steps, self.places))

    def shrink(self, mask: BoolMask) -> BoolMask:
        """Bring a mask of the picture to the size that is worked at, (h, w)."""
        height, width = self.shape
        return resize_mask(self.box.crop(mask), height=height, width=width)

    def enlarge(self, probability: FloatMap, image: RgbImage) -> FloatMap:
        """Put a map of the view, (h, w), into one of the picture, (H, W), 0 outside the box.

        Where the view was shrunk, the border follows the edges of the picture itself.
        """
        part, (height, width) = self.box.crop(image), image.shape[:2]
        if self.box.width > self.shape[1]:
            inside = refine_at_full_size(part, probability)
        elif part.shape[:2] != self.shape:
            inside = resize_map(probability, height=self.box.height, width=self.box.width)
        else:
            inside = probability
        if inside.shape == (height, width):
            return inside
        return self.box.paste(inside, np.zeros((height, width), dtype=np.float32))


def look_at(
    image: RgbImage,
    features: Features,
    box: Box,
    *,
    walked: WalkedMaps | None,
    config: ViewConfig,
) -> View:
    """Cut a part of a picture into regions.

    Parameters
    ----------
    image : (H, W, 3)
        The whole picture.
    features
        Tokens of the whole picture; the network does not look again.
    box
        The part, inside the picture.
    walked
        Of the same tokens.
    config
        How closely.
    """
    height, width = image.shape[:2]
    is_whole = (box.height, box.width) == (height, width)
    longest = max(box.height, box.width)
    least = 1 if is_whole else _LEAST_SIDE
    scale = min(config.longest_side / longest, max(1.0, least / longest))
    size = max(1, round(box.height * scale)), max(1, round(box.width * scale))
    part = np.ascontiguousarray(box.crop(image))
    if size != part.shape[:2]:
        part = resize_image(part, height=size[0], width=size[1])
    lab = lab_image(part)
    inside = features if is_whole else part_of(features, box, height=height, width=width)
    regions = describe_regions(lab, inside, count=config.regions)
    centres = (regions.centres + 0.5) / (size[1], size[0])
    colours = colour_bins(lab, side=config.bins)
    corner, extent = (box.x0, box.y0), (box.width, box.height)
    return View(
        box=box,
        picture=part,
        regions=regions,
        places=(corner + centres * extent) / (width, height),
        walked=walked,
        colours=colours,
        palette=find_palette(lab, colours),
        pyramid=contrast_pyramid(lab, strength=config.strength, levels=config.levels),
    )


def part_of(features: Features, box: Box, *, height: int, width: int) -> Features:
    """Read tokens of a picture between their centres, bilinearly, on a finer grid over a box.

    Parameters
    ----------
    box
        Inside the picture of ``height`` rows and ``width`` columns.
    """
    finer = _TOKENS_IN_A_PART / max(box.height, box.width)
    grid = Grid(max(1, round(box.height * finer)), max(1, round(box.width * finer)))
    down = _interpolation(box.y0, box.y1, height, grid.height, features.grid.height)
    right = _interpolation(box.x0, box.x1, width, grid.width, features.grid.width)
    tokens = features.tokens.reshape(features.grid.height, features.grid.width, -1)
    inside = np.einsum("yh,hwc,xw->yxc", down, tokens, right, optimize=True)
    return Features(
        tokens=np.ascontiguousarray(inside.reshape(grid.count, -1)),
        grid=grid,
        temperature=features.temperature,
    )


def _interpolation(
    begin: int, end: int, extent: int, count: int, tokens: int
) -> NDArray[np.float32]:
    """(count, tokens) What each of evenly spread places between two pixels takes of each token."""
    at = begin + (np.arange(count) + 0.5) * (end - begin) / count
    at = np.clip(at * tokens / extent - 0.5, 0, tokens - 1)
    shares = np.maximum(1 - np.abs(at[:, None] - np.arange(tokens)), 0)
    return np.asarray(shares, dtype=np.float32)
