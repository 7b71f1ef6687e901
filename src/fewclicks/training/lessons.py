"""Lessons: crops of photographs beside what a teacher says of them, in another light each time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewclicks.arrays import RgbImage
from fewclicks.errors import InputError
from fewclicks.training.student import STRIDE
from fewclicks.training.teacher import Lesson, TeacherTargets

_KEPT: Final = 4096  # photographs in memory, 0.9 MB each
_JUDGED: Final = 32  # of those that are held out


class Lessons:
    """Photographs that the teacher has spoken of.

    Parameters
    ----------
    targets
        What was said; photographs without a target are left out.
    photos
        All that there are; some are held out, to judge by.

    Raises
    ------
    InputError
        If none is left to learn from.
    """

    def __init__(self, targets: TeacherTargets, photos: list[Path]) -> None:
        known = [photo for photo in photos if targets.file_of(photo).is_file()]
        self.trained = [photo for photo in known if not targets.is_held_out(photo)]
        self.held_out = [photo for photo in known if targets.is_held_out(photo)][:_JUDGED]
        self.read = lru_cache(_KEPT)(targets.read)
        if not self.trained:
            raise InputError("No photograph has a target that is not held out; needs some more.")

    def batch(self, step: int, *, size: int, side: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw the crops of a step.

        A step draws the same whenever it is asked for, so that a run that goes on draws as one
        that never stopped. Each photograph comes once before any comes twice.

        Parameters
        ----------
        size
            Of the batch.
        side
            Of the crops, in tokens.

        Returns
        -------
        colours : (size, 3, 8 side, 8 side) float32
            In [0, 1].
        tokens : (size, k, side, side) float32
            Of length 1.
        """
        rng = np.random.default_rng((seed, step))
        drawn = [self._at(step * size + k, seed) for k in range(size)]
        crops = [crop(self.read(photo), side, rng) for photo in drawn]
        images, tokens = (torch.from_numpy(np.stack(each)) for each in zip(*crops, strict=True))
        colours = in_other_light(images.permute(0, 3, 1, 2).float() / 255.0, rng)
        return colours, tokens.permute(0, 3, 1, 2).float()

    def _at(self, place: int, seed: int) -> Path:
        turn, place = divmod(place, len(self.trained))
        return self.trained[_order(len(self.trained), seed, turn)[place]]


@lru_cache(2)
def _order(count: int, seed: int, turn: int) -> list[int]:
    order: list[int] = np.random.default_rng((seed, 1, turn)).permutation(count).tolist()
    return order


def crop(
    lesson: Lesson, side: int, rng: np.random.Generator
) -> tuple[RgbImage, NDArray[np.float16]]:
    """Cut a square in steps of the grid, so that each token keeps its cell; mirror half of them.

    Parameters
    ----------
    side
        In tokens; a picture that is narrower goes on mirrored.

    Returns
    -------
    image : (8 side, 8 side, 3)
    tokens : (side, side, k)
    """
    image, tokens = lesson.image, lesson.tokens
    lacking = [max(0, side - length) for length in tokens.shape[:2]]
    if any(lacking):
        tokens = np.pad(tokens, (*((0, n) for n in lacking), (0, 0)), mode="symmetric")
        image = np.pad(image, (*((0, n * STRIDE) for n in lacking), (0, 0)), mode="symmetric")
    top, left = (int(rng.integers(length - side + 1)) for length in tokens.shape[:2])
    tokens = tokens[top : top + side, left : left + side]
    y, x, pixels = top * STRIDE, left * STRIDE, side * STRIDE
    image = image[y : y + pixels, x : x + pixels]
    if rng.random() < 0.5:
        image, tokens = image[:, ::-1], tokens[:, ::-1]
    return image, tokens


def in_other_light(colours: Tensor, rng: np.random.Generator) -> Tensor:
    """Change brightness, contrast, saturation and tint of each picture a little.

    One matrix of colours for each picture, so that it costs next to nothing.

    Parameters
    ----------
    colours : (b, 3, H, W)
        In [0, 1], as is what comes back.
    """
    count = len(colours)
    contrast = rng.uniform(0.7, 1.3, (count, 1, 1)) * np.eye(3)
    tint = rng.uniform(0.9, 1.1, (count, 3, 1)) * np.eye(3)
    saturation = rng.uniform(0.5, 1.5, (count, 1, 1))
    towards_grey = saturation * np.eye(3) + (1.0 - saturation) / 3.0
    brightness = rng.uniform(-0.1, 0.1, (count, 1, 1)).astype(np.float32)
    matrix = torch.from_numpy((contrast @ tint @ towards_grey).astype(np.float32))
    mixed = matrix @ (colours.flatten(2) - 0.5) + (0.5 + torch.from_numpy(brightness))
    return mixed.clamp_(0.0, 1.0).view_as(colours)
