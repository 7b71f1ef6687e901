"""Reference match: what parts that are marked on another picture say of each place of this one.

Two things carry over from picture to picture. What is meant looks alike: each token of the picture
asks the reference's tokens, weighed by how alike they are, whether they are meant. And it lies
alike: people click the middle of what they mean, so the picture's first positive click stands
where the marked parts are deepest, and the parts lie about it as they do on the reference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.backbones.base import Features
from fewclicks.clicks import Click, positives
from fewclicks.methods.markov.token_walk import read_at

_MOST: Final = 6.0  # log odds that either may say
_OUTLINE_SIDE: Final = 128  # pixels of the longest side that an outline is kept at
_BREADTH: Final = 0.04  # of the picture's diagonal: how far parts of the same kind lie apart
_LEAST: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class MarkedPlace:
    """Where the meant parts lie about their middle.

    Parameters
    ----------
    log_odds : (h, w)
        Of being meant, on the reference; parts differ, so it is blurred.
    middle
        x and y of the deepest meant pixel, in pixels of the map.
    """

    log_odds: FloatMap
    middle: tuple[float, float]

    def around(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Read the map so far from the middle, (n,).

        Parameters
        ----------
        offsets : (n, 2)
            To the right and down, as shares of the picture's diagonal.
        """
        at = offsets * math.hypot(*self.log_odds.shape) + self.middle
        return np.asarray(
            ndimage.map_coordinates(
                self.log_odds, (at[:, 1], at[:, 0]), order=1, mode="constant", cval=-_MOST
            )
        )


@dataclass(frozen=True, kw_only=True)
class SeenReference:
    """A reference as the method sees it, whatever picture it serves.

    Parameters
    ----------
    features
        Tokens of the reference picture.
    meant, unmeant : (m,)
        Share of each token's cell.
    place, optional
        None where only what is not meant is marked, which has no middle to click.
    """

    features: Features
    meant: NDArray[np.float32]
    unmeant: NDArray[np.float32]
    place: MarkedPlace | None


@dataclass(frozen=True, kw_only=True)
class ReferenceMatch:
    """What references say of one picture.

    Parameters
    ----------
    likeness : (h, w)
        Log odds of each token, on the grid of the picture's tokens, by what it looks like.
    places
        Of the references that have one.
    likeness_weight, place_weight
        Of either against the clicks' evidence.
    """

    likeness: FloatMap
    places: tuple[MarkedPlace, ...]
    likeness_weight: float
    place_weight: float

    def log_odds(
        self, at: NDArray[np.float64], clicks: Sequence[Click], shape: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Add up what is known of places, (n,).

        Parameters
        ----------
        at : (n, 2)
            x and y as shares of the picture's width and height.
        clicks
            So far. The first positive one is taken for the middle of what is meant; the more
            there are, the less that counts.
        shape
            Height and width of the picture.
        """
        total = self.likeness_weight * read_at(self.likeness, at)
        middle = next(iter(positives(clicks)), None)
        if middle is None or not self.places:
            return total
        height, width = shape
        offsets = at * (width, height) - (middle.x + 0.5, middle.y + 0.5)
        offsets /= math.hypot(height, width)
        told = np.mean([place.around(offsets) for place in self.places], axis=0)
        return np.asarray(total + self.place_weight / len(clicks) * told)


def see_marks(
    features: Features, *, positive: BoolMask | None = None, negative: BoolMask | None = None
) -> SeenReference:
    """Read what is marked on a picture at its tokens.

    Parameters
    ----------
    features
        Of the marked picture.
    positive, negative : (H, W), optional
        As of `Reference`.

    Notes
    -----
    Where what is meant is marked, all else is not meant, and what is marked so counts twice.
    Where only what is not meant is marked, that alone is known: nothing speaks for other places.
    """
    positive, negative = (
        mask if mask is not None and mask.any() else None for mask in (positive, negative)
    )
    off = 0.0 if negative is None else _shares(negative, features)
    if positive is None:
        unmeant = np.asarray(off, dtype=np.float32)
        return SeenReference(features=features, meant=1 - unmeant, unmeant=unmeant, place=None)
    on = _shares(positive, features)
    return SeenReference(
        features=features, meant=on, unmeant=1 - on + off, place=_marked_place(positive)
    )


def match_references(
    references: Sequence[SeenReference],
    features: Features,
    *,
    likeness_weight: float,
    place_weight: float,
) -> ReferenceMatch:
    """Compare a picture with references; what several say is averaged.

    Parameters
    ----------
    references
        At least one, seen through the same backbone.
    features
        Of the picture.
    likeness_weight, place_weight
        As of `ReferenceMatch`.

    References
    ----------
    .. [1] RefCut, section 3.2 (arXiv:2503.17820), is the trained form.
    """
    likeness = np.mean([votes_by_likeness(features, each) for each in references], axis=0)
    shape = features.grid.height, features.grid.width
    return ReferenceMatch(
        likeness=np.asarray(likeness, dtype=np.float32).reshape(shape),
        places=tuple(each.place for each in references if each.place is not None),
        likeness_weight=likeness_weight,
        place_weight=place_weight,
    )


def votes_by_likeness(features: Features, reference: SeenReference) -> NDArray[np.float32]:
    """Log odds of each token, (n,), as the reference's tokens vote that are like it."""
    here, there = features.tokens, reference.features.tokens
    squares = np.einsum("nc,nc->n", here, here)[:, None] + np.einsum("mc,mc->m", there, there)
    squares -= 2.0 * (here @ there.T)
    kernel = np.exp(np.minimum(squares / -np.float32(features.temperature), 0.0))
    votes = (np.log(kernel @ share + _LEAST) for share in (reference.meant, reference.unmeant))
    most = _MOST if reference.place is not None else 0.0
    return np.asarray(np.clip(np.subtract(*votes), -_MOST, most), dtype=np.float32)


def deepest_pixel(mask: BoolMask) -> tuple[Click, float]:
    """Click the deepest pixel of a mask, (H, W), where people click; ties: the first of them.

    Returns
    -------
    (Click, float)
        And how deep it is: its distance, in pixels, to the nearest pixel off the mask.
    """
    padded = np.pad(mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = divmod(int(depth.argmax()), mask.shape[1])
    return Click(x=column, y=row), float(depth[row, column])


def _shares(mask: BoolMask, features: Features) -> NDArray[np.float32]:
    """Share of each token's cell that a mask covers, (m,)."""
    size = features.grid.width, features.grid.height
    shares = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(shares, dtype=np.float32).ravel()


def _marked_place(mask: BoolMask) -> MarkedPlace:
    """Find the middle of a mask, and blur its outline."""
    height, width = mask.shape
    middle, _ = deepest_pixel(mask)
    scale = min(1.0, _OUTLINE_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    breadth = _BREADTH * math.hypot(*size)
    on = cv2.GaussianBlur(small, (0, 0), breadth, borderType=cv2.BORDER_CONSTANT)
    odds = np.log(on + _LEAST) - np.log(np.maximum(1.0 - on, 0.0) + _LEAST)
    return MarkedPlace(
        log_odds=np.asarray(np.clip(odds, -_MOST, _MOST), dtype=np.float32),
        middle=(
            (middle.x + 0.5) * size[0] / width - 0.5,
            (middle.y + 0.5) * size[1] / height - 0.5,
        ),
    )
