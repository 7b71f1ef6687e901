"""A method for tests: quick, pure, and easy to foresee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from fewclicks.arrays import RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import Prediction, Prepared, check_image, exclude
from fewclicks.methods.guidance import Guidance


@dataclass(frozen=True, kw_only=True)
class BlobConfig:
    tolerance: int = 60
    memory: float = 0.0  # how much of the previous answer stays


class BlobMethod:
    """The object is every blob of like colour that a positive click, and no negative one, hits."""

    config_type: ClassVar[type] = BlobConfig

    def __init__(self, config: BlobConfig | None = None) -> None:
        self.config = config or BlobConfig()
        self.prepared = 0
        self.asked: list[tuple[tuple[Click, ...], Prediction | None]] = []

    def prepare(self, image: RgbImage) -> Prepared:
        check_image(image)
        self.prepared += 1
        return Prepared(image=image)

    def condition(self, prepared: Prepared, guidance: Guidance) -> Prepared:
        return exclude(prepared, guidance)

    def predict(
        self, prepared: Prepared, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        self.asked.append((tuple(clicks), previous))
        probability = np.zeros(prepared.image.shape[:2], dtype=np.float32)
        if previous is not None:
            probability = previous.probability * np.float32(self.config.memory)
        for click in clicks:
            blob = self._blob(prepared, click)
            probability[blob] = 0.9 if click.is_positive else 0.1
        if prepared.excluded is not None:
            probability[prepared.excluded] = 0
        return Prediction(probability=probability)

    def _blob(self, prepared: Prepared, click: Click) -> np.ndarray:
        colour = prepared.image[click.y, click.x].astype(int)
        alike = np.abs(prepared.image.astype(int) - colour).max(axis=2) <= self.config.tolerance
        if prepared.excluded is not None:
            alike &= ~prepared.excluded
        _, labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
        return labels == labels[click.y, click.x] if alike[click.y, click.x] else labels < 0
