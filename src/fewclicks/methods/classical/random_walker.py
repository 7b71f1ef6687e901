"""Random walker: which seed a walk from each pixel reaches first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from skimage import segmentation

from fewclicks.arrays import FloatImage, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.base import Prediction, exclude
from fewclicks.methods.classical.seeding import SeedConfig, WorkPicture, at_work_size, spread
from fewclicks.methods.energy.colour_models import lab_image
from fewclicks.methods.energy.seeds import Seeds
from fewclicks.methods.guidance import Guidance

_POSITIVE, _NEGATIVE = 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomWalkerConfig(SeedConfig):
    """How the walk goes, besides the seeds.

    Parameters
    ----------
    beta
        How much a step over a contrast is shunned.
    longest_side
        In pixels; the direct solver's time and memory grow faster than the picture.
    """

    beta: float = 130.0
    longest_side: int = 256

    def __post_init__(self) -> None:
        SeedConfig.__post_init__(self)
        if not self.beta >= 0:
            raise InputError(f"beta is {self.beta}; needs a number from 0 on.")


@dataclass(frozen=True, kw_only=True)
class WalkedPicture(WorkPicture):
    """A picture to walk over.

    Parameters
    ----------
    lab : (h, w, 3)
    """

    lab: FloatImage


class RandomWalker:
    """Random walker on the 4-connected grid of pixels.

    Parameters
    ----------
    config
        The walk's own settings.

    Notes
    -----
    The probability is that of meeting a positive seed first. The linear system is solved by
    scikit-image, directly. A previous answer has no say.

    References
    ----------
    .. [1] Grady, "Random Walks for Image Segmentation", TPAMI 28(11), 2006.
    """

    config_type: ClassVar = RandomWalkerConfig

    def __init__(self, config: RandomWalkerConfig | None = None) -> None:
        self.config = config or RandomWalkerConfig()

    def prepare(self, image: RgbImage) -> WalkedPicture:
        """Turn the colours to Lab.

        Raises
        ------
        InputError
            If the image is none.
        """
        work = at_work_size(image, self.config)
        lab = lab_image(work)
        if lab.std() == 0:
            # scikit-image divides by the spread of all numbers; offsets change no contrast.
            lab += np.arange(3, dtype=np.float32)
        return WalkedPicture(image=image, work=work, lab=lab)

    def condition(self, prepared: WalkedPicture, guidance: Guidance) -> WalkedPicture:
        """Keep excluded pixels off the object."""
        return exclude(prepared, guidance)

    def predict(
        self, prepared: WalkedPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Solve for the probability of meeting a positive seed before a negative one."""
        del previous
        return spread(prepared, clicks, self.config, lambda seeds: self._solve(prepared, seeds))

    def _solve(self, prepared: WalkedPicture, seeds: Seeds) -> FloatMap:
        labels = np.where(seeds.positive, _POSITIVE, np.where(seeds.negative, _NEGATIVE, 0))
        probabilities = segmentation.random_walker(
            prepared.lab,
            labels,
            beta=self.config.beta,
            mode="bf",  # exact; conjugate gradients stop far from the answer at sharp contrasts
            channel_axis=-1,
            return_full_prob=True,
        )
        return np.asarray(np.clip(probabilities[0], 0.0, 1.0), dtype=np.float32)
