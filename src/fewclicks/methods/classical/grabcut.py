"""GrabCut: colour mixtures and min cuts in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.base import Prediction, exclude
from fewclicks.methods.classical.seeding import SeedConfig, WorkPicture, at_work_size, spread
from fewclicks.methods.energy.seeds import Seeds
from fewclicks.methods.guidance import Guidance


@dataclass(frozen=True, kw_only=True, slots=True)
class GrabCutConfig(SeedConfig):
    """Turns, besides the seeds.

    Parameters
    ----------
    turns
        How often the mixtures are fitted anew and the picture is cut.
    """

    turns: int = 5

    def __post_init__(self) -> None:
        SeedConfig.__post_init__(self)
        if self.turns < 1:
            raise InputError(f"turns is {self.turns}; needs at least 1.")


class GrabCut:
    """OpenCV's GrabCut, started from the clicks at every click.

    Parameters
    ----------
    config
        Of the seeds and turns.

    Notes
    -----
    Pixels near positive clicks begin as probable object, the rest as probable background.
    The mixtures start from a fixed random seed. A previous answer has no say.

    References
    ----------
    .. [1] Rother, Kolmogorov & Blake, "GrabCut", SIGGRAPH 2004.
    """

    config_type: ClassVar = GrabCutConfig

    def __init__(self, config: GrabCutConfig | None = None) -> None:
        self.config = config or GrabCutConfig()

    def prepare(self, image: RgbImage) -> WorkPicture:
        """Take the picture as it is.

        Raises
        ------
        InputError
            If the image is none.
        """
        return WorkPicture(image=image, work=at_work_size(image, self.config))

    def condition(self, prepared: WorkPicture, guidance: Guidance) -> WorkPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self, prepared: WorkPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Fit mixtures and cut, in turns."""
        del previous
        return spread(prepared, clicks, self.config, lambda seeds: self._solve(prepared, seeds))

    def _solve(self, prepared: WorkPicture, seeds: Seeds) -> FloatMap:
        labels = np.full(seeds.positive.shape, cv2.GC_PR_BGD, dtype=np.uint8)
        labels[seeds.positive] = cv2.GC_FGD
        labels[seeds.negative] = cv2.GC_BGD
        cv2.setRNGSeed(0)  # of this thread; the mixtures start from a random clustering
        cv2.grabCut(
            np.ascontiguousarray(prepared.work),
            labels,
            (0, 0, 0, 0),  # no rectangle: the labels say it all
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            self.config.turns,
            cv2.GC_INIT_WITH_MASK,
        )
        is_object = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        return np.where(is_object, np.float32(1), np.float32(0))
