"""A method for tests that takes references and exemplars, and answers by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fake_method import BlobMethod
from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction, Prepared
from fewclicks.methods.guidance import Guidance


@dataclass(frozen=True, kw_only=True)
class ColouredPicture(Prepared):
    meant: BoolMask | None = None


class ColourMethod(BlobMethod):
    """Means everything of the colour that was shown; clicks add and take away blobs."""

    def __init__(self) -> None:
        super().__init__()
        self.guided: list[Guidance] = []

    def condition(self, prepared: Prepared, guidance: Guidance) -> Prepared:
        guidance.check(prepared.shape, takes=("references", "exemplar"))
        self.guided.append(guidance)
        shown = None
        if guidance.exemplar is not None:
            shown = colour_of(prepared.image, guidance.exemplar.mask)
        for reference in guidance.references:
            if reference.positive is not None:
                shown = colour_of(reference.image, reference.positive)
        meant = None
        if shown is not None:
            far = np.abs(prepared.image.astype(int) - shown).max(axis=2)
            meant = far <= self.config.tolerance
        plain = {"image": prepared.image, "excluded": guidance.excluded}
        return ColouredPicture(**plain, meant=meant)

    def predict(
        self, prepared: Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        answer = super().predict(prepared, clicks, previous)
        meant = getattr(prepared, "meant", None)
        if meant is None:
            return answer
        probability = np.where(meant, np.float32(0.8), answer.probability)
        for click in clicks:
            if not click.is_positive:
                probability[self._blob(prepared, click)] = 0.1
        if prepared.excluded is not None:
            probability[prepared.excluded] = 0
        return replace(answer, probability=probability.astype(np.float32))


def colour_of(image: RgbImage, mask: BoolMask) -> np.ndarray:
    return np.median(image[mask], axis=0)
