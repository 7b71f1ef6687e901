"""Star convexity: graph cuts whose object is seen whole from the positive clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction, exclude
from fewclicks.methods.classical.colours import check_not_negative
from fewclicks.methods.classical.graphcut import (
    CutPicture,
    GraphCutConfig,
    cut,
    prepare_cut,
)
from fewclicks.methods.classical.seeding import spread
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.energy.edges import EdgeMap, step_lengths
from fewclicks.methods.energy.geodesic import WAYS, ParentMap, geodesic_forest
from fewclicks.methods.energy.seeds import Seeds
from fewclicks.methods.guidance import Guidance


@dataclass(frozen=True, kw_only=True, slots=True)
class StarConfig(GraphCutConfig):
    """A graph cut with less smoothness, as its star centres hold the object together."""

    strength: float = 14.0


@dataclass(frozen=True, kw_only=True, slots=True)
class GeodesicStarConfig(StarConfig):
    """The way between a pixel and its star centre, besides the graph cut.

    Parameters
    ----------
    spatial
        Price of one pixel of way, in units of Lab.
    """

    spatial: float = 10.0

    def __post_init__(self) -> None:
        GraphCutConfig.__post_init__(self)
        check_not_negative(self, "spatial")


@dataclass(frozen=True, kw_only=True)
class GeodesicStarPicture(CutPicture):
    """A picture ready to be cut along shortest paths.

    Parameters
    ----------
    steps : (4, h, w)
        Length of the way between neighbours.
    """

    steps: EdgeMap


class GeodesicStarConvexity:
    """Graph cut with geodesic star convexity.

    Parameters
    ----------
    config
        Of the graph cut and of the paths.

    Notes
    -----
    A pixel can be on the object only if the whole shortest path to the nearest positive seed is;
    so the object hangs together with the clicks, and follows bends. A previous answer has no say.

    References
    ----------
    .. [1] Gulshan, Rother, Criminisi, Blake & Zisserman, "Geodesic Star Convexity for
       Interactive Image Segmentation", CVPR 2010.
    """

    config_type: ClassVar = GeodesicStarConfig

    def __init__(self, config: GeodesicStarConfig | None = None) -> None:
        self.config = config or GeodesicStarConfig()

    def prepare(self, image: RgbImage) -> GeodesicStarPicture:
        """Sort the colours, weigh the contrast, measure the way between neighbours."""
        base = prepare_cut(image, self.config)
        return GeodesicStarPicture(
            image=image,
            work=base.work,
            colours=base.colours,
            weights=base.weights,
            steps=step_lengths(lab_image(base.work), spatial=self.config.spatial),
        )

    def condition(self, prepared: GeodesicStarPicture, guidance: Guidance) -> GeodesicStarPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self,
        prepared: GeodesicStarPicture,
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Cut so that the object is star-convex along shortest paths."""
        del previous

        def solve(seeds: Seeds) -> FloatMap:
            _, parents = geodesic_forest(prepared.steps, seeds.positive)
            return cut(prepared, seeds, self.config, parents)

        return spread(prepared, clicks, self.config, solve)


class EuclideanStarConvexity:
    """Graph cut with Euclidean star convexity.

    Parameters
    ----------
    config
        Of the graph cut.

    Notes
    -----
    A pixel can be on the object only if the straight line to the nearest positive seed is.
    A previous answer has no say.

    References
    ----------
    .. [1] Gulshan, Rother, Criminisi, Blake & Zisserman, "Geodesic Star Convexity for
       Interactive Image Segmentation", CVPR 2010.
    """

    config_type: ClassVar = StarConfig

    def __init__(self, config: StarConfig | None = None) -> None:
        self.config = config or StarConfig()

    def prepare(self, image: RgbImage) -> CutPicture:
        """Sort the colours and weigh the contrast."""
        return prepare_cut(image, self.config)

    def condition(self, prepared: CutPicture, guidance: Guidance) -> CutPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self, prepared: CutPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Cut so that the object is star-convex along straight lines."""
        del previous

        def solve(seeds: Seeds) -> FloatMap:
            return cut(prepared, seeds, self.config, straight_parents(seeds.positive))

        return spread(prepared, clicks, self.config, solve)


def straight_parents(centres: BoolMask) -> ParentMap:
    """Find the first step of the straight line from each pixel to the nearest centre.

    Parameters
    ----------
    centres : (H, W)
        At least one pixel is True.

    Returns
    -------
    (H, W) int8
        As of `geodesic_forest`; each step comes nearer to some centre, so paths end at one.
    """
    nearest = ndimage.distance_transform_edt(~centres, return_distances=False, return_indices=True)
    down, right = nearest - np.indices(centres.shape)
    longest = np.maximum(np.maximum(np.abs(down), np.abs(right)), 1)
    codes = np.full((3, 3), -1, dtype=np.int8)
    for code, (step_down, step_right) in enumerate(WAYS):
        codes[step_down + 1, step_right + 1] = code
    parents: ParentMap = codes[_rounded(down, longest) + 1, _rounded(right, longest) + 1]
    return parents


def _rounded(offset: NDArray[np.int_], longest: NDArray[np.int_]) -> NDArray[np.int_]:
    """Sign of the offset where it is more than half of the longest one, else 0."""
    return np.where(2 * np.abs(offset) > longest, np.sign(offset), 0)
