"""A method for tests that takes references and an exemplar, and is easy to foresee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fake_method import BlobMethod
from fewclicks.arrays import RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction, Prepared
from fewclicks.methods.guidance import Guidance


class GuidedBlobs(BlobMethod):
    """With an exemplar, all that has its colour is the answer; negative clicks take blobs away.

    A reference leaves of each blob what has the colour of the marked part.
    """

    def __init__(self) -> None:
        super().__init__()
        self.guided: list[Guidance] = []

    def condition(self, prepared: Prepared, guidance: Guidance) -> Prepared:
        guidance.check(prepared.shape, takes=["references", "exemplar"])
        self.guided.append(guidance)
        return Prepared(
            image=prepared.image,
            excluded=guidance.excluded,
            references=guidance.references,
            exemplar=guidance.exemplar,
        )

    def predict(
        self, prepared: Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        answer = super().predict(prepared, clicks, previous)
        mask = answer.mask
        if prepared.exemplar is not None:
            shown = prepared.image[prepared.exemplar.mask].mean(axis=0)
            mask = _alike(prepared.image, shown) | mask
            for click in clicks:
                if not click.is_positive:
                    mask = mask & ~self._blob(replace(prepared, excluded=None), click)
        for reference in prepared.references:
            assert reference.positive is not None
            mask = mask & _alike(prepared.image, reference.image[reference.positive].mean(axis=0))
        return Prediction.from_mask(mask)


def _alike(image: RgbImage, colour: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(image.astype(float) - colour).max(axis=2) < 40)
