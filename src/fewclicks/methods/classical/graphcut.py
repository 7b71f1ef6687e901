"""Graph cut: colour histograms of the seeds, and one min cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction, exclude
from fewclicks.methods.classical.colours import (
    ColourConfig,
    ColouredPicture,
    check_not_negative,
    colour_ratio,
)
from fewclicks.methods.classical.seeding import at_work_size, spread
from fewclicks.methods.energy.colour_models import colour_bins, lab_image
from fewclicks.methods.energy.edges import EdgeMap, contrast_weights
from fewclicks.methods.energy.geodesic import ParentMap
from fewclicks.methods.energy.min_cut import min_cut
from fewclicks.methods.energy.seeds import Seeds
from fewclicks.methods.guidance import Guidance


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphCutConfig(ColourConfig):
    """Smoothness, besides colour models and seeds.

    Parameters
    ----------
    strength
        Weight of the contrast against the colour models.
    """

    strength: float = 50.0

    def __post_init__(self) -> None:
        ColourConfig.__post_init__(self)
        check_not_negative(self, "strength")


@dataclass(frozen=True, kw_only=True)
class CutPicture(ColouredPicture):
    """A picture ready to be cut.

    Parameters
    ----------
    weights : (4, h, w)
        Price of a cut between neighbours.
    """

    weights: EdgeMap


class GraphCut:
    """Interactive graph cut, the ancestor of all methods that cut.

    Parameters
    ----------
    config
        Tuned for clicks, where the paper had strokes.

    Notes
    -----
    The unary term is the logarithm of the ratio of both colour models at a pixel, the pairwise
    term the contrast. As published, the object may have parts that no
    click touches. A previous answer has no say.

    References
    ----------
    .. [1] Boykov & Jolly, "Interactive Graph Cuts for Optimal Boundary & Region Segmentation of
       Objects in N-D Images", ICCV 2001.
    """

    config_type: ClassVar = GraphCutConfig

    def __init__(self, config: GraphCutConfig | None = None) -> None:
        self.config = config or GraphCutConfig()

    def prepare(self, image: RgbImage) -> CutPicture:
        """Sort the colours into bins and weigh the contrast.

        Raises
        ------
        InputError
            If the image is none.
        """
        return prepare_cut(image, self.config)

    def condition(self, prepared: CutPicture, guidance: Guidance) -> CutPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self, prepared: CutPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Cut between the seeds of both classes."""
        del previous
        return spread(
            prepared, clicks, self.config, lambda seeds: cut(prepared, seeds, self.config)
        )


def prepare_cut(image: RgbImage, config: GraphCutConfig) -> CutPicture:
    """Compute what a cut needs of a picture.

    Raises
    ------
    InputError
        If the image is none.
    """
    work = at_work_size(image, config)
    lab = lab_image(work)
    return CutPicture(
        image=image,
        work=work,
        colours=colour_bins(lab, side=config.bins),
        weights=contrast_weights(lab, strength=config.strength),
    )


def cut(
    prepared: CutPicture,
    seeds: Seeds,
    config: GraphCutConfig,
    parents: ParentMap | None = None,
) -> FloatMap:
    """Cut by the colours of the seeds.

    Parameters
    ----------
    parents : (h, w), optional
        Of the forest along which the object is star-convex.

    Returns
    -------
    (h, w) float32
        Above 0.5 on the object.
    """
    unary = colour_ratio(prepared, seeds, config)
    mask = min_cut(
        unary,
        prepared.weights,
        positive=seeds.positive,
        negative=seeds.negative,
        parents=parents,
    )
    return graded(mask, unary)


def graded(mask: BoolMask, unary: FloatMap) -> FloatMap:
    """Grade a cut by its colour models, without moving a pixel over the threshold of 0.5.

    Parameters
    ----------
    mask : (H, W)
    unary : (H, W)
        Logarithm of a ratio of likelihoods.

    Returns
    -------
    (H, W) float32
        Above 0.5 on the mask, at most 0.5 off it.
    """
    sure = special.expit(unary)
    least = np.nextafter(np.float32(0.5), np.float32(1.0))
    grades = np.where(mask, np.maximum(sure, least), np.minimum(sure, np.float32(0.5)))
    return np.asarray(grades, dtype=np.float32)
