"""Guide: what a map over tokens is drawn along to become a map over pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from fewclicks.arrays import FloatMap, FloatMatrix, RgbImage
from fewclicks.backbones.base import Grid
from fewclicks.clicks import Click
from fewclicks.images.resizing import resize_map
from fewclicks.methods.markov.flood_fill import flood_fill
from fewclicks.methods.markov.threshold import Segments, find_segments
from fewclicks.methods.markov.upsample import BilateralWeights, bilateral_weights
from fewclicks.methods.memo import Memo

_MAPS_KEPT: Final = 20
_GUIDES_KEPT: Final = 2


class ClickMap(NamedTuple):
    """The map of one click at the picture's size, in [0, 1] and read-only.

    Parameters
    ----------
    upsampled : (H, W)
        Before the flood fill.
    distances : (H, W)
        After it; the same array where there is none.
    segments
        What thresholds cut out of it.
    """

    upsampled: FloatMap
    distances: FloatMap
    segments: Segments


@dataclass(frozen=True, kw_only=True, eq=False)
class Guide:
    """Colours, and depth where there is one.

    Parameters
    ----------
    colours : (H, W, 3)
        The picture at the size that is worked on.
    grid
        Of the tokens.
    sigma_space, sigma_range
        Of the joint bilateral upsampling.
    flood_fill
        Whether there is one.
    upsampling_depth, flood_depth : (H, W), optional
        In [0, 1]: a fourth channel for the upsampling, and a second one for the flood fill.
    replaces
        The guide that this one stands in for, as long as a person's depth holds.

    Notes
    -----
    Nothing is computed before it is asked for. The weights of the upsampling are kept, and so
    are the maps of the newest clicks.

    References
    ----------
    .. [1] M2N2V2, section 3.3 (arXiv:2503.16254).
    """

    colours: RgbImage
    grid: Grid
    sigma_space: float
    sigma_range: float
    flood_fill: bool
    upsampling_depth: FloatMap | None = None
    flood_depth: FloatMap | None = None
    replaces: Guide | None = None
    _weights: Memo[str, BilateralWeights] = field(
        default_factory=lambda: Memo(1), init=False, repr=False
    )
    _maps: Memo[tuple[int, int], ClickMap] = field(
        default_factory=lambda: Memo(_MAPS_KEPT), init=False, repr=False
    )
    _others: Memo[bytes, Guide] = field(
        default_factory=lambda: Memo(_GUIDES_KEPT), init=False, repr=False
    )

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.colours.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.colours.shape[1])

    @property
    def depth(self) -> FloatMap | None:
        """(H, W), wherever it guides."""
        return self.upsampling_depth if self.flood_depth is None else self.flood_depth

    @property
    def origin(self) -> Guide:
        """What guides where no person gives a depth."""
        return self.replaces or self

    def along(self, depth: FloatMap, *, upsampling: bool, flood: bool) -> Guide:
        """Give the guide with another depth; the last few are kept with what they cost.

        Parameters
        ----------
        depth : (H', W')
            In [0, 1], of any size.
        upsampling, flood
            Whether either follows it.
        """
        inside = resize_map(depth, height=self.height, width=self.width)
        key = hashlib.sha256(np.ascontiguousarray(inside).data).digest()
        return self._others.get(
            key,
            lambda _: replace(
                self,
                upsampling_depth=inside if upsampling else None,
                flood_depth=inside if flood else None,
                replaces=self,
            ),
        )

    def collapse(self) -> BilateralWeights:
        """Find what each pixel takes from the tokens around it; slow when first asked for."""
        return self._weights.get("weights", lambda _: self._collapse())

    def map_of(self, click: Click, tokens: Callable[[], FloatMatrix]) -> ClickMap:
        """Give the map of a click, whatever its class.

        Parameters
        ----------
        click
            In pixels of the guide.
        tokens
            Gives the click's map over tokens, (n,), not negative; asked if need be.
        """
        return self._maps.get((click.x, click.y), lambda _: self._draw(click, tokens()))

    def _draw(self, click: Click, tokens: FloatMatrix) -> ClickMap:
        upsampled = _over_largest(self.collapse().enlarge(tokens))
        distances = upsampled
        if self.flood_fill:
            distances = _over_largest(flood_fill(self._climb(upsampled, click), click))
        for values in (upsampled, distances):
            values.setflags(write=False)  # remembered, and handed to more than one caller
        return ClickMap(upsampled, distances, find_segments(distances))

    def _climb(self, distances: FloatMap, click: Click) -> FloatMap:
        """How far the pair (map, depth) of each pixel is from the click's."""
        climb = np.asarray(np.abs(distances - distances[click.y, click.x]))
        if self.flood_depth is None:
            return climb
        depth = self.flood_depth - self.flood_depth[click.y, click.x]
        # Not OpenCV's magnitude, which is a last bit off where the depth is flat.
        climb *= climb
        climb += depth * depth
        return np.asarray(np.sqrt(climb, out=climb))

    def _collapse(self) -> BilateralWeights:
        guide = self.colours.astype(np.float32) / np.float32(255.0)
        if self.upsampling_depth is not None:
            guide = np.concatenate([guide, self.upsampling_depth[..., None]], axis=-1)
        return bilateral_weights(
            guide, self.grid, sigma_space=self.sigma_space, sigma_range=self.sigma_range
        )


def _over_largest(values: FloatMap) -> FloatMap:
    largest = values.max()
    return np.asarray(values / largest) if largest > 0.0 else values
