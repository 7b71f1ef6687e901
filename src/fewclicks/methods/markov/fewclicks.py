"""fewclicks: our own method, and the default.

A picture becomes a thousand regions. From each click, ten distances say how far every region is:
walks over the backbone's features and over the regions' own colours, paths over colour and edges,
unions in two merge trees. A small network weighs them, a colour model is fitted to its opinion,
and one min cut draws the outline. See ``docs/methods/fewclicks.md`` for what each part gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import special

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.backbones.base import Backbone
from fewclicks.clicks import Click, check_clicks, positives
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.masks import components_with
from fewclicks.images.resizing import resize_map, resize_mask, shrink_to_longest_side
from fewclicks.methods.base import Guidance, Prediction, Prepared, check_image, exclude
from fewclicks.methods.energy.band_cut import band_cut, contrast_pyramid
from fewclicks.methods.energy.colour_models import (
    ColourBins,
    colour_bins,
    colour_histogram,
    lab_image,
    log_likelihood_ratio,
)
from fewclicks.methods.energy.edges import EdgeMap
from fewclicks.methods.energy.seeds import draw_seeds, keep_clicked
from fewclicks.methods.markov.distances import distances_from
from fewclicks.methods.markov.evidence import RegionClick
from fewclicks.methods.markov.evidence_network import EvidenceNetwork, shipped_network
from fewclicks.methods.markov.regions import Regions, describe_regions
from fewclicks.methods.memo import Memo
from fewclicks.methods.one_thread import on_one_thread

_REMEMBERED_CLICKS = 64
_CLICK_REACH = 5.0  # path cost over colour
_OPINION_BLUR = 1.5  # pixels, so that an opinion does not end at a region's jagged border


@dataclass(frozen=True, kw_only=True, slots=True)
class FewclicksConfig:
    """What the method weighs, and how much.

    Parameters
    ----------
    regions
        About so many superpixels.
    longest_side
        In pixels; larger pictures are worked on at this size and the answer is enlarged.
    radius
        In pixels of the disk around a click that surely has the click's class.
    certainty
        Log odds at which the network's opinion of a region is cut off.
    colour
        Weight of the colour model against the network's opinion.
    strength
        Weight of the contrast against both; higher is smoother.
    steadiness
        Log odds that the previous mask adds where the newest click is far; 0 forgets it there.
    bins
        Of the colour model, along each axis of Lab.
    levels
        How often the picture is halved for the min cut.
    """

    regions: int = 1000
    longest_side: int = 1024
    radius: int = 3
    certainty: float = 4.0
    colour: float = 1.0
    strength: float = 20.0
    steadiness: float = 1.0
    bins: int = 32
    levels: int = 1

    def __post_init__(self) -> None:
        for name, least in (("regions", 1), ("longest_side", 8), ("radius", 0), ("levels", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; needs at least {least}.")
        if not self.certainty > 0:
            raise InputError(f"certainty is {self.certainty}; needs a number above 0.")
        if not 1 <= self.bins <= 40:
            raise InputError(f"bins is {self.bins}; needs a number from 1 to 40.")
        for name in ("colour", "strength", "steadiness"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number from 0 on.")


@dataclass(frozen=True, kw_only=True)
class RegionPicture(Prepared):
    """A picture, its regions and what a cut through its pixels costs.

    Parameters
    ----------
    regions
        At the size that is worked at, h x w.
    colours : (h, w)
        Bin of each pixel's colour.
    pyramid
        Prices of a cut between neighbours, at h x w and halved.
    """

    regions: Regions
    colours: ColourBins
    pyramid: list[EdgeMap]
    _distances: Memo[int, NDArray[np.float64]] = field(
        default_factory=lambda: Memo(_REMEMBERED_CLICKS)
    )

    def seen(self, click: Click) -> RegionClick:
        """Look at a click, in pixels of the size worked at, from the regions' side."""
        region = int(self.regions.superpixels.labels[click.y, click.x])
        distances = self._distances.get(region, lambda key: distances_from(self.regions, key))
        return RegionClick(region=region, is_positive=click.is_positive, distances=distances)


class Fewclicks:
    """Regions, ten distances, a small network, one min cut.

    Parameters
    ----------
    backbone
        Whose features one of the two walks follows.
    config
        The default is what the README's figures were measured with.
    network
        The one that comes with the package, if left out.
    """

    config_type: ClassVar = FewclicksConfig

    def __init__(
        self,
        backbone: Backbone,
        config: FewclicksConfig | None = None,
        network: EvidenceNetwork | None = None,
    ) -> None:
        self.backbone = backbone
        self.config = config or FewclicksConfig()
        self.network = network or shipped_network()

    @on_one_thread
    def prepare(self, image: RgbImage) -> RegionPicture:
        """Find the regions and how they hang together.

        Raises
        ------
        InputError
            If the image is none.
        """
        check_image(image)
        small = shrink_to_longest_side(image, self.config.longest_side)
        lab = lab_image(small)
        return RegionPicture(
            image=image,
            regions=describe_regions(
                lab,
                self.backbone.features(small),
                count=self.config.regions,
            ),
            colours=colour_bins(lab, side=self.config.bins),
            pyramid=contrast_pyramid(lab, strength=self.config.strength, levels=self.config.levels),
        )

    def condition(self, prepared: RegionPicture, guidance: Guidance) -> RegionPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    @on_one_thread
    def predict(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Weigh the evidence of all clicks and of the previous mask, then cut.

        Raises
        ------
        InputError
            If a click is outside the image.
        ShapeError
            If the previous mask is not of the image's size.
        """
        shape = prepared.image.shape[:2]
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        before = np.zeros(shape, dtype=bool) if previous is None else previous.mask
        if before.shape != shape:
            raise ShapeError.differs("previous", before.shape, needed=shape, of="the image")
        if not (positives(clicks) or before.any()):
            return Prediction.from_mask(np.zeros(shape, dtype=bool))
        if previous is not None and not clicks:
            kept = keep_clicked(before, (), prepared.excluded)
            return Prediction(probability=_agreeing(previous.probability, kept))
        probability = self._probability(prepared, clicks, previous)
        if probability.shape != shape:
            probability = resize_map(probability, height=prepared.height, width=prepared.width)
        mask = keep_clicked(probability > 0.5, clicks, prepared.excluded)
        return Prediction(probability=_agreeing(probability, mask))

    def _probability(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None
    ) -> FloatMap:
        """Answer at the size worked at."""
        superpixels = prepared.regions.superpixels
        height, width = superpixels.labels.shape
        scaled = [_scaled(click, prepared, height, width) for click in clicks]
        share = None
        if previous is not None:
            share = superpixels.mean(resize_mask(previous.mask, height=height, width=width))
        excluded = prepared.excluded
        if excluded is not None:
            excluded = resize_mask(excluded, height=height, width=width)
        seen = [prepared.seen(click) for click in scaled]
        bound = self.config.certainty
        opinion: NDArray[np.floating] = np.clip(
            self.network.log_odds(prepared.regions, seen, share), -bound, bound
        )
        if share is not None:
            opinion = opinion + self.config.steadiness * (2 * share - 1) * _remoteness(seen[-1])
        unary = self._unary(prepared, opinion, excluded)
        seeds = draw_seeds((height, width), scaled, radius=self.config.radius, excluded=excluded)
        mask = band_cut(unary, prepared.pyramid, positive=seeds.positive, negative=seeds.negative)
        if any(mask[click.y, click.x] for click in positives(scaled)):
            mask = components_with(mask, positives(scaled))
        return _agreeing(_sigmoid(unary), mask)

    def _unary(
        self, prepared: RegionPicture, opinion: NDArray[np.floating], excluded: BoolMask | None
    ) -> FloatMap:
        """Log odds of each pixel: the opinion of its region and a colour model fitted to it."""
        regional = opinion.astype(np.float32)[prepared.regions.superpixels.labels]
        smooth = np.asarray(cv2.GaussianBlur(regional, (0, 0), _OPINION_BLUR), dtype=np.float32)
        if self.config.colour == 0:
            return smooth
        odds = _sigmoid(smooth)
        if excluded is not None:
            odds[excluded] = 0.0
        ratio = log_likelihood_ratio(
            prepared.colours,
            colour_histogram(prepared.colours, odds),
            colour_histogram(prepared.colours, 1.0 - odds),
        )
        return np.asarray(
            smooth + np.float32(self.config.colour) * np.clip(ratio, -3.0, 3.0), dtype=np.float32
        )


def _remoteness(click: RegionClick) -> NDArray[np.float64]:
    """How little each region has to do with a click, (n,), 0 at it and near 1 far away."""
    return np.asarray(1.0 - np.exp(-click.distances[:, 0] / _CLICK_REACH))


def _scaled(click: Click, prepared: Prepared, height: int, width: int) -> Click:
    """Move a click to the pixel of the smaller picture that holds it."""
    x, y = click.x * width // prepared.width, click.y * height // prepared.height
    return Click(x=x, y=y, is_positive=click.is_positive)


def _sigmoid(log_odds: FloatMap) -> FloatMap:
    return np.asarray(special.expit(log_odds), dtype=np.float32)


def _agreeing(probability: FloatMap, mask: BoolMask) -> FloatMap:
    """Lift the probability above a half on the mask, and keep it at most there off it."""
    above = np.nextafter(np.float32(0.5), np.float32(1.0))
    return np.where(mask, np.maximum(probability, above), np.minimum(probability, np.float32(0.5)))
